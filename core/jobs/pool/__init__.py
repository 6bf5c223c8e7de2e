"""The supervisor: hears requests and workers, starts what waits, and is the only writer of the store."""
