"""Where runs live: one append-only event log per run, rows for runs and artifacts, files for large things."""
