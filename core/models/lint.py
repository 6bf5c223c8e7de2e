"""What may be wrong with a stack, found without torch; where possible with a changed stack that mends it."""

from collections.abc import Callable, Iterator

from core.diagnostics import Diagnostic
from core.models import lint_depth, lint_fit, lint_output
from core.models.look import Context, Look
from core.models.model import ModelSpec, infer
from core.settings import Settings
from core.types import Shape

MAX_PARAMETERS = Settings().max_parameters


def lint(
    model: ModelSpec,
    input_shape: Shape,
    n_outputs: int,
    max_parameters: int = MAX_PARAMETERS,
    context: Context | None = None,
) -> tuple[Diagnostic, ...]:
    """All findings, errors first, then by place. Never raises, and allocates nothing.

    Args:
        input_shape: one example: (F,), (L,) token numbers, or (C, H, W).
        n_outputs: numbers the last layer must give.
        max_parameters: more than this is an error.
        context: what data and loss ask; without it, a class for each output and cross-entropy.
    """
    look = Look(model, infer(model, input_shape), n_outputs, max_parameters, context or Context(n_classes=n_outputs))
    findings = [finding for rule in RULES for finding in rule(look)]
    return tuple(sorted(findings, key=lambda finding: (_RANK[finding.severity], _place(finding))))


_RANK = {"error": 0, "warning": 1, "info": 2}


def _place(finding: Diagnostic) -> tuple[int, ...]:
    return tuple(part for part in finding.where if isinstance(part, int)) or (-1,)


Rule = Callable[[Look], Iterator[Diagnostic]]
RULES: tuple[Rule, ...] = (
    lint_fit.empty_model,
    lint_fit.shape_mismatch,
    lint_fit.tokens_without_embedding,
    lint_fit.embedding_of_numbers,
    lint_fit.vocabulary_too_small,
    lint_fit.one_output_for_many_classes,
    lint_fit.wrong_output_size,
    lint_fit.nothing_to_train,
    lint_fit.too_many_parameters,
    lint_output.softmax_before_loss,
    lint_output.sigmoid_before_loss,
    lint_output.activation_at_output,
    lint_output.dropout_at_output,
    lint_depth.no_nonlinearity,
    lint_depth.redundant_bias,
    lint_depth.vanishing_gradients,
    lint_depth.equal_weights,
    lint_depth.empty_branch,
    lint_depth.cut_off_border,
)
"""Every rule; each yields findings whose code is its name."""
