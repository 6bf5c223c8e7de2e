"""The rules of the training doctor about curves: batch losses with their noise, and the figures of epochs.

"Guessing" is the best answer that does not look at the inputs: the entropy of the classes for cross-entropy. Thresholds as in
health_rules.py: measured on the ready experiments and on constructed cases on 2026-11-27.
"""

import math
from functools import partial
from itertools import pairwise

from core.training import health_remedies as remedies
from core.training.health_case import MIN_STEPS, Case, Epoch, Finding
from core.training.health_rules import LAYER_RULES, SMALL_STEP, Rule, largest_step

WILD, JUMP = 0.05, 0.45
"""Largest step over weights so far: above what a healthy run settles to, and a jump that throws a network off its start
(the ready experiments: at most 0.06, in the first step of Adam; SGD with rate 0.3 and batches of 10 gets below guessing on
the spirals with 0.34)."""
SIGMAS = 4.0
"""Standard errors by which means of batch losses must differ to differ."""
GENTLE = 3e-4
"""Median step over weights below which a straight slope means a low rate. Healthy while the loss is high: 1e-3 and more."""
UNHEARD_EPOCHS, STUCK_EPOCHS, FLAT_EPOCHS = 4, 5, 8
UNHEARD_STEPS, STUCK_STEPS = 500, 1_000
"""Steps without an answer of some class; and at guessing, before inputs are said to tell nothing: three sigmoids on the spirals
wait for 200 steps before they learn."""
MIN_VALIDATION = 50
"""Fewer examples say too little of whether validation is better than guessing."""
LAYER_ILLS = frozenset(code for code, _, _ in LAYER_RULES)
ILLS = LAYER_ILLS | {"learning-rate-too-high", "learning-rate-too-low"}
"""Codes that explain a curve by themselves."""
GAP = 0.1
"""Training accuracy (or R²) ahead of validation by so much: over-fitting costs something. Healthy: at most 0.05."""


def rate_too_high(case: Case) -> Finding | None:
    """The loss is no better than guessing after steps that were too large, or it rises again."""
    if len(case.curve) < MIN_STEPS:
        return None
    *before, now = case.curve.parts(5)
    margin = SIGMAS * now.error
    is_falling = now.mean + margin < 0.98 * before[-1].mean
    is_guessing = not case.epochs or case.epochs[-1].train_loss > 0.98 * case.guess
    is_lost = is_guessing and now.mean > 0.98 * case.guess and case.largest_update > JUMP
    is_worse = now.mean > 1.05 * case.guess + margin and case.largest_update > WILD
    best = min(before, key=lambda one: one.mean)
    is_rising = now.mean > 1.5 * best.mean + margin + SIGMAS * best.error and now.mean > 0.5 * case.guess
    lr = case.series.rate(max(1, case.step))
    if is_rising and case.largest_update > 1e-3:
        return Finding(
            "warning",
            f"The loss rises: its mean over the last {now.n:,} steps is {now.mean:.3g}, and it was {best.mean:.3g} before "
            f"(guessing gives {case.guess:.3g}). The learning rate {lr:.3g} is too high.",
            "Take a smaller learning rate.",
            remedy=partial(remedies.other_rate, case.experiment, case.lane, 1 / 3),
        )
    if is_falling or not (is_lost or is_worse):
        return None
    return Finding(
        "warning",
        f"The loss stays at {now.mean:.3g}, no better than guessing ({case.guess:.3g}), after single steps that changed a "
        f"layer by up to {case.largest_update:.0%}: the learning rate {lr:.3g} is too high.",
        "Start again with a smaller learning rate: weights that were thrown so far seldom come back.",
        remedy=partial(remedies.fresh_rate, case.experiment, case.lane, 0.1),
    )


