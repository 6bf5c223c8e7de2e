"""The parts that streamlit does not have: each is one folder with a checked Python wrapper, its script and its style."""
