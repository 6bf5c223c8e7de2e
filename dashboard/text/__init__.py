"""Words on the screen, in the language of the person who reads them (gettext)."""

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
DEFAULT = "en"


def _default_language() -> str:
    return DEFAULT


_language: Callable[[], str] = _default_language


def use_languages(source: Callable[[], str]) -> None:
    """From now on `source()` says the language of whoever is asking (the app passes one that looks into the session).

    A function and not a value, since fragments and callbacks run without the app's first lines.
    """
    global _language
    _language = source


@cache
def _languages() -> frozenset[str]:
    """The languages that have a catalog."""
    return frozenset(folder.name for folder in LOCALE.glob("*") if folder.is_dir()) if LOCALE.is_dir() else frozenset()


def present_language() -> str:
    """The reader's language where there is a catalog for it; it comes from a stranger's browser, so it never names a path."""
    if not _languages():  # every word of every page asks
        return DEFAULT
    wanted = _language().replace("-", "_")
    return next((name for name in (wanted, wanted.partition("_")[0]) if name in _languages()), DEFAULT)


@cache
def _translator(language: str) -> gettext.NullTranslations:
    return gettext.translation("layerwise", LOCALE, languages=[language], fallback=True)


def _(text: str) -> str:
    """`text` in the reader's language; `text` itself where there is no translation."""
    return _translator(present_language()).gettext(text)


def counted(one: str, many: str, n: int) -> str:
    """`one` or `many` for `n` things, in the reader's language, with `{n}` filled in."""
    return _translator(present_language()).ngettext(one, many, n).format(n=f"{n:,}")


def duration(seconds: float) -> str:
    """A length of time in two digits, as a person reads it: `0.4 s`, `35 s`, `12 min`, `3.1 h`."""
    for unit, size in ((_("h"), 3600.0), (_("min"), 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.2g} {unit}" if seconds < 10 * size else f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.2g} {_('s')}" if seconds < 10 else f"{seconds:.0f} {_('s')}"


def size_words(n_bytes: int) -> str:
    """The size of a file as a person reads it, 1 kB being 1,000 bytes: `12.3 kB`."""
    if n_bytes < 1_000_000:
        return _("{size:,.1f} kB").format(size=n_bytes / 1000)
    return _("{size:,.1f} MB").format(size=n_bytes / 1_000_000)
