"""The verdict on an explanation in words, and the numbers of every test in lines."""

import numpy as np

from core.results.trust import Doubt, Trust
from dashboard.text import _


def headline(trust: Trust) -> str:
    """The verdict."""
    return {
        "good": _("Trust it: it passed every test."),
        "mixed": _("Trust it in part."),
        "random": _("No better than random: do not trust it."),
    }[trust.verdict]


def doubt_words(trust: Trust) -> list[str]:
    """What speaks against it, a sentence each."""
    reset = dict(zip(trust.layers_reset, trust.reset_spearman, strict=True))
    numbers = {
        "chance": _share(trust.chance),
        "n": trust.n_parts,
        "k": trust.top_k,
        "parts": _parts(trust, trust.top_k),
        "share": _share(trust.residual_share or 0.0),
        "r2": _share(max(0.0, trust.fit_r2 or 0.0)),
        "kept": _mean(trust.stability_overlap),
        "whole": reset.get(trust.n_layers, 0.0),
        "half": reset.get(-(-trust.n_layers // 2), 0.0),
        "others": _(" and ").join(trust.others),
        "agreement": float(np.median(trust.others_spearman)) if trust.others else 0.0,
    }
    words = [_doubts()[doubt].format(**numbers) for doubt in trust.doubts]
    has_lost_sign = not trust.signed and trust.method != "grad_cam"  # which shows what speaks for the answer alone
    if "random_order" in trust.doubts and has_lost_sign:
        words.insert(1, _("It shows size without sign, so that what speaks against the answer counts as important too."))
    return words


def _doubts() -> dict[Doubt, str]:
    return {
        "constant": _("It gives every part the same value, so it says nothing about which one matters."),
        "random_order": _(
            "{chance} of random orders tell as well as it does how the output changes when parts are hidden or shown."
        ),
        "few_parts": _("With fewer than four inputs, no order of them can be told from chance."),
        "untrained": _("It would look the same for an untrained network (rank correlation {whole:.2f})."),
        "half_untrained": _("It hardly changes when the upper half of the layers forgets all (rank correlation {half:.2f})."),
        "poor_fit": _("Its linear model explains only {r2} of what the network does around this example."),
        "residual": _("Its parts miss {share} of the change of the output that they should add up to."),
        "unstable": _("Another seed replaces most of its top {k} {parts} (overlap {kept:.2f})."),
        "disagrees": _("{others} say otherwise (rank correlation {agreement:.2f})."),
        "misses": _("It points elsewhere than at the known evidence. Where the rest is in order, so does the model."),
    }


def strengths(trust: Trust) -> str:
    """What speaks for it, in one sentence; empty when nothing does."""
    words = []
    if trust.n_parts >= 4 and not {"random_order", "constant"} & set(trust.doubts):
        words.append(_("better than {n} of {n_all} random orders").format(n=_beaten(trust), n_all=len(trust.random_gaps)))
    if trust.stability_overlap and "unstable" not in trust.doubts:
        words.append(_("steady over seeds"))
    if trust.layers_reset and trust.n_parts >= 8 and not {"untrained", "half_untrained"} & set(trust.doubts):
        words.append(_("different for untrained weights"))
    if trust.others and trust.n_parts >= 8 and "disagrees" not in trust.doubts:
        words.append(_("in line with {others}").format(others=_(" and ").join(trust.others)))
    if trust.pointing:
        words.append(_("strongest within the known evidence"))
    text = ", ".join(words)
    return text[:1].upper() + text[1:] + "." if text else ""


def number_lines(trust: Trust) -> list[str]:
    """All numbers, a line for each test."""
    lines = [*_curve_lines(trust), *_sum_lines(trust), _seed_line(trust), _weights_line(trust)]
    for other, overlap, ranks in zip(trust.others, trust.others_overlap, trust.others_spearman, strict=True):
        words = _("Against {other}: rank correlation {ranks:.2f}, overlap of the top parts {overlap:.2f}.")
        lines.append(words.format(other=other, ranks=ranks, overlap=overlap))
    return [
        *lines,
        *_evidence_lines(trust),
        _("{n:,} evaluations in {s:.1f} s.").format(n=trust.n_evaluations, s=trust.seconds),
    ]


def _curve_lines(trust: Trust) -> list[str]:
    hidden, shown = (np.trapezoid(curves, trust.shares, axis=1) for curves in (trust.random_deletion, trust.random_insertion))
    words = _(
        "{verb} first what it calls important: mean output {own:.3g} {unit}; {n} random orders: {mean:.3g} ± {spread:.2g}."
    )
    pairs = ((_("Hiding"), trust.deletion, hidden), (_("Showing"), trust.insertion, shown))
    lines = [
        words.format(
            verb=verb,
            own=float(np.trapezoid(curve, trust.shares)),
            unit=trust.unit,
            n=len(areas),
            mean=areas.mean(),
            spread=areas.std(),
        )
        for verb, curve, areas in pairs
    ]
    gap = _(
        "Gap between the two: {gap:.3g} {unit}; {chance} of random orders reach it, itself counted in. Hidden parts: {fill}."
    )
    return [*lines, gap.format(gap=trust.gap, unit=trust.unit, chance=_share(trust.chance), fill=trust.fill)]


def _sum_lines(trust: Trust) -> list[str]:
    lines = []
    if trust.residual is not None:
        words = _("Additivity residual {residual:.1e} {unit}, {share} of the change of the output.")
        share = "?" if trust.residual_share is None else _share(trust.residual_share)
        lines.append(words.format(residual=trust.residual, unit=trust.unit, share=share))
    if trust.fit_r2 is not None:
        lines.append(_("R² of LIME's linear model: {r2:.2f}.").format(r2=trust.fit_r2))
    return lines


def _seed_line(trust: Trust) -> str:
    if not trust.seeds:
        return _("Seeds: there is nothing random in it.")
    words = _("Seeds {seeds}: overlap of the top {k} {parts} {overlap:.2f}, rank correlation {ranks:.2f}.")
    return words.format(
        seeds=", ".join(map(str, trust.seeds)),
        k=trust.top_k,
        parts=_parts(trust, trust.top_k),
        overlap=_mean(trust.stability_overlap),
        ranks=_mean(trust.stability_spearman),
    )


def _weights_line(trust: Trust) -> str:
    if not trust.layers_reset:
        return _("Random weights: the model has none.")
    pairs = zip(trust.layers_reset, trust.reset_spearman, strict=True)
    told = ", ".join(_("{n} of {n_all}: {ranks:.2f}").format(n=n, n_all=trust.n_layers, ranks=ranks) for n, ranks in pairs)
    return _("Rank correlation after the last layers got random weights: {told}.").format(told=told)


def _evidence_lines(trust: Trust) -> list[str]:
    if trust.mass is None or trust.rank_accuracy is None or trust.roc_auc is None or trust.evidence_share is None:
        return []
    words = _(
        "Known evidence ({share} of the input): the strongest part lies {where} it; {mass} of what speaks for the class in it; "
        "{ranked} of the strongest places are evidence; ROC AUC {auc:.2f} (chance {share}, {share}, 0.50)."
    )
    return [
        words.format(
            share=_share(trust.evidence_share),
            where=_("in") if trust.pointing else _("outside"),
            mass=_share(trust.mass),
            ranked=_share(trust.rank_accuracy),
            auc=trust.roc_auc,
        )
    ]


def _parts(trust: Trust, n: int) -> str:
    names = {
        "pixel": (_("pixel"), _("pixels")),
        "patch": (_("patch"), _("patches")),
        "feature": (_("feature"), _("features")),
        "word": (_("word"), _("words")),
    }
    return names[trust.part][n != 1]


def _beaten(trust: Trust) -> int:
    """How many random orders and reverses have a smaller gap."""
    return int((trust.random_gaps < trust.gap).sum())


def _share(share: float) -> str:
    return f"{share:.2%}" if 0 < share < 0.001 else f"{share:.1%}" if share < 0.1 else f"{share:.0%}"


def _mean(values: tuple[float, ...]) -> float:
    return float(np.mean(values)) if values else 0.0
