"""The lens job that tests how far an explanation can be trusted."""

from dataclasses import replace
from typing import Any, ClassVar, Literal

from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.jobs.job import Desk
from core.jobs.lenses import ExplainJob, LensJob
from core.models.estimate import forward_seconds
from core.models.model import all_layers, infer
from core.results.attribution import Attribution
from core.settings import Settings
from core.spec import choices

EVIDENCE_OF_ANOTHER = "The known evidence is that of the class {name}, so it says nothing about this one."


class TrustJob(LensJob):
    """All tests of one explanation: curves against random orders, seeds, random weights, other methods, known evidence."""

    kind: Literal["trust"] = "trust"
    label: ClassVar[str] = "How far to trust it"
    explained: ExplainJob

    def check(self, settings: Settings) -> None:
        """As the explanation itself."""
        self.explained.check(settings)

    def result(self, desk: Desk) -> Any:
        from core.explanation.trust import trust

        job = self.explained
        subject = job.subject(desk)
        label = job.chosen(desk).example.label
        notes: tuple[str, ...] = ()
        if subject.evidence is not None and label != subject.target:
            subject = replace(subject, evidence=None)
            if 0 <= label < len(subject.class_names):
                notes = (EVIDENCE_OF_ANOTHER.format(name=subject.class_names[label]),)
        found = trust(subject, job.explainer, self.companions(), desk.progress)
        return replace(found, notes=notes)

    def companions(self) -> tuple[ExplainerChoice, ...]:
        """The other methods that are asked too."""
        from core.explanation.agreement import companions

        experiment = self.explained.experiment
        profile = experiment.data.profile()
        kinds = tuple(layer.kind for _path, layer in all_layers(experiment.model.layers))
        methods = [cls() for cls in choices(AnyExplainer)]
        return companions(self.explained.explainer, [one for one in methods if one.reason_against(profile, kinds) is None])

    def seconds(self, found: Attribution) -> float:
        """About how long the tests of this explanation take on one thread. Torch-free."""
        from core.explanation.trust import planned_evaluations

        experiment = self.explained.experiment
        inference = infer(experiment.model, experiment.data.profile().input_shape)
        return forward_seconds(inference, planned_evaluations(found))
