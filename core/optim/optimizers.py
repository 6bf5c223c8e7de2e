"""The optimizers on the menu, in the order in which the page offers them."""

from typing import Annotated

from core.optim.optimizer import LearningRate as LearningRate
from core.optim.optimizer import OptimizerChoice as OptimizerChoice
from core.optim.optimizers_adaptive import Adadelta as Adadelta
from core.optim.optimizers_adaptive import Adagrad as Adagrad
from core.optim.optimizers_adaptive import RMSprop as RMSprop
from core.optim.optimizers_adaptive import Rprop as Rprop
from core.optim.optimizers_gradient import ASGD as ASGD
from core.optim.optimizers_gradient import SGD as SGD
from core.optim.optimizers_gradient import GradientDescent as GradientDescent
from core.optim.optimizers_gradient import Lion as Lion
from core.optim.optimizers_matrix import LBFGS as LBFGS
from core.optim.optimizers_matrix import Adafactor as Adafactor
from core.optim.optimizers_matrix import Muon as Muon
from core.optim.optimizers_moments import Adam as Adam
from core.optim.optimizers_moments import Adamax as Adamax
from core.optim.optimizers_moments import AdamW as AdamW
from core.optim.optimizers_moments import NAdam as NAdam
from core.optim.optimizers_moments import RAdam as RAdam
from core.spec import on_menu

AnyOptimizer = Annotated[
    SGD
    | Adam
    | AdamW
    | RMSprop
    | Adagrad
    | Adadelta
    | NAdam
    | RAdam
    | Adamax
    | Lion
    | Muon
    | Adafactor
    | ASGD
    | Rprop
    | GradientDescent
    | LBFGS,
    on_menu(),
]
