"""Layers, stacks of layers, and what can be known of them without torch."""
