"""What a compression will do and what came of it, in sentences and as a table."""

import math
from typing import Any

import numpy as np

from core.compression.choice import Plan
from core.jobs.compress import CompressJob
from core.models.model import layer_name
from core.results.compression import CompressionReport
from dashboard.text import _, counted, size_words

NUMBER_FORMATS = ("int8_dynamic", "int8_static", "half")
LONGER = 1.5
"""From here on a ratio of times is said as `2 times as long`."""
SINGLE = ("magnitude", "random")


def plan_words(job: CompressJob, plan: Plan) -> list[str]:
    """Which layers become smaller, and which are left alone and why."""
    layers, smaller = job.experiment.model.layers, plan.model.layers
    if job.compression.kind == "distillation":
        return []
    said = []
    taken_out = {first for first, _kept, _n in plan.removed}
    if plan.removed:
        words = _("{layer} keeps {kept} of {n}")
        each = (words.format(layer=layer_name(layers, (first,)), kept=kept, n=n) for first, kept, n in plan.removed)
        said.append(_("Taken out: {layers}.").format(layers=", ".join(each)))
    others = [layer_name(smaller, path) for path in plan.treated if len(path) > 1 or path[0] not in taken_out]
    if others and job.compression.kind == "structured":
        words = _("Masked only, since what follows cannot do without their units: {layers}.")
        said.append(words.format(layers=", ".join(others)))
    elif others:
        said.append(_("Treats {layers}.").format(layers=", ".join(others)))
    if plan.left:
        each = (f"{layer_name(smaller, path)} ({_(reason)})" for path, reason in plan.left)
        said.append(_("Left alone: {layers}.").format(layers="; ".join(each)))
    return said


def headline(report: CompressionReport) -> str:
    """What was won, and what it cost."""
    before, after = report.median_s(report.batches[-1])
    words = _("The file has {size} of its former size, {n} at once take {time}, and {score}.")
    return words.format(
        size=f"{report.size_bytes[1] / report.size_bytes[0]:.0%}",
        n=counted("{n} example", "{n} examples", report.batches[-1]),
        time=_time_words(after / before),
        score=_score_words(report),
    )


def _time_words(ratio: float) -> str:
    if ratio >= LONGER:
        return _("{n:.2g} times as long").format(n=ratio)
    return _("{share:.0%} of the time").format(share=ratio)


def _score_words(report: CompressionReport) -> str:
    before, after = report.score[:, 0]
    if not report.is_accuracy:
        return _("R² is {after:.3f}, it was {before:.3f}").format(before=before, after=after)
    if before == after:
        return _("the accuracy stays at {before:.1%}").format(before=before)
    return _("the accuracy is {after:.1%}, it was {before:.1%}").format(before=before, after=after)


def change_words(report: CompressionReport) -> str:
    """Whether the change of accuracy is more than noise; empty for regression."""
    change, low, high = report.change
    if math.isnan(change):
        return ""
    if change == low == high == 0:
        return _("Both are right and wrong on the same {n:,} examples.").format(n=report.n_examples)
    spread = _("{low:+.1f} to {high:+.1f}").format(low=100 * low, high=100 * high)
    if low <= 0 <= high:
        words = _(
            "Over the same {n:,} examples the accuracy changes by {spread} percentage points (95 % interval): within the noise."
        )
    else:
        words = _(
            "Over the same {n:,} examples the accuracy changes by {spread} percentage points (95 % interval): more than noise."
        )
    return words.format(n=report.n_examples, spread=spread)


def agreement_words(report: CompressionReport) -> str:
    """How often both say the same."""
    if math.isnan(report.agreement):
        words = _("Predicted numbers differ by {difference:.3g} on average, in units of the target.")
        return words.format(difference=report.difference)
    words = _(
        "Both predict the same class in {share:.1%} of the examples; probabilities differ by {difference:.2g} on average."
    )
    return words.format(share=report.agreement, difference=report.difference)


