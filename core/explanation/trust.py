"""How far an explanation can be trusted: the tests of the other files, made of one, and a verdict from stated rules."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import NotApplicable
from core.explanation.agreement import comparable
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.faithfulness import ENUMERATED, Curves, faithfulness, fill_of, n_curve_evaluations, random_parts
from core.explanation.integrated import judged_change
from core.explanation.lime_method import POOR_FIT
from core.explanation.localisation import localisation
from core.explanation.randomisation import cascade, learning_layers, unlearned
from core.explanation.stability import overlap, spearman, top_k
from core.explanation.tally import Tally
from core.results.attribution import Attribution
from core.results.trust import Doubt, Trust, Verdict

MOST_CHANCE = 0.05
"""An explanation is better than random when at most one random order in twenty does as well: the usual level of a test."""
FEWEST_PARTS = ENUMERATED
"""Of three parts there are six orders, so that the best one comes by chance one time in six."""
MOST_RESIDUAL = 0.05
"""Of the change of the output that an additive method shares out: what is missing is then small beside what is shown."""
STEADY = 0.5
"""Mean Jaccard index over seeds: below it, more of the top parts change than stay."""
SAME = 0.5
"""Rank correlation with the explanation of an untrained network. Over 16 images of known evidence every signed method, Grad-CAM
and occlusion stayed below 0.2, and a picture of the input's edges is at 1."""
STRANGERS = 0.2
"""Median rank correlation with other methods: weaker than that, they tell another story."""
FOUND = 2.0
"""Times the mass that chance gives: twice as dense in the evidence as on average, and strongest there, is no accident."""
FEWEST_RANKED = 8
"""Rank correlations of fewer values are too often high or low by chance to count."""
N_SEEDS = 3


def trust(subject: Subject, method: ExplainerChoice, others: Sequence[ExplainerChoice], progress: Progress) -> Trust:
    """All tests of the explanation of `subject` by `method`.

    Args:
        others: the methods to compare with; those that turn out not to apply are left out.

    Raises:
        NotApplicable: the method itself does not apply.
    """
    began = time.perf_counter()
    tally = Tally(progress)
    found = tally.run(method, subject)
    tally.planned = planned_evaluations(found)
    fill, fill_text = fill_of(subject, method)
    places, parts = random_parts(subject, found)
    n_curves = n_curve_evaluations(len(places), int(parts.max()) + 1)
    curves = faithfulness(found, Evaluations(subject, tally.of_one(), n_curves), fill, subject.seed)
    facts = (
        _facts(found, subject)
        | _stability(found, subject, method, tally)
        | _randomisation(found, subject, method, tally)
        | _agreement(found, subject, others, tally)
        | _localisation(found, subject)
    )
    drafted = _drafted(found, curves, facts | {"fill": fill_text}, tally.done)
    judged = replace(drafted, doubts=doubted(drafted, is_constant=_is_constant(found)))
    return replace(judged, verdict=verdict(judged), seconds=time.perf_counter() - began)


def planned_evaluations(found: Attribution) -> int:
    """About how many evaluations the tests of an explanation take, from the explanation itself. Torch-free."""
    if found.values.ndim == 2:
        n_parts = 49
        curves = n_curve_evaluations(found.values.size, n_parts)
    else:
        curves = n_curve_evaluations(found.values.size, found.values.size)
    is_random = found.seed is not None
    return curves + found.n_evaluations * (1 + 3 + (N_SEEDS - 1) * is_random) + 600


