"""The Menu of maps: how the outputs of a layer, one point with many numbers per example, become a picture."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.spec import Choice, on_menu

LEAST_EXAMPLES = 8
"""With fewer points there are no neighbourhoods to speak of."""


class Projection(Choice):
    """A way to draw points of many dimensions in two or three."""

    axis: ClassVar[str]
    """What its axes are called, before their number."""
    is_linear: ClassVar[bool] = False
    """Whether places are sums of what was measured: then axes have a scale, and distances a meaning."""
    package: ClassVar[str] = ""
    """What must be installed beyond scikit-learn."""

    def problem(self, n_examples: int) -> str:
        """Why so few examples are too few, in a sentence; empty where they are enough."""
        if n_examples < LEAST_EXAMPLES:
            return f"There are {n_examples} examples; a map needs at least {LEAST_EXAMPLES}."
        return ""

    def settings(self) -> dict[str, Any]:
        """All fields but the kind."""
        return self.model_dump(exclude={"kind"})


class Pca(Projection):
    """The directions in which the examples differ most; one basis for all moments, so that distances can be compared."""

    kind: Literal["pca"] = "pca"
    label = "PCA"
    source = "Pearson 1901, On lines and planes of closest fit to systems of points in space"
    axis = "PC"
    is_linear = True


class TSne(Projection):
    """Near points stay near. Sizes of clusters, and distances between them, mean nothing."""

    kind: Literal["tsne"] = "tsne"
    label = "t-SNE"
    source = "van der Maaten and Hinton 2008, Visualizing data using t-SNE"
    axis = "t-SNE"
    perplexity: Annotated[int, Field(ge=2, le=200)] = 30
    """About how many neighbours each example has; less than a third of the examples."""

    def problem(self, n_examples: int) -> str:
        if words := super().problem(n_examples):
            return words
        if 3 * self.perplexity >= n_examples:
            most = (n_examples - 1) // 3
            return f"Perplexity {self.perplexity} is too much for {n_examples} examples; at most {most} is possible."
        return ""


class Umap(Projection):
    """Near points stay near, with more of the rough order of clusters; distances still have no unit."""

    kind: Literal["umap"] = "umap"
    label = "UMAP"
    source = "McInnes, Healy and Melville 2018, UMAP: Uniform Manifold Approximation and Projection, arXiv:1802.03426"
    axis = "UMAP"
    package = "umap-learn"
    n_neighbors: Annotated[int, Field(ge=2, le=200)] = 15
    """How many neighbours each example is tied to: few show detail, many the rough order."""
    min_dist: Annotated[float, Field(ge=0.0, le=0.99)] = 0.1
    """How near points may come in the picture."""

    def problem(self, n_examples: int) -> str:
        if words := super().problem(n_examples):
            return words
        if self.n_neighbors >= n_examples:
            return f"There are {n_examples} examples: each has at most {n_examples - 1} neighbours, not {self.n_neighbors}."
        return ""


AnyProjection = Annotated[Pca | TSne | Umap, on_menu()]
