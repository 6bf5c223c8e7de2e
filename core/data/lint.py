"""What may be wrong with data and what is done to them, found before loading (`data_findings`) and in the report after it
(`report_findings`).

Rules return findings and never raise. Places are fields of the data set's Choice; a fix holds the changed Preparation.
"""

from collections.abc import Callable, Iterator

from core.data.dataset import DataProfile
from core.data.preparation import Preparation
from core.data.prepare import most_components, prepared_profile
from core.data.report_lint import REPORT_RULES
from core.data.wording import quoted
from core.diagnostics import Diagnostic, Fix
from core.results.data_report import DataReport
from core.types import Severity

FEW_PER_CLASS = 2
"""Fewer examples of a split per class say next to nothing."""
FEW_NUMBERS = 10
"""The same for a split of a regression."""
PREPARATION = ("preparation",)


def data_findings(profile: DataProfile, preparation: Preparation) -> tuple[Diagnostic, ...]:
    """Findings about a data set with this original profile, before it is loaded. Torch-free and cheap."""
    return _sorted(finding for rule in DATA_RULES for finding in rule(profile, preparation))


def report_findings(report: DataReport) -> tuple[Diagnostic, ...]:
    """Findings about examples that were counted."""
    return _sorted(finding for rule in REPORT_RULES for finding in rule(report))


def _sorted(findings: Iterator[Diagnostic]) -> tuple[Diagnostic, ...]:
    order: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(findings, key=lambda finding: order[finding.severity]))


