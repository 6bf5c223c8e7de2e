"""Data sets that do not ship: whether their files are here, where to put them, and a button that fetches them."""

import streamlit as st

from core.data.menu import AnyDataset
from core.data.vision import VisionSet
from core.jobs.data_lenses import DownloadJob
from core.results.fetched import Fetched
from dashboard.session import resources
from dashboard.text import _
from dashboard.widgets.lens import look


def download_offer(data: AnyDataset, *, key: str) -> None:
    """What there is to say of the files; nothing for data sets that ship, and for files that are here."""
    settings = resources.settings()
    if not isinstance(data, VisionSet) or data.is_here(settings):
        return
    st.info(_("The files of {name} are not here yet. {where}").format(name=data.label, where=data.files.where(settings)))
    wanted = f"{key}.{data.kind}"
    if not st.session_state.get(f"{wanted}.is_wanted"):
        if st.button(_("Download {name}").format(name=data.label), key=wanted, icon=":material/download:"):
            st.session_state[f"{wanted}.is_wanted"] = True
            st.rerun()
        return

    def show(fetched: Fetched) -> None:
        st.success(_("{name} is here now.").format(name=data.label))

    look(DownloadJob(dataset=data.kind), Fetched, show, key=f"{wanted}.job")