def doubted(found: Trust, *, is_constant: bool) -> tuple[Doubt, ...]:
    """What speaks against an explanation, the worst first.

    - constant: it gives every part the same value.
    - random_order: more than 5 % of random orders reach its gap between insertion and deletion.
    - few_parts: fewer than 4 parts, so that no order can be told from chance.
    - untrained, half_untrained: it correlates by 0.5 and more (for few values: by more than chance gives) with the explanation
      of the network with all weights, or with those of the upper half, drawn anew.
    - poor_fit: LIME's R² is below 0.5. residual: an additive method misses more than 5 % of the change of the output.
    - unstable: over seeds, less than half of the top parts stay.
    - disagrees: the median rank correlation with the other methods is below 0.2.
    - misses: on known evidence, no better than a random map by mass and by ROC area, and the strongest part lies outside.
    """
    n = found.n_parts
    same = max(SAME, 2 / math.sqrt(max(1, n - 1)))  # two standard errors of the correlation of unrelated values
    reset = dict(zip(found.layers_reset, found.reset_spearman, strict=True)) if n >= FEWEST_RANKED else {}
    whole, half = reset.get(found.n_layers, 0.0), reset.get(-(-found.n_layers // 2), 0.0)
    rules: dict[Doubt, bool] = {
        "constant": is_constant,
        "random_order": not is_constant and found.n_parts >= FEWEST_PARTS and not found.chance <= MOST_CHANCE,
        "few_parts": not is_constant and found.n_parts < FEWEST_PARTS,
        "untrained": whole >= same,
        "half_untrained": whole < same <= half,
        "poor_fit": found.fit_r2 is not None and found.fit_r2 < POOR_FIT,
        "residual": found.residual_share is not None and found.residual_share > MOST_RESIDUAL,
        "unstable": bool(found.stability_overlap) and float(np.mean(found.stability_overlap)) < STEADY,
        "disagrees": n >= FEWEST_RANKED and bool(found.others) and float(np.median(found.others_spearman)) < STRANGERS,
        "misses": _misses(found),
    }
    return tuple(doubt for doubt, holds in rules.items() if holds)


def verdict(found: Trust) -> Verdict:
    """Good without a doubt; no better than random when the order of its parts is not; mixed otherwise.

    Mixed too is one whose order is no better, but which points at known evidence with at least twice the mass of chance.
    """
    finds = bool(found.pointing and (found.mass or 0.0) >= FOUND * (found.evidence_share or 0.0))
    if "constant" in found.doubts or ("random_order" in found.doubts and not finds):
        return "random"
    return "mixed" if found.doubts else "good"


@dataclass(frozen=True, slots=True)
class _Values:
    """What is ranked of an explanation: players where there are some, pixels, features, or the words that are there."""

    found: Attribution
    subject: Subject

    def of(self, other: Attribution) -> np.ndarray:
        if self.found.players is not None and other.players is not None and self.found.values.ndim == 2:
            return np.asarray(other.players, np.float64)
        places, _parts = random_parts(self.subject, self.found)
        values: np.ndarray = np.asarray(other.values, np.float64).ravel()[places]
        return values


def _facts(found: Attribution, subject: Subject) -> dict[str, Any]:
    share = None
    if found.residual is not None and found.base is not None:
        share = abs(found.residual) / judged_change(subject, found.output - found.base)
    n = len(_Values(found, subject).of(found))
    are_pixels = found.values.ndim == 2 and found.players is None
    return {
        "residual": found.residual,
        "residual_share": share,
        "fit_r2": found.fit_r2,
        "top_k": top_k(n, are_pixels=are_pixels),
        "part": "pixel" if are_pixels else "patch" if found.values.ndim == 2 else "word" if subject.tokens else "feature",
    }


def _stability(found: Attribution, subject: Subject, method: ExplainerChoice, tally: Tally) -> dict[str, Any]:
    if found.seed is None and getattr(method, "baseline", "") != "noise":
        return {"seeds": (), "stability_overlap": (), "stability_spearman": ()}
    seeds = tuple((subject.seed + i) % 2**31 for i in range(N_SEEDS))
    values = _Values(found, subject)
    runs = [found, *(tally.run(method, replace(subject, seed=seed)) for seed in seeds[1:])]
    all_values = [values.of(run) for run in runs]
    pairs = [(a, b) for i, a in enumerate(all_values) for b in all_values[:i]]
    k = _facts(found, subject)["top_k"]
    return {
        "seeds": seeds,
        "stability_overlap": tuple(overlap(a, b, k) for a, b in pairs),
        "stability_spearman": tuple(spearman(a, b) for a, b in pairs),
    }


def _randomisation(found: Attribution, subject: Subject, method: ExplainerChoice, tally: Tally) -> dict[str, Any]:
    n_layers = len(learning_layers(subject.module))
    values = _Values(found, subject)
    kept: dict[int, float] = {}
    for n in cascade(n_layers):
        random = replace(subject, module=unlearned(subject.module, n, subject.seed))
        kept[n] = spearman(values.of(found), values.of(tally.run(method, random)))
    return {"n_layers": n_layers, "layers_reset": tuple(kept), "reset_spearman": tuple(kept.values())}


def _agreement(found: Attribution, subject: Subject, others: Sequence[ExplainerChoice], tally: Tally) -> dict[str, Any]:
    places, _parts = random_parts(subject, found)
    labels, overlaps, ranks = [], [], []
    for other in others:
        try:
            second = tally.run(other, subject)
        except NotApplicable:
            continue
        a, b = comparable(found, second, places)
        labels.append(other.label)
        overlaps.append(overlap(a, b, top_k(len(a), are_pixels=False)))
        ranks.append(spearman(a, b))
    return {"others": tuple(labels), "others_overlap": tuple(overlaps), "others_spearman": tuple(ranks)}


def _localisation(found: Attribution, subject: Subject) -> dict[str, Any]:
    placed = None
    if subject.evidence is not None and subject.evidence.size == found.values.size:
        places, _parts = random_parts(subject, found)
        placed = localisation(found.values.ravel()[places], subject.evidence.ravel()[places])
    if placed is None:
        return dict.fromkeys(("pointing", "mass", "rank_accuracy", "roc_auc", "evidence_share"))
    return {
        "pointing": placed.pointing,
        "mass": placed.mass,
        "rank_accuracy": placed.rank_accuracy,
        "roc_auc": placed.roc_auc,
        "evidence_share": placed.share,
    }


def _drafted(found: Attribution, curves: Curves, facts: dict[str, Any], n_evaluations: int) -> Trust:
    """All but the verdict."""
    return Trust(
        method=found.method,
        label=found.label,
        target_name=found.target_name,
        unit=found.output_unit or found.unit,
        step=found.step,
        signed=found.signed,
        verdict="mixed",
        doubts=(),
        shares=curves.shares,
        deletion=curves.deletion,
        insertion=curves.insertion,
        random_deletion=curves.random_deletion,
        random_insertion=curves.random_insertion,
        gap=curves.gap,
        random_gaps=curves.random_gaps,
        chance=curves.chance,
        n_parts=curves.n_parts,
        n_evaluations=n_evaluations,
        seconds=0.0,
        **facts,
    )


def _is_constant(found: Attribution) -> bool:
    return bool(np.ptp(found.values) == 0)


def _misses(found: Trust) -> bool:
    if found.mass is None or found.roc_auc is None or found.evidence_share is None:
        return False
    return not found.pointing and found.mass <= found.evidence_share and found.roc_auc <= 0.5
