"""What the loss landscape says, in words, and its numbers as text files."""

import io

import numpy as np
import streamlit as st

from core.results.landscape import LossLine, LossSurface
from dashboard.text import _

RISES = "landscape.rises"
"""What was found about sharpness in this session: question -> {step: rise}."""
ALIKE = 0.1
"""Rises that differ by less than this share are called alike."""


def surface_words(surface: LossSurface) -> list[str]:
    """What is in the middle, what the plane is, and what to be careful of: a paragraph each."""
    right = abs(surface.angle - 90) < 0.05
    return [
        _("In the middle: loss {loss:.4g} {unit}, {score}, over {n:,} {split} examples.").format(
            loss=surface.centre_loss,
            unit=_(surface.unit),
            score=_score(surface.is_classification, surface.centre_score),
            n=surface.n_examples,
            split=_("training") if surface.split == "train" else _("validation"),
        ),
        _(
            "Two random directions (seed {seed}) through the weights {moment}: at 1, each of the {filters:,} filters has moved "
            "by as much as its own norm. They are {angle}. Biases, and scales and shifts of normalisations, stay."
        ).format(
            seed=surface.seed,
            moment=_after(surface.step),
            filters=surface.n_filters,
            angle=_("at a right angle") if right else _("at {angle:.0f}° to each other").format(angle=surface.angle),
        ),
        _(
            "Every moment is cut along the same random numbers, so that moments compare; another seed cuts the {n:,} "
            "dimensions elsewhere."
        ).format(n=surface.n_parameters),
        _treatment(surface.is_recomputed),
    ]


def sharpness_words(surface: LossSurface, known: dict[int, float]) -> str:
    """How much the loss rises around the weights, held against another moment where that was looked at."""
    if not np.isfinite(surface.rise):
        return _("Within {radius} filter norms the loss stops being a finite number.").format(radius=surface.radius)
    words = _("Sharpness: {radius} filter norms from the weights the loss is {rise}, on average over {n} places.").format(
        radius=surface.radius, rise=_rise(surface.rise, surface.unit), n=len(surface.ring)
    )
    others = [step for step in known if step != surface.step]
    if not others:
        return words
    other = min(others, key=lambda step: (step > surface.step, abs(step - surface.step)))  # the one before it, if there is one
    before = known[other]
    if abs(surface.rise - before) <= ALIKE * max(abs(surface.rise), abs(before)):
        judgement = _("about as sharp as {moment} ({rise:.3g}).")
    else:
        judgement = (
            _("sharper than {moment} ({rise:.3g}).") if surface.rise > before else _("flatter than {moment} ({rise:.3g}).")
        )
    return f"{words} {_('That is')} {judgement.format(moment=_after(other), rise=before)}"


def _rise(rise: float, unit: str) -> str:
    words = _("{rise:.3g} {unit} higher") if rise >= 0 else _("{rise:.3g} {unit} lower")
    return words.format(rise=abs(rise), unit=_(unit))


def remember(surface: LossSurface, question: str) -> dict[int, float]:
    """Keep how sharp this moment is; what is known of all moments under the same question."""
    known: dict[int, float] = st.session_state.setdefault(RISES, {}).setdefault(question, {})
    if np.isfinite(surface.rise):
        known[surface.step] = surface.rise
    return known


def line_words(line: LossLine) -> str:
    """What the line is, and what is seen on it."""
    over = _("Losses are means over {n:,} training and {m:,} validation examples.").format(n=line.n_train, m=line.n_validation)
    return " ".join([*(_random(line) if line.kind == "random" else _way(line)), over, _treatment(line.is_recomputed)])


def _random(line: LossLine) -> list[str]:
    return [
        _(
            "A random direction (seed {seed}) through the weights {moment}: at 1, every filter has moved by as much as its own "
            "norm ({length:.3g} in L2 for {moved:,} weights together). Biases, and scales and shifts of normalisations, stay."
        ).format(seed=line.seed, moment=_after(line.step), length=line.length, moved=line.n_moved)
    ]


def _way(line: LossLine) -> list[str]:
    between = line.train_loss[(line.at >= 0) & (line.at <= 1)]
    ends = max(between[0], between[-1])
    hill = float(np.nanmax(between)) - ends
    words = [
        _(
            "The straight line from the initial weights (0) to those {moment} (1), {length:.3g} apart in L2, and half as far "
            "beyond both. Training itself hardly ever goes straight."
        ).format(moment=_after(line.step), length=line.length)
    ]
    if hill > 0.01 * abs(ends):
        words.append(
            _("Between them lies a hill: the training loss is up to {hill:.3g} {unit} above the higher end.").format(
                hill=hill, unit=_(line.unit)
            )
        )
    elif np.all(np.diff(between) <= 1e-3 * abs(ends)):
        words.append(_("The training loss falls all the way: no hill lies between them."))
    else:
        words.append(_("No hill between them is higher than the ends."))
    return words


def _after(step: int) -> str:
    return _("after step {n:,}").format(n=step) if step else _("before training")


def _score(is_classification: bool, value: float) -> str:
    return _("accuracy {share:.1%}").format(share=value) if is_classification else f"R² {value:.3g}"


def _treatment(is_recomputed: bool) -> str:
    words = _("Without dropout, and without the penalties of regularizers.")
    if is_recomputed:
        words += " " + _(
            "Batch normalisation takes its mean and variance from these examples, at every place anew, so that the loss in the "
            "middle may differ a little from the one of the curves."
        )
    return words


def surface_table(surface: LossSurface) -> str:
    """The plane as CSV text, a row per place."""
    out = io.StringIO()
    out.write(f"direction_1,direction_2,loss,{_column(surface.is_classification)}\n")
    for row, column in np.ndindex(surface.loss.shape):
        numbers = (surface.axis[column], surface.axis[row], surface.loss[row, column], surface.score[row, column])
        out.write(",".join(repr(float(number)) for number in numbers) + "\n")
    return out.getvalue()


def line_table(line: LossLine) -> str:
    """The line as CSV text, a row per place."""
    name = _column(line.is_classification)
    out = io.StringIO()
    out.write(f"place,train_loss,validation_loss,train_{name},validation_{name}\n")
    columns = (line.at, line.train_loss, line.validation_loss, line.train_score, line.validation_score)
    for numbers in zip(*columns, strict=True):
        out.write(",".join(repr(float(number)) for number in numbers) + "\n")
    return out.getvalue()


def _column(is_classification: bool) -> str:
    return "accuracy" if is_classification else "r2"
