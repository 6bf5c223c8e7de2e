"""Functions that exported scripts copy as text: plain torch, no import of ours, lines of at most 100 characters."""
