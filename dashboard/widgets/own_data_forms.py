"""A previewed upload, shown, with the choices that make a data set of it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.data.dataset import DatasetChoice
from core.data.own.images import OwnImages, images_choice
from core.data.own.table import default_columns, table_choice, task_of, usable_columns
from core.data.own.text import OwnText, text_choice
from core.errors import LayerwiseError
from core.results.upload_preview import UploadPreview
from core.types import Task
from dashboard.components.image_picker import image_picker
from dashboard.text import _, counted
from dashboard.widgets.failure import failure

Use = Callable[[DatasetChoice], None]
ASIDE, NARROW = 220, 150
"""Pixels of a select box, and of a number."""


def table_form(preview: UploadPreview, on_use: Use) -> None:
    """The first rows, what is known of each column, and what to predict from what."""
    key = f"data.own.{preview.file[:8]}"
    st.text(
        _("{n:,} rows, {columns:,} columns; {written}").format(
            n=preview.n_examples, columns=len(preview.columns), written=preview.written
        )
    )
    rows, columns = st.tabs([_("First rows"), _("Columns")], key=f"{key}.tabs")
    with rows:
        cells = [[*row, *[""] * (len(preview.columns) - len(row))] for row in preview.rows]
        by_column = {name: [row[place] for row in cells] for place, name in enumerate(preview.columns)}
        st.dataframe(by_column, hide_index=True, key=f"{key}.rows")
    with columns:
        st.dataframe(_column_table(preview), hide_index=True, key=f"{key}.columns")
    kinds = dict(zip(preview.columns, preview.column_kinds, strict=True))
    targets = [name for name, kind in kinds.items() if kind not in ("constant", "text")]
    if not targets:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = _select(_("Predict"), targets, preview.suggested_target, f"{key}.target", _("The column to predict."))
        task = _task(preview, target, key)
        texts = [name for name, kind in kinds.items() if kind == "text"]
        inputs = _inputs(preview, texts, key) if preview.source == "csv" and texts else ""
    (_text_form if inputs else _columns_form)(preview, (target, task, inputs), key, on_use)


def _column_table(preview: UploadPreview) -> dict[str, list[Any]]:
    """One row per column."""
    words = {
        "number": _("number"),
        "category": _("category"),
        "text": _("text"),
        "constant": _("constant"),
        "id": _("names the row"),
    }
    missing, unique = preview.n_missing, preview.n_unique
    return {
        _("column"): list(preview.columns),
        _("kind"): [words[kind] for kind in preview.column_kinds],
        _("missing"): [] if missing is None else missing.tolist(),
        _("different values"): [] if unique is None else unique.tolist(),
        _("categories"): [", ".join(names[:12]) if kind == "category" else ""
                          for names, kind in zip(preview.categories, preview.column_kinds, strict=True)],
    }  # fmt: skip


def _task(preview: UploadPreview, target: str, key: str) -> Task:
    words: dict[Task, str] = {"classification": _("a class"), "regression": _("a number")}
    tasks = list(words)
    return st.selectbox(
        _("as"),
        tasks,
        tasks.index(task_of(preview, target)),
        format_func=words.__getitem__,
        key=f"{key}.task.{target}",
        persist_state="session",
        width=ASIDE,
        help=_("A class: one of several names. A number: more or less of something (regression)."),
    )


def _inputs(preview: UploadPreview, texts: list[str], key: str) -> str:
    """The column of texts to predict from; "" for all other columns."""
    words = {"": _("columns of numbers and categories")}
    chosen = preview.suggested_text if preview.suggested_text in texts else texts[0]
    return _select(_("from"), [*texts, ""], chosen, f"{key}.inputs", _("A column of texts, or all others."), words)


def _columns_form(preview: UploadPreview, wanted: tuple[str, Task, str], key: str, on_use: Use) -> None:
    target, task, _inputs = wanted
    usable = [name for name in usable_columns(preview) if name != target]
    default = default_columns(preview, target)
    left_out = st.multiselect(
        _("Leave out"),
        usable,
        [name for name in usable if name not in default],
        key=f"{key}.left_out.{target}",
        persist_state="session",
        placeholder=_("No column: all others are used"),
        help=_("Columns that the model does not get. Columns of text and constants are never among its inputs."),
    )
    columns = [name for name in usable if name not in left_out]
    drops = _drops(preview, target, task, key)
    if not columns:
        st.info(_("No column is left to predict from. Leave out fewer."), icon=":material/info:")
        return
    _offer(lambda: table_choice(preview, target, task, columns, **drops), key, on_use)


def _text_form(preview: UploadPreview, wanted: tuple[str, Task, str], key: str, on_use: Use) -> None:
    target, task, column = wanted
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = {"word": _("words"), "character": _("characters")}
        cut = _select(_("Tokens"), list(words), "word", f"{key}.tokens", _help(OwnText, "tokens"), words)
        length = _number(OwnText, "max_length", _("Length"), key)
        vocabulary = _number(OwnText, "max_vocabulary", _("Vocabulary"), key)
    drops = _drops(preview, target, task, key)

    def make() -> DatasetChoice:
        choice = text_choice(preview, column, target, task, **drops)
        return choice.but(tokens=cut, max_length=length, max_vocabulary=vocabulary)

    _offer(make, key, on_use)


def _drops(preview: UploadPreview, target: str, task: Task, key: str) -> dict[str, bool]:
    """Whether to leave out repeated rows and classes of one row; asked where there are any."""
    place = preview.columns.index(target)
    n_repeated = preview.n_examples - preview.n_distinct
    drop_duplicates = n_repeated > 0 and st.checkbox(
        counted("Leave out {n} row that equals an earlier one", "Leave out {n} rows that equal an earlier one", n_repeated),
        key=f"{key}.drop_duplicates",
        persist_state="session",
    )
    n_rare = int((preview.category_counts[place][int(drop_duplicates)] == 1).sum()) if task == "classification" else 0
    return {"drop_duplicates": drop_duplicates, "drop_rare": n_rare > 0 and _drop_rare(n_rare, f"{key}.{target}")}


def _drop_rare(n: int, key: str) -> bool:
    label = counted("Leave out {n} class of one example", "Leave out {n} classes of one example", n)
    return st.checkbox(label, key=f"{key}.drop_rare", persist_state="session")


def images_form(preview: UploadPreview, on_use: Use) -> None:
    """Thumbnails, the number of images of each class, and the size to bring all to."""
    if preview.thumbnails is None or preview.thumbnail_labels is None or preview.class_counts is None:
        return
    key = f"data.own.{preview.file[:8]}"
    st.text(_("{n:,} images of {k:,} classes").format(n=preview.n_examples, k=len(preview.class_names)))
    names = [preview.class_names[label] for label in preview.thumbnail_labels]
    image_picker(preview.thumbnails, names, -1, key=f"{key}.pictures", label=_("Some images of each class"), on_pick=_nothing)
    counts = {_("class"): list(preview.class_names), _("images"): preview.class_counts.tolist()}
    st.dataframe(counts, hide_index=True, key=f"{key}.classes")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        height = _number(OwnImages, "height", _("Height"), key, preview.suggested_side)
        width = _number(OwnImages, "width", _("Width"), key, preview.suggested_side)
        colours = {3: _("colours"), 1: _("grey")}
        channels = _select(
            _("As"), list(colours), 1 if preview.is_grey else 3, f"{key}.channels", _help(OwnImages, "channels"), colours
        )
        fits = {"crop": _("cut out the middle"), "pad": _("add a border"), "stretch": _("stretch")}
        fit = _select(_("Other shapes"), list(fits), "crop", f"{key}.fit", _help(OwnImages, "fit"), fits)
    n_rare = int((preview.class_counts == 1).sum())
    drop_rare = n_rare > 0 and _drop_rare(n_rare, key)
    _offer(lambda: images_choice(preview, height, width, channels, fit, drop_rare=drop_rare), key, on_use)


def _nothing(place: int) -> None:
    """Thumbnails are only looked at."""


def _select(label: str, options: list[Any], chosen: Any, key: str, about: str, words: dict[Any, str] | None = None) -> Any:
    """A select box that starts with `chosen`."""
    return st.selectbox(
        label,
        options,
        options.index(chosen) if chosen in options else 0,
        format_func=lambda option: (words or {}).get(option, str(option)),
        key=key,
        persist_state="session",
        width=ASIDE,
        help=about,
    )


def _number(cls: type[Any], name: str, label: str, key: str, start: int | None = None) -> int:
    """A whole number within the bounds of a field; its default, or `start`, at first."""
    info = cls.model_fields[name]
    low, high = (next(getattr(mark, side) for mark in info.metadata if hasattr(mark, side)) for side in ("ge", "le"))
    default = info.default if start is None else min(high, max(low, start))
    named = {"key": f"{key}.{name}", "help": _help(cls, name)}
    return int(st.number_input(label, low, high, default, persist_state="session", width=NARROW, **named))


def _help(cls: type[Any], name: str) -> str:
    return _(" ".join((cls.model_fields[name].description or "").split()))


def _offer(make: Callable[[], DatasetChoice], key: str, on_use: Use) -> None:
    """What the choices come to, and the button that takes it; or why they cannot be."""
    try:
        choice = make()
    except LayerwiseError as error:
        failure(error)
        return
    profile = choice.original_profile()
    shape = " × ".join(f"{size:,}" for size in profile.input_shape)
    what = counted("{n} class", "{n} classes", profile.n_classes) if profile.n_classes else _("one number")
    sizes = (profile.n_train, profile.n_validation, profile.n_test)
    st.text(_("{n:,} examples of {shape} inputs, {what} to predict").format(n=sum(sizes), shape=shape, what=what))
    st.button(_("Use this data"), key=f"{key}.use", type="primary", icon=":material/check:", on_click=on_use, args=(choice,))
