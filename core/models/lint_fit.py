"""Rules about fitting together: layers with each other, with the data, with the loss, and with the limits."""

from collections.abc import Iterator

from core.diagnostics import Diagnostic, Fix
from core.models.layer import LayerChoice
from core.models.layers.shape import Flatten
from core.models.look import Look
from core.models.model import ModelSpec, stack_error
from core.models.repair import fixed, output_fix, shape_fix, smaller_fix, swap
from core.types import shape_text


def empty_model(look: Look) -> Iterator[Diagnostic]:
    if not look.model.layers:
        yield Diagnostic(
            "empty-model",
            "error",
            ("layers",),
            f"The model has no layers, but needs {look.n_outputs:,} outputs.",
            hint="Add a Linear layer, or start from a preset.",
            params={"n_outputs": look.n_outputs},
            fix=output_fix(look.model, look.inference.input_shape, look.n_outputs),
        )


def shape_mismatch(look: Look) -> Iterator[Diagnostic]:
    error, path = stack_error(look.model, look.inference), look.inference.error_path
    if error is not None and path is not None:
        yield Diagnostic(
            "shape-mismatch",
            "error",
            ("layers", *path),
            error.message,
            hint=error.hint,
            params=error.params,
            fix=shape_fix(look.model, look.inference, path),
        )


def tokens_without_embedding(look: Look) -> Iterator[Diagnostic]:
    layers: tuple[LayerChoice, ...] = look.model.layers
    if look.context.n_tokens and layers and layers[0].kind != "Embedding":
        yield Diagnostic(
            "tokens-without-embedding",
            "error",
            ("layers", 0),
            f"The inputs are token numbers, from 0 to {look.context.n_tokens - 1:,}, and {look.name((0,))} would calculate "
            "with them as if token 20 were twice token 10.",
            hint="Begin with an Embedding, which has a learned vector for each token.",
            fix=_embedding_fix(look),
        )


def _embedding_fix(look: Look) -> Fix | None:
    from core.models.layers.embedding import Embedding

    first: tuple[LayerChoice, ...] = (Embedding(num_embeddings=max(2, look.context.n_tokens)),)
    if look.model.layers[0].kind == "Linear":
        first = (*first, Flatten())
    label = " and ".join(layer.kind for layer in first)
    return fixed(f"Insert {label} first", look.model, (0,), lambda row, i: (*first, *row))


def embedding_of_numbers(look: Look) -> Iterator[Diagnostic]:
    for path, layer, _ in look.walk():
        if layer.kind == "Embedding" and (path != (0,) or not look.context.n_tokens):
            yield Diagnostic(
                "embedding-of-numbers",
                "error",
                ("layers", *path),
                f"{look.name(path)} needs token numbers but receives measured or computed numbers.",
                hint="Embedding is the first layer of a model for text; for other data, remove it.",
                fix=look.fix("Remove Embedding", path, lambda row, i: (*row[:i], *row[i + 1 :])),
            )


def vocabulary_too_small(look: Look) -> Iterator[Diagnostic]:
    layers, needed = look.model.layers, look.context.n_tokens
    given = getattr(layers[0], "num_embeddings", needed) if layers else needed
    if needed and given < needed:
        larger = layers[0].but(num_embeddings=needed)
        yield Diagnostic(
            "vocabulary-too-small",
            "error",
            ("layers", 0),
            f"{look.name((0,))} has {given:,} embeddings, but the data have {needed:,} tokens.",
            hint=f"Set num_embeddings to {needed:,}.",
            params={"num_embeddings": given, "n_tokens": needed},
            fix=look.fix(f"Set num_embeddings to {needed:,}", (0,), swap(larger)),
        )


def one_output_for_many_classes(look: Look) -> Iterator[Diagnostic]:
    """The bug of the article whose models are among the presets."""
    n_classes = look.context.n_classes
    if _has_one_output_too_few(look):
        last = len(look.model.layers) - 1
        yield Diagnostic(
            "one-output-for-many-classes",
            "error",
            ("layers", last),
            f"One output cannot tell {n_classes:,} classes apart. With a sigmoid and binary cross-entropy against class "
            "numbers the loss falls below zero without end, and every example is called class 1.",
            hint=f"End with a Linear layer with {n_classes:,} outputs, and use cross-entropy.",
            params={"n_classes": n_classes},
            fix=_head_fix(look),
        )


def _has_one_output_too_few(look: Look) -> bool:
    return look.inference.out_shape == (1,) and look.context.n_classes > 2 and look.n_outputs > 1


def _head_fix(look: Look) -> Fix | None:
    """The right number of outputs, and no sigmoid behind them."""
    fix = output_fix(look.model, look.inference.input_shape, look.n_outputs)
    if fix is None or not isinstance(fix.spec, ModelSpec) or fix.spec.layers[-1].kind != "Sigmoid":
        return fix
    return Fix(f"{fix.label}, without Sigmoid", fix.spec.but(layers=fix.spec.layers[:-1]))


def wrong_output_size(look: Look) -> Iterator[Diagnostic]:
    shape = look.inference.out_shape
    if look.model.layers and shape is not None and not look.has_right_output and not _has_one_output_too_few(look):
        last = len(look.model.layers) - 1
        outputs = "1 output" if look.n_outputs == 1 else f"{look.n_outputs:,} outputs"
        yield Diagnostic(
            "wrong-output-size",
            "error",
            ("layers", last),
            f"{look.name((last,))} gives {shape_text(shape)}, but data and loss need {outputs}.",
            hint=f"End with a Linear layer with {outputs}.",
            params={"shape": shape, "n_outputs": look.n_outputs},
            fix=output_fix(look.model, look.inference.input_shape, look.n_outputs),
        )


def nothing_to_train(look: Look) -> Iterator[Diagnostic]:
    if look.model.layers and look.has_right_output and look.inference.n_parameters == 0:
        yield Diagnostic(
            "nothing-to-train",
            "error",
            ("layers", len(look.model.layers) - 1),
            "No layer of this model has weights: there is nothing to train.",
            hint="Add a Linear layer.",
            fix=output_fix(look.model, look.inference.input_shape, look.n_outputs),
        )


def too_many_parameters(look: Look) -> Iterator[Diagnostic]:
    n_parameters = look.inference.n_parameters
    if look.model.layers and n_parameters > look.max_parameters:
        each = [info.n_parameters for info in look.inference.layers]
        largest = each.index(max(each))
        yield Diagnostic(
            "too-many-parameters",
            "error",
            ("layers", largest),
            f"The model has {n_parameters:,} parameters, the limit is {look.max_parameters:,}; "
            f"{look.name((largest,))} alone has {each[largest]:,}.",
            hint="Make this layer or the one before it smaller, or add pooling.",
            params={"n_parameters": n_parameters, "max_parameters": look.max_parameters},
            fix=smaller_fix(look.model, look.inference, look.max_parameters),
        )
