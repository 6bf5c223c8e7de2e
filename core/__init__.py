"""The engine of Layerwise: experiments go down, events come up. Knows no screen."""

VERSION = "0.1.0"
"""Of the whole project; pyproject.toml reads it. Results of lens jobs are not shared between versions."""
