"""Making a lesson: choose what its link hides. And the way out of one: whoever opened such a link may see everything."""

from functools import partial
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from dashboard.session import lesson, state
from dashboard.text import _, counted

N_COLUMNS = 4


def lesson_button(box: str) -> None:
    """Opens the form, in place of the popover `box` that it stands in."""
    about = _("Choose what the link hides, so that the page shows only what the lesson is about.")
    close = partial(st.session_state.__setitem__, box, False)
    label = _("Make a lesson")
    if st.button(label, key="share.lesson", icon=":material/school:", width="stretch", help=about, on_click=close):
        _form_dialog()


def leave_lesson() -> None:
    """A small button that shows everything; nothing where nothing is hidden."""
    if not lesson.hidden():
        return
    st.button(
        _("Show everything"),
        key="lesson.show_all",
        icon=":material/visibility:",
        type="tertiary",
        on_click=lesson.show_all,
        help=counted("This lesson hides {n} thing.", "This lesson hides {n} things.", len(lesson.hidden())),
    )


def not_in_lesson(title: str) -> None:
    """In place of a screen that the lesson hides."""
    words = _("This lesson does not show the screen {name}. It can be seen after “Show everything” above.")
    st.info(words.format(name=title), icon=":material/school:")


def _form_dialog() -> None:
    """The dialog is declared here and not at import, so that its title is in the reader's language."""
    st.dialog(_("Make a lesson"), width="large", icon=":material/school:")(lesson_form)()


def lesson_form() -> None:
    """A checkbox for each group, and the link that comes of it."""
    st.text(_("Check what the lesson shall hide. Whoever opens its link can still ask to see everything."))
    result = st.container()
    present = lesson.hidden() or lesson.was_left()
    parts = list(lesson.PARTS.items())
    chosen: list[str] = []
    for at in range(0, len(parts), N_COLUMNS):
        for column, (part, label) in zip(st.columns(N_COLUMNS), parts[at : at + N_COLUMNS], strict=False):
            with column, st.container(gap="xxsmall"):
                st.markdown(f"**{_(label)}**")
                chosen += _checked(part, present)
    with result:
        _result(chosen)


def _result(chosen: list[str]) -> None:
    """The link, above what it is made from; and what it does, tried at once."""
    st.code(lesson_link(chosen), language=None, wrap_lines=True)
    if not state.fits_link():
        st.caption(_("The experiment is too large for a link: the lesson begins with a ready one. Share yours as a file."))
    with st.container(horizontal=True):
        if st.button(_("Try it here"), key="lesson.try", type="primary", icon=":material/visibility_off:", disabled=not chosen):
            lesson.hide(chosen)
            st.rerun()
        if st.button(_("Show everything"), key="lesson.all", icon=":material/visibility:", disabled=not lesson.hidden()):
            lesson.show_all()
            st.rerun()


def _checked(part: str, present: tuple[str, ...]) -> list[str]:
    """The groups of this part that are checked."""
    groups = [group for group in lesson.GROUPS if group.part == part]
    return [group.name for group in groups if st.checkbox(_(group.label), group.name in present, key=f"lesson.{group.name}")]


def lesson_link(hidden: list[str]) -> str:
    """The address of this page with the experiment in hand and what is hidden; of the first screen where this one is.

    A run or a room that is open now may be gone when the lesson is given.
    """
    scheme, host, path, *_rest = urlsplit(st.context.url or "")
    if path.strip("/").split("/")[-1] in hidden:
        path = path.rsplit("/", 1)[0] + "/"
    wanted = state.link_parts() | {lesson.LINK: ",".join(hidden)}
    wanted.pop("run", None)
    wanted.pop("room", None)
    return urlunsplit((scheme, host, path, urlencode({name: text for name, text in wanted.items() if text}, safe=","), ""))
