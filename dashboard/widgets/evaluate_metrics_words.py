"""The figures in words: what each is called, what it means, and what is special about these."""

import math
from collections.abc import Sequence

from core.results.evaluation import Evaluation, NumberEvaluation
from dashboard.text import _, counted

SHARES = ("accuracy", "balanced_accuracy", "top_3", "top_5", "ece")
"""Told in per cent."""
NAMED = 5
"""Classes that a sentence names, at most."""
FEW = 30


def label(name: str) -> str:
    """What a figure is called."""
    averages = {"micro": _("micro"), "macro": _("macro"), "weighted": _("weighted")}
    scores = {"precision": _("Precision"), "recall": _("Recall"), "f1": _("F1")}
    score, _underscore, average = name.partition("_")
    if average in averages and score in scores:
        return f"{scores[score]}, {averages[average]}"
    return {
        "accuracy": _("Accuracy"),
        "top_3": _("Among the top 3"),
        "top_5": _("Among the top 5"),
        "balanced_accuracy": _("Balanced accuracy"),
        "mcc": _("Matthews correlation"),
        "auc": _("ROC AUC"),
        "average_precision": _("Average precision"),
        "log_loss": _("Log loss (nats)"),
        "brier": _("Brier score"),
        "ece": _("Calibration error"),
        "mae": _("Mean absolute error"),
        "rmse": _("Root mean square error"),
        "r2": _("R²"),
        "median_error": _("Median absolute error"),
        "bias": _("Bias (predicted − true)"),
    }[name]


def meaning(name: str) -> str:
    """What a figure says, and where its scale begins and ends."""
    return {
        "accuracy": _("Share of the examples whose most probable class is the right one."),
        "top_3": _("Share of the examples whose class is among the three most probable ones."),
        "top_5": _("Share of the examples whose class is among the five most probable ones."),
        "balanced_accuracy": _("Mean over classes of the share that is found: rare classes count as much as frequent ones."),
        "f1_macro": _(
            "Mean over classes of F1, which is high only where precision and recall both are. 1 is best. An undefined "
            "precision counts as 0."
        ),
        "mcc": _("Correlation of what is said and what is true: 1 is perfect, 0 is chance, whatever the balance of classes."),
        "auc": _(
            "The chance that an example of a class gets a higher probability for it than an example of another class, mean "
            "over classes. 0.5 is chance, 1 is perfect."
        ),
        "average_precision": _(
            "Area under the precision-recall curve, mean over classes. Chance gives the share of the class."
        ),
        "log_loss": _("Mean of minus the logarithm of the probability of the true class. 0 is best; certain errors cost most."),
        "brier": _("Squared distance of the probabilities from the truth: 0 is best, 2 is worst (for two classes 1)."),
        "ece": _(
            "How far confidence and accuracy are apart, on the mean over 15 bins. Resampling adds noise to every bin, so that "
            "the interval lies a little too high."
        ),
        "mae": _("How far predictions are off, on the mean."),
        "rmse": _("Root of the mean squared error: as the mean error, but large errors weigh more."),
        "r2": _("Share of the variance that is explained: 1 is perfect, 0 is as good as always saying the mean."),
        "median_error": _("Half of the predictions are off by less."),
        "bias": _("Positive where the model says too much on the mean, negative where it says too little."),
    }.get(name, "")


def value_text(name: str, value: float) -> str:
    """A figure as it is told."""
    if math.isnan(value):
        return "–"
    if name in SHARES:
        return f"{value:.1%}"
    return f"{value:.3f}" if name != "bias" else f"{value:+.4g}"


def number_text(name: str, value: float) -> str:
    """A figure of regression: R² is a pure number, the others are in the target's unit."""
    return value_text(name, value) if name in ("r2", "bias") else "–" if math.isnan(value) else f"{value:.4g}"


