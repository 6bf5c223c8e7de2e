"""Pieces that several screens share: forms, findings, failures, figures, looks through a lens."""
