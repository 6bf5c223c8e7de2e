"""Text as tokens: words, or characters. A Chinese or Japanese character is a word of its own."""

import re
from typing import Literal

TokenKind = Literal["word", "character"]
EAST = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{EAST}]|[^\W{EAST}]+(?:['’][^\W{EAST}]+)*|[^\w\s]")
MAX_TOKEN = 40
"""Characters; a longer word is cut."""


def tokens(text: str, kind: TokenKind) -> list[str]:
    """The tokens of a text in small letters; punctuation marks are tokens, spaces are none in words and one in characters."""
    if kind == "word":
        return [word[:MAX_TOKEN] for word in WORD.findall(text.lower())]
    return list(" ".join(text.lower().split()))


def n_words(text: str) -> int:
    """Words with a letter in them: 0 for a date or a price."""
    return sum(word[0].isalpha() for word in WORD.findall(text))