def interval_text(found: Evaluation | NumberEvaluation, name: str) -> str:
    """The ends of the interval of a figure."""
    text = value_text if isinstance(found, Evaluation) else number_text
    low, high = found.interval(name)
    if math.isnan(low):
        return _("no interval")
    return _("{low} to {high}").format(low=text(name, low), high=text(name, high))


def resampling_words(found: Evaluation | NumberEvaluation) -> str:
    """How the intervals were made, and what they do not tell."""
    most = int(found.resamples.max())
    if most == 0:
        return _("One example has no interval.") if found.n < 2 else _("No intervals were asked for.")
    words = _("Intervals: 95 %, percentiles of {n:,} resamples of {examples}.").format(
        n=most, examples=counted("the {n} example", "the {n} examples", found.n)
    )
    fewer = [name for name, n in zip(found.names, found.resamples.tolist(), strict=True) if 0 < n < most]
    if fewer:
        least = int(min(n for n in found.resamples.tolist() if n))
        words += " " + _("{names}: {n:,} resamples.").format(names=", ".join(label(one) for one in fewer), n=least)
    without = [name for name, n in zip(found.names, found.resamples.tolist(), strict=True) if n == 0 and name in SLOW]
    if without:
        names = ", ".join(label(one) for one in without)
        words += " " + _("{names}: none, with so many examples and classes that would take too long.").format(names=names)
    return words + " " + _("They say how much other examples of the same kind would change a figure, not another training.")


SLOW = ("auc", "average_precision")


def notes(found: Evaluation) -> list[str]:
    """What is special about these figures, in sentences."""
    said = []
    if found.never_predicted:
        words = (
            _("The model never predicts {names}: its precision is undefined, and counts as 0 in the averages.")
            if len(found.never_predicted) == 1
            else _("The model never predicts {names}: their precision is undefined, and counts as 0 in the averages.")
        )
        said.append(words.format(names=named(found, found.never_predicted)))
    if found.never_there:
        words = (
            _("This split has no example of {names}: its recall and its curves are undefined.")
            if len(found.never_there) == 1
            else _("This split has no example of {names}: their recall and their curves are undefined.")
        )
        said.append(words.format(names=named(found, found.never_there)))
    if found.value("accuracy") == 1:
        said.append(
            _(
                "No example was wrong, so resampling shows no spread. Still, up to {share:.2g} % of other examples may be "
                "(rule of three)."
            ).format(share=min(100.0, 300 / found.n))
        )
    said += few(found.n)
    return said


def few(n: int) -> list[str]:
    """A warning where there are too few examples to say much."""
    if n >= FEW:
        return []
    return [_("These are {n} examples: intervals from so few are too narrow, and every figure may be luck.").format(n=n)]


def named(found: Evaluation, classes: Sequence[int]) -> str:
    """Some classes by name, and how many others."""
    names = ", ".join(f"“{found.class_names[k]}”" for k in classes[:NAMED])
    rest = len(classes) - NAMED
    return names if rest <= 0 else _("{names} and {n} more").format(names=names, n=rest)


def temperature_words(found: Evaluation) -> str:
    """What the temperature says of the model."""
    t = found.temperature
    if found.temperature_note == "flat":
        return _("The model says the same probability for every class: no temperature changes that.")
    if found.temperature_note == "coldest":
        return _(
            "The model is right on every validation example, or nearly: the surer, the better, so T ends at its limit, 0.01."
        )
    if found.temperature_note == "hottest":
        return _(
            "On the validation split, the less sure the model is the better: it is no better than chance there. T ends at its "
            "limit, 100."
        )
    if t > 1.05:
        words = _("T = {t:.2f}: on the validation split the model is too sure of itself.")
    elif t < 0.95:
        words = _("T = {t:.2f}: on the validation split the model could be surer than it is.")
    else:
        words = _("T = {t:.2f}: on the validation split the model is about as sure as it should be.")
    if found.scaled[0] > found.value("log_loss"):
        words += " " + _("On this split scaling does not help: the log loss grows.")
    return words.format(t=t)
