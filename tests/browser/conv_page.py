"""A convolution and its receptive fields on one page; `?conv=<name>` chooses the convolution."""

import streamlit as st

from dashboard.components.conv_arithmetic import conv_arithmetic
from dashboard.components.receptive_field import receptive_field
from dashboard.widgets.inspect_unit import palettes
from tests.browser.conv_cases import field, parts

st.set_page_config(page_title="Convolution", layout="wide")
st.title("Convolution")
conv_arithmetic(parts(st.query_params.get("conv", "plain")), key="parts", palettes=palettes())
receptive_field(field(), key="field", palettes=palettes())
