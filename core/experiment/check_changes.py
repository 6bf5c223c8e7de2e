"""Whether the changes that an experiment prescribes can be made, one after the other."""

from core.diagnostics import Diagnostic, Fix
from core.errors import SpecError
from core.experiment.apply import with_change
from core.experiment.experiment import Experiment


def change_findings(experiment: Experiment) -> list[Diagnostic]:
    """The first change that cannot be made, or that comes out of order."""
    after, last = experiment, 0
    for index, change in enumerate(experiment.changes):
        try:
            if change.after_step < last:
                raise SpecError(
                    f"it comes after step {change.after_step:,}, but the one before after {last:,}.", hint="Sort them."
                )
            after, last = with_change(after, change.command()), change.after_step
        except SpecError as error:
            kept = experiment.but(changes=experiment.changes[:index])
            return [
                Diagnostic(
                    "impossible-change",
                    "error",
                    ("changes", index),
                    f"Change {index + 1} of this experiment cannot be made: {error.message}",
                    hint=error.hint,
                    fix=Fix("Leave out this change and those after it", kept),
                )
            ]
    return []
