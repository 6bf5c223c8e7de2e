"""A sentence for the screen: a template that can be translated, and what stands in its gaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sentence:
    """`str()` gives it in English; a screen translates `template` and puts in `params`, which are ready texts."""

    template: str
    params: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.params)
