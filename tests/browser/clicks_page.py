"""Two buttons that count how often they were pressed."""

import time

import streamlit as st

st.session_state.setdefault("left", 0)
st.session_state.setdefault("right", 0)


def press(name: str) -> None:
    for _ in range(20):  # at each look into the session Streamlit might go on with a newer message
        time.sleep(0.001)
        seen = st.session_state[name]
    st.session_state[name] = seen + 1


for name in ("left", "right"):
    st.button(f"Press {name}", key=f"{name}.button", on_click=press, args=(name,))
st.text(f"Pressed: {st.session_state.left}, {st.session_state.right}")
