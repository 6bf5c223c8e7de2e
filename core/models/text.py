"""A model as text that a person edits, JSON or YAML, and back.

    layers:
      - Conv2d: {out_channels: 8, padding: 1}
      - ReLU
      - Flatten
      - Linear: {out_features: 10, init: xavier}
    init: he

Settings at their defaults are left out. A layer or an initialisation is written as its name, as `Name: {setting: value}`, or,
as in our JSON, with its name under `kind`; each form is read in both languages.
"""

import json
import re
from typing import Any, Literal

from pydantic import ValidationError

from core.errors import SpecError, nearest
from core.models.init import AnyBiasInit, AnyInit
from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec
from core.models.text_values import Place, values_with_lines, wrong
from core.spec import Choice, Spec, choices, spec_error

Form = Literal["json", "yaml"]
STACK_FIELDS = ("layers", "branches")
"""Fields that hold layers; in the text each layer gets a line of its own."""
INIT_FIELDS = ("init", "bias_init")
YAML_WORD = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z_][\w-]*", re.ASCII | re.IGNORECASE)
"""Text that needs no quotes, in YAML 1.1 either."""
BOOL_WORDS = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}


def architecture_text(model: ModelSpec, form: Form) -> str:
    """The model as text, a line per layer, defaults left out. `model_from_text` gives the very model back.

    The JSON is what pydantic reads as a ModelSpec.
    """
    if form == "json":
        return _json(_settings(model), 0) + "\n"
    return "\n".join(_yaml_fields(_settings(model), "")) + "\n"


def model_from_text(text: str) -> ModelSpec:
    """The model in a text, JSON or YAML; a bare list is taken as the layers.

    Raises:
        SpecError: it is not one; the message names line and field, the hint the nearest right name.
    """
    values, lines = values_with_lines(text)
    if values is None:
        raise SpecError("This text is empty.", hint="Write `layers:` and one layer per line.")
    shift = 0
    if isinstance(values, list):
        values, shift = {"layers": values}, 1
    if not isinstance(values, dict):
        raise wrong(1, f"{str(values)[:60]!r} is not an architecture", "Write `layers:` and one layer per line.")
    try:
        return ModelSpec.model_validate_json(json.dumps(_long_form(values)))
    except ValidationError as error:
        raise _told(error, lines, shift) from None


def _settings(spec: Spec) -> dict[str, Any]:
    """Kind first, then all that is not at its default; Choices inside likewise."""
    kind = {"kind": spec.kind} if isinstance(spec, Choice) else {}
    fields = type(spec).knobs() | type(spec).model_fields  # in the order of the form
    always = () if isinstance(spec, Choice) else ("layers",)
    values = {name: getattr(spec, name) for name in fields if name != "kind"}
    changed = {name: value for name, value in values.items() if name in always or value != fields[name].default}
    return kind | {name: _plain(value) for name, value in changed.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return _settings(value)
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value


def _json(value: Any, depth: int) -> str:
    """JSON in which lists of layers have a line per layer."""
    outer, inner = "  " * depth, "  " * (depth + 1)
    if isinstance(value, dict) and depth == 0:  # the model itself
        parts = (f"{inner}{json.dumps(name)}: {_json(entry, 1)}" for name, entry in value.items())
        return "{\n" + ",\n".join(parts) + "\n}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_json(entry, depth)}" for name, entry in value.items()) + "}"
    if isinstance(value, list) and value and isinstance(value[0], dict | list):
        return "[\n" + ",\n".join(inner + _json(entry, depth + 1) for entry in value) + f"\n{outer}]"
    return json.dumps(value)


def _yaml_fields(fields: dict[str, Any], indent: str) -> list[str]:
    """One line per field; a stack of layers has one line per layer under it."""
    lines: list[str] = []
    for name, value in fields.items():
        if name in STACK_FIELDS and value:
            lines += [f"{indent}{name}:", *_yaml_items(value, f"{indent}  ")]
        else:
            lines.append(f"{indent}{name}: {_flow(value)}")
    return lines


def _yaml_items(items: list[Any], indent: str) -> list[str]:
    lines: list[str] = []
    for item in items:
        if isinstance(item, dict) and any(item.get(name) for name in STACK_FIELDS):
            rest = {name: value for name, value in item.items() if name != "kind"}
            lines += [f"{indent}- {item['kind']}:", *_yaml_fields(rest, f"{indent}    ")]
        elif isinstance(item, list) and item:  # a branch
            first, *others = _yaml_items(item, f"{indent}  ")
            lines += [f"{indent}- {first.lstrip()}", *others]
        elif isinstance(item, dict) and len(item) > 1:
            lines.append(f"{indent}- {_flow(item)[1:-1]}")
        else:
            lines.append(f"{indent}- {_flow(item)}")
    return lines


