"""Training as a generator of events: stop is `close()`, pause is not pulling, a live change is `send(SetHyper(...))`."""