def rate_too_low(case: Case) -> Finding | None:
    """The loss falls in a straight line, by tiny steps, and will not arrive within the budget."""
    n = len(case.curve)
    if n < 3 * MIN_STEPS or not case.looks or case.open & (LAYER_ILLS - {"exploding-gradients"}):
        return None
    ratios = sorted(layer.update_ratio for layer in case.vitals.weighted if math.isfinite(layer.update_ratio))
    if not ratios or ratios[len(ratios) // 2] >= GENTLE:
        return None
    course = _course(case)
    if course is None:
        return None
    first, middle, last = course
    if middle - last < 0.6 * (first - middle) or last < 0.6 * case.guess:
        return None
    total = case.series.clock.total_steps
    left = max(0, total - case.step) if total else n
    end = last - (first - last) * left / n
    if end < 0.5 * case.guess:
        return None
    return Finding(
        "warning",
        f"The loss falls steadily but slowly, from {first:.4g} to {last:.4g} in {n:,} steps, with single steps of "
        f"{ratios[len(ratios) // 2]:.1e} of the weights. At this pace it ends at {end:.3g}.",
        "Take a larger learning rate.",
        remedy=partial(remedies.other_rate, case.experiment, case.lane, 3),
    )


def _course(case: Case) -> tuple[float, float, float] | None:
    """The loss at the beginning, half-way and now, where it falls steadily beyond its noise; else nothing.

    The figures of epochs are on a fixed sample, with no noise of batches; these alone are asked while there are few of them.
    """
    losses = [epoch.train_loss for epoch in case.epochs]
    if len(losses) >= FLAT_EPOCHS:
        return (losses[0], losses[len(losses) // 2], losses[-1]) if _is_falling(losses) else None
    first, middle, last = case.curve.parts(3)
    noise = SIGMAS * math.hypot(middle.error, last.error)
    is_clear = min(first.mean - middle.mean, middle.mean - last.mean) > noise
    return (first.mean, middle.mean, last.mean) if is_clear else None


def _is_falling(losses: list[float]) -> bool:
    """Whether nearly every epoch was better than the one before; on a plateau about every other is."""
    falls = [after < before for before, after in pairwise(losses)]
    return sum(falls) >= 0.8 * len(falls)


def over_fitting(case: Case) -> Finding | None:
    """Validation has turned upwards for good, while training goes on falling. Prechelt 1998, "Early stopping - but when?"."""
    last, then = case.last_epochs(3), case.best
    if not last or then is None or "labels-like-noise" in case.told:
        return None
    if len([one for one in case.epochs if one.number > then.number]) < 5 or len(case.epochs) < 8:
        return None
    train, validation = _mean(last, "train_loss"), _mean(last, "validation_loss")
    if validation < 0.1 * case.guess:
        return None
    if min(one.validation_loss for one in last) < 1.2 * then.validation_loss or train > 0.7 * then.train_loss:
        return None
    gap = _mean(last, "train_accuracy") - _mean(last, "validation_accuracy")
    share = min(0.99, max(0.01, _mean(last, "validation_accuracy")))
    noise = 3 * math.sqrt(share * (1 - share) / case.n_validation) if case.is_classification else 0.0
    word = "accuracy" if case.is_classification else "R²"
    is_costly = gap > max(GAP, noise)
    return Finding(
        "warning" if is_costly else "info",
        f"Over-fitting: since epoch {then.number:,} the validation loss has risen from {then.validation_loss:.3g} to "
        f"{validation:.3g}, while the training loss fell from {then.train_loss:.3g} to {train:.3g}. The {word} in training is "
        f"{gap:.3f} ahead.",
        "More data, dropout or weight decay help, or stopping at the best epoch."
        if is_costly
        else "The answers are about as right as before, but too sure of themselves. Stopping at the best epoch would do.",
        remedy=partial(remedies.less_memory, case.experiment),
    )


def plateau(case: Case) -> Finding | None:
    """No gain in training for many epochs, though there is something left. As ReduceLROnPlateau sees it, with 1 %."""
    if len(case.looks) < 3 or largest_step(case) < SMALL_STEP:  # a rate that is too low is no plateau
        return None
    last = case.last_epochs(FLAT_EPOCHS)
    older = case.epochs[: -len(last)]
    if not last or len(older) < len(last) or case.told & (ILLS | {"labels-like-noise", "one-class-only"}):
        return None
    before, now = (min(one.train_loss for one in epochs) for epochs in (older, last))
    if now < 0.99 * before or now < 0.1 * case.guess or _is_falling([one.train_loss for one in last]):
        return None
    return Finding(
        "info",
        f"A plateau: the training loss has not fallen by 1 % since epoch {older[-1].number:,}. It stands at {now:.3g}; "
        f"guessing gives {case.guess:.3g}.",
        "A smaller learning rate often finds a way down from here; if not, this model can do no better on these data.",
        remedy=partial(remedies.other_rate, case.experiment, case.lane, 1 / 3),
    )


def one_class_only(case: Case) -> Finding | None:
    """Whatever comes in, the answer is one class."""
    asked = case.last_epochs(UNHEARD_EPOCHS, UNHEARD_STEPS, is_heard=True)
    if not asked or case.told & ILLS or not all(one.only for one in asked):
        return None
    last = asked[-1]
    return Finding(
        "warning",
        f"Every example is given the class “{last.only}”: the training accuracy is {last.train_accuracy:.1%}, and always "
        f"saying the most frequent class gives {case.majority:.1%}.",
        "Look at the balance of the classes on the Data screen, at the scale of the inputs, and at the other findings here.",
        remedy=partial(remedies.first, partial(remedies.scaled_inputs, case.experiment), partial(_balanced, case)),
    )


def class_never_predicted(case: Case) -> Finding | None:
    """Some classes are never the answer, though they are there."""
    asked = case.last_epochs(UNHEARD_EPOCHS, UNHEARD_STEPS, is_heard=True)
    if case.told & ILLS:
        return None
    missing = set.intersection(*(set(one.unheard) for one in asked)) if asked else set()
    if not missing or asked[-1].only:
        return None
    names = sorted(missing)
    shown = ", ".join(f"“{name}”" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Finding(
        "warning",
        f"Since epoch {asked[0].number:,} no example has been given the class{'es' if len(names) > 1 else ''} {shown}, though "
        "the training data have them.",
        "Look at these examples on the Data screen: are they rare, or like those of another class?",
        remedy=partial(_balanced, case),
    )


def labels_like_noise(case: Case) -> Finding | None:
    """Nothing is learned that holds: training stays at guessing, or learns by heart what validation does not know.

    Zhang et al. 2017, "Understanding deep learning requires rethinking generalization", section 2: networks fit random labels.
    """
    last = case.last_epochs(STUCK_EPOCHS, STUCK_STEPS)
    if not last or case.told & ILLS:
        return None
    if all(abs(one.train_loss / case.guess - 1) < 0.02 for one in last):
        message = (
            f"The training loss stays at {last[-1].train_loss:.4g}, which guessing gives too ({case.guess:.4g}), though the "
        )
        message += "weights move as they should: the inputs seem to say nothing about the labels."
    elif all(_is_by_heart(case, one) for one in last):
        message = f"The training data are learned by heart: their loss is {last[-1].train_loss:.3g}, while validation "
        message += f"({last[-1].validation_loss:.3g}) is no better than guessing ({case.guess:.3g})."
    else:
        return None
    hint = "Check on the Data screen that inputs and labels belong together, and were not shuffled apart."
    return Finding("warning", message, hint, remedy=partial(remedies.true_labels, case.experiment))


def _is_by_heart(case: Case, one: Epoch) -> bool:
    """Much better than guessing in training, no better in validation."""
    chance = case.majority if case.is_classification else 0.0
    noise = 3 * math.sqrt(chance * (1 - chance) / case.n_validation) if case.is_classification else 0.0
    is_learned = one.train_loss < 0.7 * case.guess and case.n_validation >= MIN_VALIDATION
    return is_learned and one.validation_loss > case.guess and one.validation_accuracy <= chance + noise


def _balanced(case: Case) -> remedies.Remedy:
    """More attention to rare classes, where there are some."""
    is_uneven = case.majority > 1.5 / case.experiment.data.profile().n_classes
    return remedies.attention_to_the_rare(case.experiment) if is_uneven else remedies.NONE


def _mean(epochs: list[Epoch], name: str) -> float:
    return float(sum(getattr(one, name) for one in epochs) / len(epochs))


RATE_RULES: tuple[tuple[str, int, Rule], ...] = (
    ("learning-rate-too-high", 2, rate_too_high),
    ("learning-rate-too-low", 2, rate_too_low),
)
"""Asked at every look, as they need the size of the steps."""
EPOCH_RULES: tuple[tuple[str, int, Rule], ...] = (
    ("one-class-only", 1, one_class_only),
    ("class-never-predicted", 1, class_never_predicted),
    ("labels-like-noise", 1, labels_like_noise),
    ("over-fitting", 2, over_fitting),
    ("plateau", 1, plateau),
)
"""Asked at the end of every epoch."""