def _flow(value: Any) -> str:
    """A value on one line; a Choice as its name, or as {name: {setting: value}}."""
    if isinstance(value, dict):
        rest = ", ".join(f"{name}: {_flow(entry)}" for name, entry in value.items() if name != "kind")
        return f"{{{value['kind']}: {{{rest}}}}}" if rest else str(value["kind"])
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return value if YAML_WORD.fullmatch(value) else json.dumps(value)
    text = json.dumps(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text  # YAML 1.1: 1e-05 is text


def _long_form(fields: dict[str, Any]) -> dict[str, Any]:
    """All Choices among these fields, and inside them, with their name under `kind`."""
    return {name: _long_field(name, value) for name, value in fields.items()}


def _long_field(name: str, value: Any) -> Any:
    if name == "layers" and isinstance(value, list):
        return [_long_choice(layer) for layer in value]
    if name == "branches" and isinstance(value, list):
        return [_long_field("layers", branch) for branch in value]
    return _long_choice(value) if name in INIT_FIELDS and value is not None else value


def _long_choice(value: Any) -> Any:
    if isinstance(value, str):
        return {"kind": value}
    if not isinstance(value, dict):
        return value
    if "kind" in value or len(value) != 1:
        return _long_form(value)
    ((kind, settings),) = value.items()
    if settings is None:
        return {"kind": kind}
    return {"kind": kind} | _long_form(settings) if isinstance(settings, dict) else value


def _told(error: ValidationError, lines: dict[Place, int], shift: int) -> SpecError:
    """The first finding of pydantic as a sentence with the line and the nearest right name."""
    finding = error.errors(include_url=False)[0]
    where, line = finding["loc"], _line(finding["loc"], lines, shift)
    told = spec_error(error)
    known = f"{'.'.join(map(str, where))}: "
    message = told.message.replace(known, f"{_name(where)}: ", 1)
    if finding["type"] == "extra_forbidden":
        return _unknown_setting(where, line)
    if finding["type"] == "union_tag_not_found":
        return wrong(line, "this is no layer or initialisation", "Write `Name`, or `Name: {setting: value}`.")
    if finding["type"] == "bool_type" and str(finding["input"]).lower() in BOOL_WORDS:
        hint = f"Write {BOOL_WORDS[str(finding['input']).lower()]}."
    else:
        hint = told.hint if finding["type"] == "union_tag_invalid" else f"Change line {line:,}."
    return SpecError(f"Line {line:,}: {message}", hint=hint, line=line)


def _name(where: tuple[str | int, ...]) -> str:
    """What pydantic's path names, as a person says it: `Linear.out_features`, or `layers, number 3`."""
    last = max((index for index, part in enumerate(where) if isinstance(part, int)), default=-1)
    names = where[last + 1 :]
    if names or not where:
        return ".".join(map(str, names)) or "the text"
    holder = where[last - 1]
    return f"{f'branch {holder + 1}' if isinstance(holder, int) else holder}, number {int(where[last]) + 1}"


def _unknown_setting(where: tuple[str | int, ...], line: int) -> SpecError:
    if len(where) == 1:
        return wrong(line, f"a model has no {str(where[0])!r}", nearest(str(where[0]), ModelSpec.model_fields))
    kind, name = str(where[-2]), str(where[-1])
    known = [cls for menu in (AnyLayer, AnyInit, AnyBiasInit) for cls in choices(menu) if cls.kind_name() == kind]
    settings = [setting for cls in known for setting in cls.model_fields if setting != "kind"]
    hint = nearest(name, settings) if settings else f"{kind} has no settings: remove it."
    return wrong(line, f"{kind} has no setting {name!r}", hint)


def _line(where: tuple[str | int, ...], lines: dict[Place, int], shift: int) -> int:
    """The line of the value that pydantic means, or of the nearest one around it that the text has.

    pydantic's path has the kind after each Choice, which the text may have as a key, under `kind`, or nowhere.
    """
    place: Place = ()
    for part in where[shift:]:
        place = (*place, part) if (*place, part) in lines else place
    return lines.get(place, 1)
