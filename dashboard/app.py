"""Page config, language, navigation. Every screen stands below the same header."""

from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import LayerwiseError
from dashboard.screens import build, compress, data, evaluate, explain, export, health, inspect, race, room, runs, train
from dashboard.session import lesson, rooms, state
from dashboard.session.present import note_page
from dashboard.session.rooms_present import publish
from dashboard.session.visitor import visitor
from dashboard.text import _, use_languages
from dashboard.widgets.failure import failure
from dashboard.widgets.header import header
from dashboard.widgets.lens_wait import waiting_together
from dashboard.widgets.lesson import not_in_lesson
from dashboard.widgets.links import know_pages
from dashboard.widgets.my_space_login import ask_for_login, is_let_in
from dashboard.widgets.projector import projector_style, turn_pages
from dashboard.widgets.room_bar import go_where_it_is_shown, room_bar

ASSETS = Path(__file__).parent / "assets"
FIRST = "train"


def language() -> str:
    """The language of the visitor's browser, such as "de"; English for a download that is made outside of a run of the page."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    return st.context.locale or "en"


def screens() -> dict[str, StreamlitPage]:
    """The pages by name, in the order of the navigation; one that a lesson leaves out says so where it is opened by address."""
    known = {
        "data": (data.render, _("Data"), ":material/dataset:"),
        "build": (build.render, _("Build"), ":material/layers:"),
        "train": (train.render, _("Train"), ":material/play_circle:"),
        "race": (race.render, _("Race"), ":material/flag:"),
        "inspect": (inspect.render, _("Inspect"), ":material/search:"),
        "explain": (explain.render, _("Explain"), ":material/lightbulb:"),
        "evaluate": (evaluate.render, _("Evaluate"), ":material/fact_check:"),
        "runs": (runs.render, _("Runs"), ":material/table_rows:"),
        "compress": (compress.render, _("Compress"), ":material/compress:"),
        "export": (export.render, _("Export"), ":material/ios_share:"),
        "room": (room.render, _("Room"), ":material/groups:"),
        "health": (health.render, _("Health"), ":material/monitor_heart:"),
    }
    hidden = {name for name in known if lesson.is_hidden(name)} | ({"room"} if not state.kept("room") else set())
    hidden |= set() if visitor().is_host else {"health"}
    return {
        name: st.Page(
            partial(not_in_lesson, title) if lesson.is_hidden(name) else render,
            title=title,
            icon=icon,
            url_path=name,
            default=name == FIRST,
            visibility="hidden" if name in hidden else "visible",
        )
        for name, (render, title, icon) in known.items()
    }


def main() -> None:
    """One run of the page's script."""
    st.set_page_config(page_title="Layerwise", page_icon=str(ASSETS / "icon.png"), layout="wide")
    st.html(ASSETS / "page.css")
    use_languages(language)
    state.load_link()
    if is_let_in():
        note_page()
        rooms.arrive()
    lesson.tidy_link()
    projector_style(ASSETS / "projector.css")
    pages = screens()
    page = st.navigation(list(pages.values()), position="top" if is_let_in() else "hidden")
    know_pages(pages)
    here = page.url_path or FIRST
    shown = [name for name, one in pages.items() if one.visibility == "visible"]
    if page == pages[FIRST] and lesson.is_hidden(FIRST) and shown:
        st.switch_page(pages[shown[0]])  # the address alone opens what there is first
    try:
        if is_let_in():
            turn_pages(shown, here)
            go_where_it_is_shown(here)
            publish(here)
            with st.container():  # what comes and goes in it moves nothing below: moved charts would be built anew
                header(pages, here=here)
                room_bar(here)
            with waiting_together():
                page.run()
        else:
            ask_for_login()
    except LayerwiseError as error:  # the store or the pool is not there: said in place of the page
        failure(error)
    publish(here)
    state.write_link()


main()
