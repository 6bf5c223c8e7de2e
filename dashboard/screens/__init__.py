"""The screens: one file, one `render()` each, that reads like the page from top to bottom."""
