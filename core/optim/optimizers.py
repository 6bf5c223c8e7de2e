"""The optimizers on the menu, in the order in which the page offers them."""

from typing import Annotated

from core.optim.optimizer import LearningRate as LearningRate
from core.optim.optimizer import OptimizerChoice as OptimizerChoice
from core.optim.optimizers_adaptive import Adadelta, Adagrad, RMSprop, Rprop
from core.optim.optimizers_gradient import ASGD, SGD, GradientDescent, Lion
from core.optim.optimizers_matrix import LBFGS, Adafactor, Muon
from core.optim.optimizers_moments import Adam, Adamax, AdamW, NAdam, RAdam
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
