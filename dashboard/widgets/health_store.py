"""What lies on the disk, what went wrong of late, and the settings that hold."""

import json
from datetime import UTC, datetime

import streamlit as st

from core.jobs.pool_health import PoolHealth
from core.logs import recent
from core.settings import Settings
from dashboard.session.vitals import StoreSize
from dashboard.text import _, counted
from dashboard.widgets.health_now import size_or_unknown
from dashboard.widgets.table_file import download_table


def store(pool: PoolHealth | None, size: StoreSize) -> None:
    """The parts of the store and their sizes."""
    runs = counted("{n} run", "{n} runs", pool.n_runs) if pool else _("unknown")
    rows = [
        (_("Artifacts and logs of runs"), size_or_unknown(pool.stored_bytes if pool else None), runs),
        (_("Database"), size_or_unknown(size.database), _("The logs of runs are in it.")),
        (_("Uploads"), size_or_unknown(size.uploads), counted("{n} file", "{n} files", size.n_uploads)),
        (_("Log files"), size_or_unknown(size.logs), ""),
        (_("Free on this disk"), size_or_unknown(size.free), ""),
    ]
    what, sizes, notes = (list(column) for column in zip(*rows, strict=True))
    st.dataframe({_("What"): what, _("Size"): sizes, _("Note"): notes}, hide_index=True, key="health.store")


def errors(pool: PoolHealth | None) -> None:
    """The last warnings and errors of server and supervisor, the newest first."""
    said = [(one, _("server")) for one in recent()] + [(one, _("supervisor")) for one in (pool.said if pool else ())]
    said.sort(key=lambda pair: -pair[0].time)
    if not said:
        st.caption(_("Neither server nor supervisor had anything to complain about since they were started."))
        return
    columns = {
        _("Time (UTC)"): [datetime.fromtimestamp(one.time, UTC).strftime("%Y-%m-%d %H:%M:%S") for one, _where in said],
        _("Where"): [where for _one, where in said],
        _("Level"): [one.level.lower() for one, _where in said],
        _("What"): [one.message for one, _where in said],
    }
    st.dataframe(columns, hide_index=True, key="health.errors")
    download_table(columns, "errors.csv", key="health.errors.file")


def settings_in_force(settings: Settings) -> None:
    """Every setting with its value; secrets are no settings."""
    values = json.loads(settings.model_dump_json())
    default = Settings()
    st.dataframe(
        {
            _("Setting"): [f"LAYERWISE_{name.upper()}" for name in values],
            _("Value"): [str(value) for value in values.values()],
            _("Default"): ["" if getattr(settings, name) != getattr(default, name) else _("yes") for name in values],
        },
        hide_index=True,
        key="health.settings",
    )
