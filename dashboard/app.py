"""Page config, language, navigation. Every screen stands below the same header."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import LayerwiseError
from dashboard.screens import build, compress, data, evaluate, explain, export, inspect, race, runs, train
from dashboard.session import state
from dashboard.text import _, use_languages
from dashboard.widgets.failure import failure
from dashboard.widgets.header import header
from dashboard.widgets.links import know_pages

ASSETS = Path(__file__).parent / "assets"


def language() -> str:
    """The language of the visitor's browser, such as "de"; English for a download that is made outside of a run of the page."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    return st.context.locale or "en"


def main() -> None:
    """One run of the page's script."""
    st.set_page_config(page_title="Layerwise", page_icon=str(ASSETS / "icon.png"), layout="wide")
    st.html(ASSETS / "page.css")
    use_languages(language)
    state.load_link()
    train_page = st.Page(train.render, title=_("Train"), icon=":material/play_circle:", url_path="train", default=True)
    race_page = st.Page(race.render, title=_("Race"), icon=":material/flag:", url_path="race")
    pages = [
        st.Page(data.render, title=_("Data"), icon=":material/dataset:", url_path="data"),
        st.Page(build.render, title=_("Build"), icon=":material/layers:", url_path="build"),
        train_page,
        race_page,
        st.Page(inspect.render, title=_("Inspect"), icon=":material/search:", url_path="inspect"),
        st.Page(explain.render, title=_("Explain"), icon=":material/lightbulb:", url_path="explain"),
        st.Page(evaluate.render, title=_("Evaluate"), icon=":material/fact_check:", url_path="evaluate"),
        st.Page(runs.render, title=_("Runs"), icon=":material/table_rows:", url_path="runs"),
        st.Page(compress.render, title=_("Compress"), icon=":material/compress:", url_path="compress"),
        st.Page(export.render, title=_("Export"), icon=":material/ios_share:", url_path="export"),
    ]
    page = st.navigation(pages, position="top")
    know_pages({one.url_path or "train": one for one in pages})
    try:
        header({"train": train_page, "race": race_page}, here=page.url_path or "train")
        page.run()
    except LayerwiseError as error:  # the store or the pool is not there: said in place of the page
        failure(error)
    state.write_link()


main()
