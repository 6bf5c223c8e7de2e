"""Experiments that between them use everything on the Menus, each with a few steps."""

import random
from itertools import islice

from core.data.augmentation import AnyAugmentation
from core.data.evidence import KnownEvidence
from core.data.menu import AnyDataset
from core.data.preparation import Preparation
from core.data.rendered import Digits, RenderedDigits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Diabetes, Iris
from core.data.toy import Circle, GaussRegression, Moons
from core.errors import LayerwiseError
from core.experiment.changes import HyperChange, LaneAddition, LaneRemoval, OptimizerSwap
from core.experiment.check import checked
from core.experiment.examples import EXAMPLES
from core.experiment.experiment import Budget, Experiment, Lane
from core.models.model import ModelSpec
from core.models.presets import PRESETS
from core.optim.losses import AnyLoss, BinaryCrossEntropy, CrossEntropy
from core.optim.optimizers import LBFGS, SGD, Adam, AnyOptimizer, GradientDescent, Lion
from core.optim.regularizers import L1, L2, AnyRegularizer, ClipNorm, MaxNorm, WeightAverage, WeightDecay
from core.optim.schedules import (
    AnySchedule,
    Constant,
    Cosine,
    CosineRestarts,
    MultiStep,
    Plateau,
    StepDecay,
    WarmUp,
)
from core.settings import Settings
from core.spec import choices
from tests.core.export.script_curves import Case
from tests.core.samples import linear, spiral, stack

STEPS = 12
BUDGET = Budget(epochs=None, steps=STEPS)
FEW = Digits(train_share=0.1, validation_share=0.05)
"""179 training images: 6 steps of 32 per epoch."""
CNN = stack(("Conv2d", {"out_channels": 4}), "ReLU", "MaxPool2d", ("Dropout", {"p": 0.2}), "Flatten", linear(10))
SMALLER = {"n_examples": 200}
MANY = {"rendered", "evidence", "sentiment"}
"""Ready examples with more examples than a few steps need."""
QUICK: dict[str, AnySchedule] = {
    one.kind: one
    for one in (
        StepDecay(every=1, gamma=0.5),
        MultiStep(milestones="2, 1", gamma=0.3),
        CosineRestarts(period=1, least=0.1),
        WarmUp(steps=5, then="cosine"),
        Plateau(patience=0, threshold=0.9, gamma=0.5),
    )
}
"""Schedules that do something in a few steps."""


def cnn(optimizer: AnyOptimizer | None = None, lane: dict | None = None, **fields) -> Experiment:
    """A small network with convolution, pooling and dropout on few digits."""
    only = Lane(optimizer=optimizer or Adam(lr=0.01), **(lane or {}))
    made = Experiment(data=FEW, model=CNN, lanes=(only,), batch_size=32, budget=BUDGET, device="cpu")
    return made.but(**fields)


def of_the_menus() -> list[Case]:
    """Every optimizer, schedule, regularizer, augmentation and loss of classes at least once."""
    cases = [Case(f"optimizer-{cls.kind_name()}", cnn(cls())) for cls in choices(AnyOptimizer)]
    for schedule in choices(AnySchedule):
        one = QUICK.get(schedule.kind_name()) or schedule()
        cases.append(Case(f"schedule-{one.kind}", cnn(lane={"schedule": one}, budget=Budget(epochs=3))))
    for regularizer in choices(AnyRegularizer):
        cases.append(Case(f"regularizer-{regularizer.kind_name()}", cnn(lane={"regularizers": (regularizer(),)})))
    cases += [Case(f"augmentation-{cls.kind_name()}", cnn(augmentation=(cls(),))) for cls in choices(AnyAugmentation)]
    for loss in choices(AnyLoss):
        cases.append(Case(f"loss-{loss.kind_name()}", _with_loss(loss())))
    return cases


def _with_loss(loss: AnyLoss) -> Experiment:
    if loss.task == "regression":
        hills = GaussRegression(n_points=100)
        return spiral(data=hills, model=stack(linear(8), "Tanh", linear(1)), loss=loss, budget=BUDGET)
    if isinstance(loss, BinaryCrossEntropy):
        return spiral(model=stack(linear(8), "Tanh", linear(1)), loss=loss, budget=BUDGET)
    return cnn(loss=loss)


