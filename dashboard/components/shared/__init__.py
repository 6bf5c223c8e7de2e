"""What all components need: their scripts as cached files of the server, and what comes back from the browser.

Streamlit sends a component's script again with every changed message, so each sends a few lines that import the real one
from `/layerwise/<version>/<name>.js`, where it is cached for good.
"""

import base64
import hashlib
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

COMPONENTS = Path(__file__).resolve().parents[1]
PREFIX = "/layerwise"
PLOTLY = "/vendor/plotly.min.js"
MAX_SEQ = 2**53


@cache
def scripts() -> Mapping[str, bytes]:
    """All scripts of all components by file name."""
    return {path.name: path.read_bytes() for path in sorted(COMPONENTS.glob("*/*.js"))}


@cache
def version() -> str:
    """A digest of all scripts: it changes when any of them does, since they import each other."""
    return hashlib.sha256(b"\0".join(scripts().values())).hexdigest()[:12]


def loader(name: str) -> str:
    """The script that streamlit gets: it shows the newest data, whatever the order in which the imports of its calls end."""
    return (
        f'const url = new URL("{PREFIX}/{version()}/{name}.js", location.origin).href;\n'
        "const newest = new WeakMap();\n"
        "export default async (component) => {\n"
        "  newest.set(component.parentElement, component);\n"
        "  const { default: show } = await import(url);\n"
        "  return show(newest.get(component.parentElement));\n"
        "};\n"
    )


def declare(name: str) -> Any:
    """The streamlit component of the folder `name`, whose script is `<name>.js` with one default export."""
    style = (COMPONENTS / name / f"{name}.css").read_text(encoding="utf-8")
    html = f'<div class="lw-{name.replace("_", "-")}"></div>'
    return st.components.v2.component(f"layerwise_{name}", html=html, css=style, js=loader(name), isolate_styles=False)


def payload(key: str, event: str) -> Any:
    """What the browser sent with the trigger `event` of the component `key`; anything at all, or None."""
    state = st.session_state.get(key)
    return state.get(event) if isinstance(state, Mapping) else None


def acknowledged(key: str) -> int:
    """Number of the newest message of this component that was taken in."""
    return int(st.session_state.get(f"{key}.ack", 0))


def acknowledge(key: str, seq: object) -> None:
    """Note that message `seq` was taken in. Anything that is not a counting number is ignored."""
    if isinstance(seq, int) and not isinstance(seq, bool) and 0 < seq < MAX_SEQ:
        st.session_state[f"{key}.ack"] = seq


def picture_url(picture: np.ndarray) -> str:
    """A picture (H, W) or (H, W, 3) uint8 as an address that holds it whole, as a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
