"""Colours of points that stand for examples."""

from dashboard.figures import theme


def map_colours() -> dict[str, object]:
    """What `dashboard.components.embedding` draws with: colours of classes on a light and on a dark page, and a scale."""
    return {
        "palettes": [list(theme.categorical(False)), list(theme.categorical(True))],
        "other": theme.OTHERS,
        "scale": [colour for _, colour in theme.sequential()],
    }