def presets() -> list[Case]:
    """Every model preset on small data that it fits, but the one that is wrong as printed and refused by training."""
    data = (Circle(n_points=100), FEW, RenderedDigits(**SMALLER), Sentiment(**SMALLER))
    cases = []
    for preset in PRESETS:
        if preset.name == "cnn-32-64-printed":
            continue
        fitting = next(one for one in data if preset.fits(one.profile().input_shape, one.profile().n_tokens))
        profile = fitting.profile()
        n_tokens = profile.n_tokens
        model = preset.model(profile.n_classes, n_tokens) if n_tokens else preset.model(profile.n_classes)
        experiment = Experiment(data=fitting, model=model, lanes=(Lane(optimizer=Adam(lr=0.003)),), device="cpu")
        steps = 3 if "1000" in preset.name else 6
        cases.append(Case(f"preset-{preset.name}", experiment.but(batch_size=16, budget=Budget(epochs=None, steps=steps))))
    return cases


def examples() -> list[Case]:
    """Every ready example but real MNIST, whose model on rendered digits is another one of them."""
    cases = []
    for example in EXAMPLES:
        made = example.make().but(device="cpu", budget=BUDGET)
        if example.name == "mnist":
            continue
        if example.name in MANY:
            made = made.but(data=made.data.but(**SMALLER))
        cases.append(Case(f"example-{example.name}", made, series=13 if example.name == "race" else 0))
    return cases


def special() -> list[Case]:
    """What is not on a Menu: parts of a batch, number formats, frozen layers, early ends, changes, several things at once."""
    every = tuple(cls() for cls in choices(AnyRegularizer))
    held = (L1(strength=0.01), L2(strength=0.01), ClipNorm(limit=0.5), WeightDecay(strength=0.1), MaxNorm(limit=1.0))
    several = cnn(augmentation=tuple(cls() for cls in choices(AnyAugmentation)), accumulation=3, lane={"regularizers": every})
    colours = {"data": KnownEvidence(**SMALLER), "model": stack(("Conv2d", {"out_channels": 2}), "Flatten", linear(4))}
    light = [cls(hue=0.2) for cls in choices(AnyAugmentation) if cls.kind_name() == "color_jitter"]
    norm = stack(("Conv2d", {"out_channels": 4}), "BatchNorm2d", "ReLU", ("Dropout2d", {"p": 0.3}), "Flatten", linear(10))
    ends = Budget(epochs=3, target_accuracy=0.3, patience=1)
    found = {
        "everything": several,
        "colours": cnn(augmentation=tuple(light), **colours),
        "bfloat16": cnn(precision="bfloat16"),
        "parts": cnn(accumulation=5),
        "smoothed": cnn(loss=CrossEntropy(label_smoothing=0.1)),
        "full-batch": cnn(batch_size="full", budget=Budget(epochs=None, steps=3)),
        "lbfgs-held-back": cnn(LBFGS(max_iter=3), lane={"regularizers": held}, budget=Budget(epochs=None, steps=5)),
        "frozen": cnn(model=norm, frozen=(0, 1, 3)),
        "pca": cnn(data=Digits(preparation=Preparation(pca=5)), model=stack(linear(10))),
        "early-end": cnn(budget=ends),
        "patience": cnn(SGD(lr=5.0), budget=Budget(epochs=8, patience=1)),
        "diverging": spiral("sgd", 10.0, model=stack(linear(8), "ReLU", linear(8), linear(2)), lanes=_wild(), budget=BUDGET),
        "plateau": spiral(lanes=(Lane(optimizer=Adam(lr=0.05), schedule=QUICK["plateau"], regularizers=(WeightAverage(),)),)),
        "large": cnn(model=stack("Flatten", linear(128), "ReLU", ("Dropout", {"p": 0.2}), linear(10))),
    }
    return [Case(f"special-{name}", experiment) for name, experiment in found.items()] + changed()


def _wild() -> tuple[Lane, ...]:
    return (Lane(optimizer=SGD(lr=10.0, momentum=0.99)),)


