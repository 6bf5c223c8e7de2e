"""The evaluations of many explanations as one progress."""

from dataclasses import dataclass

from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.results.attribution import Attribution


@dataclass(slots=True)
class Tally:
    """Evaluations of many explanations, told as one count. `planned` grows when an explanation takes more than was thought."""

    progress: Progress
    planned: int = 1
    done: int = 0

    def of_one(self) -> Progress:
        """The progress of the next explanation."""
        begun = self.done

        def tell(done: int, total: int) -> None:
            self.done = begun + done
            self.planned = max(self.planned, begun + total)
            self.progress(self.done, self.planned)

        return tell

    def add(self, n: int) -> None:
        """So many evaluations more."""
        self.done += n
        self.planned = max(self.planned, self.done)
        self.progress(self.done, self.planned)

    def run(self, method: ExplainerChoice, subject: Subject) -> Attribution:
        """One explanation more."""
        return method.attribute(subject, self.of_one())
