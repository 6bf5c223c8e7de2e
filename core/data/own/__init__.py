"""A visitor's own data: kept by content, checked before memory is taken, previewed and then described by a checked spec.

`keep` and the choices run in the process that serves the pages; previews and all reading of data run in a worker.
"""
