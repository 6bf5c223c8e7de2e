"""The landscape lens: the loss around the weights of a moment, along a line, over a plane, and under the ways of a run."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.jobs.landscape_lenses import EXAMPLES, MAX_S, SIDES, SPANS, LandscapeJob, LossLineJob, LossSurfaceJob
from core.jobs.lenses import ExampleRef
from core.results.landscape import LossLine, LossSurface
from dashboard.figures.landscape import (
    SCALES,
    Scale,
    line_alt,
    line_figure,
    surface_alt,
    surface_figure,
    surface_solid,
)
from dashboard.session import resources
from dashboard.text import _, duration
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.landscape_words import (
    line_table,
    line_words,
    remember,
    sharpness_words,
    surface_table,
    surface_words,
)
from dashboard.widgets.lens import look
from dashboard.widgets.shared_plane import View, shared_plane
from dashboard.widgets.subject import Subject

AUTO_S = 3.0
"""What is estimated to take longer is asked for by a button: the lens's worker is shared, and the slider moves fast."""
PICTURE_PX = 660
"""Width of a plane whose axes have one unit; words stand beside it where there is room."""
AT_ONCE_S = 1.0
"""A plane that is done so soon is not drawn in steps."""


def panel(subject: Subject, *, key: str) -> None:
    """Which cut through the landscape, then that cut."""
    labels = {"plane": _("Around the weights"), "line": _("Along a line"), "ways": _("Ways of the run")}
    chosen = st.segmented_control(
        _("Cut"),
        list(labels),
        default="plane",
        key=f"{key}.cut",
        persist_state="session",
        format_func=labels.__getitem__,
        required=True,
    )
    {"plane": _plane, "line": _line, "ways": _ways}[chosen or "plane"](subject, f"{key}.{chosen}")


