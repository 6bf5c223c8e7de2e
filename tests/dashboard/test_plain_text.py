"""What a stranger sent is shown as it is, and never names a path."""

import pytest

from core.errors import SpecError
from dashboard import text
from dashboard.widgets.failure import plain


@pytest.mark.fault(117)
@pytest.mark.parametrize("evil", ["![x](http://e/x.png)", "**b** `c` $x$ :material/home:", "<img src=x onerror=1>", "a\\b"])
def test_markdown_is_escaped_character_by_character(evil):
    shown = plain(evil)
    assert shown.replace("\\\\", "\0").replace("\\", "").replace("\0", "\\") == evil
    assert all(shown[i - 1] == "\\" for i, sign in enumerate(shown) if sign in "*`<>[]()!$:")


def test_plain_words_stay_plain():
    assert plain(str(SpecError("No lane 3", hint="Choose lane 0"))) == "No lane 3 Choose lane 0"


@pytest.mark.parametrize("locale", ["../../../../tmp/evil", "de", "xx_YY", "", "en\0"])
def test_a_strangers_locale_only_chooses_among_shipped_catalogs(locale, monkeypatch):
    monkeypatch.setattr(text, "_language", lambda: locale)
    monkeypatch.setattr(text, "_languages", lambda: frozenset({"fr"}))
    assert text.present_language() == "en"
    assert text._("Train") == "Train"