def changed() -> list[Case]:
    """Changes by hand of all kinds, seen from several lanes."""
    first = Lane(optimizer=Adam(lr=0.01), regularizers=(ClipNorm(limit=0.5),), schedule=Cosine())
    second = Lane(optimizer=SGD(lr=0.1, momentum=0.5))
    fork = Lane(optimizer=Adam(lr=0.02, beta1=0.5), schedule=QUICK["step"], regularizers=(WeightAverage(decay=0.5), L1()))
    changes = (
        HyperChange(after_step=2, lane=0, name="lr", value=0.05),
        HyperChange(after_step=2, lane=0, name="beta2", value=0.9),
        HyperChange(after_step=3, lane=0, name="clip_norm.limit", value=0.1),
        LaneAddition(after_step=4, definition=fork, fork_of=0),
        LaneAddition(after_step=5, definition=Lane(optimizer=Lion(lr=0.001)), fork_of=-1),
        LaneAddition(after_step=6, definition=Lane(optimizer=Adam(lr=0.03), schedule=QUICK["plateau"]), fork_of=2),
        OptimizerSwap(after_step=7, lane=1, optimizer=LBFGS(max_iter=2)),
        HyperChange(after_step=8, lane=2, name="lr", value=0.001),
        LaneRemoval(after_step=9, lane=3),
        OptimizerSwap(after_step=9, lane=1, optimizer=GradientDescent()),
        OptimizerSwap(after_step=10, lane=1, optimizer=SGD(momentum=0.9)),
    )
    experiment = cnn(changes=changes).but(lanes=(first, second), repeats=2)
    return [Case(f"changed-{series}", experiment, series) for series in (0, 3, 4, 7, 9)]


def at_random(n: int) -> list[Case]:
    """Experiments drawn from the Menus that training accepts; equal each time."""
    return list(islice(_drawn(random.Random(6)), n))


def _drawn(rng: random.Random):
    number = 0
    while True:
        number += 1
        data, model = _data_and_model(rng)
        task = "regression" if data.profile().task == "regression" else "classification"
        losses = [cls for cls in choices(AnyLoss) if cls.task == task and cls is not BinaryCrossEntropy]
        try:
            experiment = Experiment(
                data=data,
                model=model,
                loss=rng.choice(losses)(),
                lanes=tuple(_lane(rng) for _ in range(rng.choice((1, 1, 2)))),
                repeats=rng.choice((1, 1, 2)),
                augmentation=_augmentation(rng) if data.profile().modality == "image" else (),
                batch_size=rng.choice((7, 16, 32)),
                accumulation=rng.choice((1, 1, 3)),
                precision=rng.choice(("float32", "float32", "float32", "bfloat16")),
                frozen=rng.choice(((), (), (0,))),
                budget=rng.choice((BUDGET, Budget(epochs=2, steps=9))),
                seed=rng.randrange(1000),
                device="cpu",
            )
            checked(experiment, Settings())
        except (LayerwiseError, ValueError):
            continue
        yield Case(f"random-{number}", experiment, rng.randrange(len(experiment.series())))


def _lane(rng: random.Random) -> Lane:
    kinds = [cls for cls in choices(AnyOptimizer) if not cls.needs_whole_split]
    regularizers = tuple(cls() for cls in choices(AnyRegularizer) if rng.random() < 0.25)
    schedule = rng.choice([Constant(), *QUICK.values(), *(cls() for cls in choices(AnySchedule))])
    optimizer = rng.choice(kinds)()
    return Lane(
        optimizer=optimizer.but(lr=optimizer.lr * rng.choice((0.5, 1, 2))), schedule=schedule, regularizers=regularizers
    )


def _augmentation(rng: random.Random):
    return tuple(cls() for cls in choices(AnyAugmentation) if rng.random() < 0.15)


def _data_and_model(rng: random.Random) -> tuple[AnyDataset, ModelSpec]:
    activation = rng.choice(("ReLU", "Tanh", "GELU", "PReLU", "SiLU"))
    norm = rng.choice(((), ("BatchNorm1d",), ("LayerNorm",)))
    drop = rng.choice(((), (("Dropout", {"p": 0.3}),)))
    flat = (linear(rng.choice((8, 40))), *norm, activation, *drop)
    maps = (("Conv2d", {"out_channels": rng.choice((2, 5))}), *rng.choice(((), ("BatchNorm2d",))), activation, "MaxPool2d")
    rows = (("Embedding", {"num_embeddings": 128}), rng.choice(("LSTM", "GRU", "RNN")), *drop)
    kinds = (
        (Moons(n_points=120), (*flat, linear(2))),
        (Iris(), (*flat, linear(3))),
        (BreastCancer(), (*flat, *flat, linear(2))),
        (Diabetes(), (*flat, linear(1))),
        (FEW, (*maps, "Flatten", *flat, linear(10))),
        (FEW, (*maps, "Flatten", linear(10))),
        (Sentiment(**SMALLER), (*rows, linear(2))),
    )
    data, layers = rng.choice(kinds)
    return data, stack(*layers)