def _plane(subject: Subject, key: str) -> None:
    """Contours or a surface over two random directions; coarse at first, then finer."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = _choice(_("Loss over"), {"train": _("training"), "validation": _("validation")}, f"{key}.split")
        n_examples = _examples(subject, key)
        span = _span(key)
        side = _choice(
            _("Places per side"),
            {n: f"{n} × {n}" for n in SIDES},
            f"{key}.side",
            default=21,
            help=_("Coarse at first, then finer."),
        )
        seed = _seed(key)
        is_solid = _is_solid(key)
        scale = _scale(key)
    job = LossSurfaceJob(**_asked(subject), split=split, n_examples=n_examples, span=span, side=side, seed=seed)
    question = f"{subject.run}.{job.but(weights=None, side=SIDES[0], span=SPANS[0]).key()}"
    place = st.container()
    found: list[LossSurface] = []
    is_agreed = _is_agreed(job, key)
    coarser = [n for n in SIDES if n < side] if job.seconds > AT_ONCE_S else []
    for done, n in enumerate([*coarser, side]):
        stage = job.but(side=n)
        if stage.seconds <= AUTO_S or is_agreed:
            look(stage, LossSurface, found.append, key=f"{key}.at.{n}")
        if len(found) == done:  # it is not there yet
            break
    if found:
        with place:
            _surface(found[-1], question, key, is_solid=is_solid, scale=scale)


def _surface(surface: LossSurface, question: str, key: str, *, is_solid: bool, scale: Scale) -> None:
    draw = surface_solid if is_solid else surface_figure
    with st.container(horizontal=True, gap="large"):
        with st.container(width=PICTURE_PX):
            figure(draw(surface, scale=scale, dark=is_dark()), key=f"{key}.figure", alt=surface_alt(surface))
        with st.container(width="stretch"):
            middle, *what = surface_words(surface)
            st.text(middle)
            st.text(sharpness_words(surface, remember(surface, question)))
            for words in what:
                st.caption(plain(words))
            _downloads(surface, lambda: surface_table(surface), "loss-around-the-weights", key)


def _line(subject: Subject, key: str) -> None:
    """Loss and score along one line."""
    along_labels = {"random": _("a random direction"), "from_start": _("the way from the initial weights")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        along = _choice(_("Along"), along_labels, f"{key}.along", width=250)
        n_examples = _examples(subject, key)
        span, seed = (_span(key), _seed(key)) if along == "random" else (1.0, 0)
        scale = _scale(key)
    if along == "from_start" and subject.step == 0:
        st.info(
            _("These are the initial weights: from them to themselves there is no line. Take a later moment of a run."),
            icon=":material/info:",
        )
        return
    job = LossLineJob(**_asked(subject), along=along, n_examples=n_examples, span=span, seed=seed)

    def show(line: LossLine) -> None:
        figure(line_figure(line, scale=scale, dark=is_dark()), key=f"{key}.figure", alt=line_alt(line))
        st.text(line_words(line))
        _downloads(line, lambda: line_table(line), "loss-along-a-line", key)

    if _is_agreed(job, key):
        look(job, LossLine, show, key=f"{key}.line")


def _ways(subject: Subject, key: str) -> None:
    """The checkpoints of the run in the plane of their principal components, the moment marked on every way."""
    record = resources.reader().run(subject.run) if subject.run else None
    if record is None:
        st.info(_("No run yet: there are no ways to draw. Press Train, then come back."), icon=":material/info:")
        return
    lane, repeat = divmod(subject.series, subject.experiment.repeats)
    only: int | None = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(subject.experiment.lanes) > 1:
            which = {"all": _("all lanes in one plane"), "one": _("this lane in its own plane")}
            only = lane if _choice(_("Ways of"), which, f"{key}.lanes", width=230) == "one" else None
        is_solid = _is_solid(key)
        scale = _scale(key)
    shared_plane(record, key=key, view=View(only, repeat, subject.step, is_solid, scale))


def _asked(subject: Subject) -> dict[str, Any]:
    """What is looked at. The example has no part in it: another one must not make the landscape anew."""
    return subject.asked() | {"example": ExampleRef()}


def _is_agreed(job: LandscapeJob, key: str) -> bool:
    """What it costs, in words; whether it may be computed: it is quick, or the button was pressed for just this."""
    cost = _("{n:,} evaluations of at most {m:,} examples, about {time}.").format(
        n=job.n_evaluations, m=job.n_examples, time=duration(max(0.1, job.seconds))
    )
    agreed = f"{key}.agreed"
    if job.seconds <= AUTO_S or job.seconds > MAX_S or st.session_state.get(agreed) == job.key():
        st.caption(cost)
        return True

    def agree() -> None:
        st.session_state[agreed] = job.key()

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(_("Compute it"), key=f"{key}.agree", on_click=agree, icon=":material/landscape_2:")
        st.caption(cost)
    return False


def _downloads(result: LossLine | LossSurface, table: Callable[[], str], name: str, key: str) -> None:
    with st.container(horizontal=True):
        download_arrays(result, f"{name}.npz", key=f"{key}.npz", label=_("Download the numbers (NPZ)"))
        st.download_button(
            _("Download a table (CSV)"), table, f"{name}.csv", key=f"{key}.csv", icon=":material/download:", on_click="ignore"
        )


def _choice(label: str, options: dict[Any, str], key: str, *, default: Any = None, width: int = 150, help: str = "") -> Any:
    """A selectbox over a few things with their names; the first one, or `default`, at the start."""
    keys = list(options)
    return st.selectbox(
        label,
        keys,
        index=keys.index(default) if default is not None else 0,
        key=key,
        persist_state="session",
        format_func=options.__getitem__,
        width=width,
        help=help or None,
    )


def _examples(subject: Subject, key: str) -> int:
    """How many; few to begin with where many would make even a coarse plane slow."""
    is_slow = LossSurfaceJob(**_asked(subject), n_examples=256).seconds > AUTO_S
    options = {n: f"{n:,}" for n in EXAMPLES}
    return int(_choice(_("Examples"), options, f"{key}.examples", default=64 if is_slow else 256, width=110))


def _span(key: str) -> float:
    return float(
        _choice(
            _("Half-width"),
            {span: f"± {span:g}" for span in SPANS},
            f"{key}.span",
            default=1.0,
            width=110,
            help=_("In filter norms: at 1, every filter has moved by as much as its own norm."),
        )
    )


def _seed(key: str) -> int:
    return int(
        st.number_input(
            _("Direction"),
            min_value=0,
            max_value=9_999,
            step=1,
            key=f"{key}.seed",
            persist_state="session",
            width=130,
            help=_("The seed of the random directions. What holds for one seed alone is chance."),
        )
    )


def _is_solid(key: str) -> bool:
    labels = {"map": _("Map"), "solid": _("3-D")}
    chosen = st.segmented_control(
        _("View"),
        list(labels),
        default="map",
        key=f"{key}.view",
        persist_state="session",
        format_func=labels.__getitem__,
        required=True,
    )
    return bool(chosen == "solid")


def _scale(key: str) -> Scale:
    labels = {"log": _("log"), "clipped": _("clipped")}
    chosen: Scale | None = st.segmented_control(
        _("Loss scale"),
        SCALES,
        default="log",
        key=f"{key}.scale",
        persist_state="session",
        format_func=labels.__getitem__,
        required=True,
        help=_("So that cliffs do not swallow the valley: powers of ten, or an even scale that ends where cliffs begin."),
    )
    return chosen or "log"