def pca_too_large(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    if profile.modality == "sequence" or preparation.pca is None:
        return
    most = most_components(profile, preparation)
    if preparation.pca > most:
        yield Diagnostic(
            "pca-too-large",
            "error",
            (*PREPARATION, "pca"),
            f"A PCA to {preparation.pca:,} components is not possible: {profile.n_train:,} training examples have {most:,} at "
            "most.",
            hint=f"Keep {most:,} components or fewer.",
            params={"pca": preparation.pca, "most": most},
            fix=Fix(f"Keep {most:,} components", preparation.but(pca=most)) if most else None,
        )


def pca_unscaled(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    if preparation.pca and preparation.scaling == "none" and profile.modality == "tabular":
        yield Diagnostic(
            "pca-unscaled",
            "warning",
            (*PREPARATION, "scaling"),
            "The PCA is of columns in their own units: the one with the largest numbers decides the first component.",
            hint="Standardise the columns first.",
            fix=Fix("Standardise", preparation.but(scaling="standardise")),
        )


def unscaled_columns(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    if profile.modality == "tabular" and preparation.scaling == "none" and preparation.pca is None:
        yield Diagnostic(
            "unscaled-columns",
            "info",
            (*PREPARATION, "scaling"),
            "The columns reach the network in their own units: a column of large numbers drowns the others at first.",
            hint="Standardise them, unless you want to see just that.",
            fix=Fix("Standardise", preparation.but(scaling="standardise")),
        )


def unscaled_pixels(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    if profile.modality == "image" and preparation.scaling == "none":
        yield Diagnostic(
            "unscaled-pixels",
            "warning",
            (*PREPARATION, "scaling"),
            "Pixels reach the network as they are stored, up to 255: its first steps are far too large.",
            hint="Scale them to the range from 0 to 1.",
            fix=Fix("Scale to 0 … 1", preparation.but(scaling="unit")),
        )


def unscaled_target(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    if profile.task == "regression" and profile.modality == "tabular" and not preparation.scale_target:
        yield Diagnostic(
            "unscaled-target",
            "info",
            (*PREPARATION, "scale_target"),
            f"The network is to give {profile.target_name or 'the target'} in its own unit, far from the numbers near 0 with "
            "which it starts.",
            hint="Let it predict in standard deviations.",
            fix=Fix("Scale the target", preparation.but(scale_target=True)),
        )


def categories_as_numbers(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    unordered = [i for i, names in enumerate(profile.categories) if len(names) > 2]
    if unordered and not preparation.one_hot:
        names = [profile.feature_names[i] for i in unordered if i < len(profile.feature_names)]
        yield Diagnostic(
            "categories-as-numbers",
            "warning",
            (*PREPARATION, "one_hot"),
            f"The categories of {quoted(names)} reach the network as 0, 1, 2 …, as if they had an order.",
            hint="Make an input of each category.",
            params={"columns": names},
            fix=Fix("One input for each category", preparation.but(one_hot=True)),
        )


def more_inputs_than_examples(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    n_inputs = prepared_profile(profile, preparation).input_shape[0]
    if profile.modality == "tabular" and n_inputs > profile.n_train > 0:
        yield Diagnostic(
            "more-inputs-than-examples",
            "warning",
            (),
            f"Each example has {n_inputs:,} inputs, and there are only {profile.n_train:,} training examples: they can be "
            "learned by heart.",
            hint="Use fewer columns, a PCA, or more examples.",
            params={"inputs": n_inputs, "n_train": profile.n_train},
        )


def label_noise(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    if preparation.label_noise and profile.n_classes > 1:
        n_wrong = round(preparation.label_noise * profile.n_train)
        yield Diagnostic(
            "label-noise",
            "info",
            (*PREPARATION, "label_noise"),
            f"{n_wrong:,} of the {profile.n_train:,} training labels are wrong on purpose.",
            hint="Validation and test keep their true labels.",
            params={"n_wrong": n_wrong, "n_train": profile.n_train},
            fix=Fix("True labels only", preparation.but(label_noise=0.0)),
        )


def preparation_without_effect(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    if profile.modality == "sequence" and (preparation.pca or preparation.scaling != "none"):
        yield Diagnostic(
            "preparation-without-effect",
            "info",
            PREPARATION,
            "Tokens are numbers of words: they are neither scaled nor projected, whatever is chosen here.",
            fix=Fix("Leave them as they are", preparation.but(pca=None, scaling="none")),
        )
    if preparation.label_noise and profile.task == "regression":
        yield Diagnostic(
            "preparation-without-effect",
            "info",
            (*PREPARATION, "label_noise"),
            "Label noise replaces classes, and here a number is predicted: it does nothing.",
            fix=Fix("Without label noise", preparation.but(label_noise=0.0)),
        )


def empty_split(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    for name, n in _sizes(profile).items():
        if n == 0 and name != "test":
            yield Diagnostic(
                "empty-split",
                "error",
                (),
                f"The {name} split has no example.",
                hint="Use more examples, or give it a larger share.",
                params={"split": name},
            )


def small_split(profile: DataProfile, preparation: Preparation) -> Iterator[Diagnostic]:
    wanted = FEW_PER_CLASS * profile.n_classes or FEW_NUMBERS
    for name, n in _sizes(profile).items():
        if 0 < n < wanted:
            yield Diagnostic(
                "small-split",
                "warning",
                (),
                f"The {name} split has {n:,} examples"
                + (f" of {profile.n_classes:,} classes" if profile.n_classes else "")
                + f": with fewer than {wanted:,} its figures say little.",
                hint="Use more examples, or give it a larger share.",
                params={"split": name, "n": n, "wanted": wanted},
            )


def _sizes(profile: DataProfile) -> dict[str, int]:
    """Examples of each split, by its name in a sentence."""
    return {"training": profile.n_train, "validation": profile.n_validation, "test": profile.n_test}


DATA_RULES: tuple[Callable[[DataProfile, Preparation], Iterator[Diagnostic]], ...] = (
    pca_too_large,
    empty_split,
    small_split,
    pca_unscaled,
    unscaled_pixels,
    categories_as_numbers,
    more_inputs_than_examples,
    unscaled_columns,
    unscaled_target,
    label_noise,
    preparation_without_effect,
)
