"""The engine of Layerwise: experiments go down, events come up. Knows no screen."""