def honest_words(report: CompressionReport) -> list[str]:
    """What the numbers do not say by themselves."""
    said = []
    if report.kind in SINGLE:
        said.append(
            _(
                "Zeros alone make a dense file no smaller and its answers no faster: only a zip, a sparse format or special "
                "hardware gains by them."
            )
        )
    if report.kind in NUMBER_FORMATS:
        said.append(_shown_words(report))
    before, after = report.median_s(report.batches[-1])
    if report.kind == "half" and after > before:
        words = _(
            "This processor has no fast arithmetic in this format: the file is smaller, and answers are faster elsewhere."
        )
        said.append(words)
    if report.kind == "int8_dynamic":
        said.append(_("The range of the inputs is measured in every batch, so that an answer depends a little on its batch."))
    said += [_(note) for note in report.notes]
    said.append(
        _(
            "Times are from this machine, on one thread, both models taking turns: the median, with the quartiles in brackets. "
            "Small models spend most of it on calls, not on arithmetic."
        )
    )
    return said


def _shown_words(report: CompressionReport) -> str:
    """How well the float model that the other screens look at stands for the one that runs."""
    words = _(
        "The other screens look at a float model with exactly these rounded weights; the inputs of its layers are not rounded."
    )
    if math.isnan(report.shown_agreement):
        more = _("It differs from what is measured here by {difference:.2g} on average.")
        return f"{words} {more.format(difference=report.shown_difference)}"
    more = _("It predicts the same class as what is measured here in {share:.1%} of the examples.")
    return f"{words} {more.format(share=report.shown_agreement)}"


def cost_table(report: CompressionReport) -> dict[str, list[str]]:
    """Original beside compressed, each figure a row."""
    counts = {
        _("parameters"): report.parameters,
        _("parameters that are not zero"): report.nonzero,
        _("multiply-adds per example"): report.multiply_adds,
        _("multiply-adds with weights that are not zero"): report.useful_multiply_adds,
    }
    rows = [
        (_("accuracy") if report.is_accuracy else _("R²"), *map(_score(report), report.score), ""),
        (_("file (safetensors)"), *_pair(report.size_bytes, size_words)),
        (_("file, zipped"), *_pair(report.zipped_bytes, size_words)),
        *((name, *_pair(pair, "{:,}".format)) for name, pair in counts.items()),
        *((_("time, {n} at once").format(n=batch), *_times(report.quartiles_s(batch))) for batch in report.batches),
    ]
    heads = (_("what"), _("original"), _("compressed"), _("share"))
    return {head: [row[place] for row in rows] for place, head in enumerate(heads)}


def cost_numbers(report: CompressionReport) -> dict[str, list[Any]]:
    """The same in full precision, for a file; times in seconds."""
    figures: dict[str, Any] = {
        "accuracy" if report.is_accuracy else "r2": report.score[:, 0],
        "score_low": report.score[:, 1],
        "score_high": report.score[:, 2],
        "file_bytes": report.size_bytes,
        "zipped_bytes": report.zipped_bytes,
        "parameters": report.parameters,
        "nonzero_parameters": report.nonzero,
        "multiply_adds": report.multiply_adds,
        "useful_multiply_adds": report.useful_multiply_adds,
    }
    figures |= {f"median_s_batch_{batch}": report.median_s(batch) for batch in report.batches}
    rows = {name: [float(value) for value in pair] for name, pair in figures.items()}
    return {
        "figure": list(rows),
        "original": [pair[0] for pair in rows.values()],
        "compressed": [pair[1] for pair in rows.values()],
    }


def _pair(values: Any, said: Any) -> tuple[str, str, str]:
    before, after = (int(value) for value in values)
    return said(before), said(after), f"{after / before:.0%}" if before else ""


def _score(report: CompressionReport) -> Any:
    form = "{:.1%}" if report.is_accuracy else "{:.3f}"
    return lambda row: f"{form.format(row[0])} ({form.format(row[1])} … {form.format(row[2])})"


def _times(quartiles_s: np.ndarray) -> tuple[str, str, str]:
    low, middle, high = 1e3 * quartiles_s
    said = [f"{m:.3g} ms ({a:.3g} … {b:.3g})" for a, m, b in zip(low, middle, high, strict=True)]
    return said[0], said[1], f"{middle[1] / middle[0]:.0%}"
