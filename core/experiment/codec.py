"""An experiment as a JSON file and as the text of a link, read back like any other input from a stranger."""

import base64
import binascii
import zlib

from core.errors import SpecError
from core.experiment.experiment import Experiment
from core.spec import MAX_TEXT_BYTES, parse_json

LINK_PREFIX = "lw1."
MAX_LINK_CHARACTERS = 8_000
"""Browsers and chats carry links of this length; a longer one is cut somewhere on its way."""


def file_text(experiment: Experiment) -> str:
    """The experiment as a JSON file, indented for a person."""
    return experiment.model_dump_json(indent=2) + "\n"


def from_file_text(text: str | bytes) -> Experiment:
    """The experiment in a JSON file.

    Raises:
        SpecError: it is not one; the message names the field, or the version when it comes from a newer Layerwise.
    """
    return parse_json(Experiment, text)


def link_text(experiment: Experiment) -> str:
    """The experiment as text for a link: version prefix, then compressed JSON in URL-safe base64."""
    packed = zlib.compress(experiment.model_dump_json(exclude_defaults=False).encode(), 9)
    return LINK_PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def from_link_text(text: str) -> Experiment:
    """The experiment in a link.

    Raises:
        SpecError: it is damaged, too long, inflates beyond the limit, or does not describe an experiment.
    """
    again = "Copy the whole link again, or ask for the experiment as a file."
    if len(text) > MAX_LINK_CHARACTERS:
        raise SpecError(f"This link has {len(text):,} characters, the limit is {MAX_LINK_CHARACTERS:,}.", hint=again)
    if not text.startswith(LINK_PREFIX):
        raise SpecError(
            "This link is not from this version of Layerwise.", hint=f"It should begin with {LINK_PREFIX!r}. {again}"
        )
    body = text[len(LINK_PREFIX) :]
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        inflater = zlib.decompressobj()
        plain = inflater.decompress(packed, MAX_TEXT_BYTES + 1)
    except (binascii.Error, ValueError, zlib.error):
        raise SpecError("This link is damaged.", hint=again) from None
    if len(plain) <= MAX_TEXT_BYTES and not inflater.eof:
        raise SpecError("This link is cut short.", hint=again)
    return parse_json(Experiment, plain)
