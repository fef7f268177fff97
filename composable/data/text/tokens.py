"""A text's words, and the characters in a word: the same when learning, predicting and in exports."""

from __future__ import annotations

import re
import unicodedata

# Scripts that don't put blanks between words: each of their characters counts as a word.
_SINGLE = (
    r"\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF"  # Thai and Lao, Burmese, Khmer
    r"\u3040-\u30FF\u3400-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF"  # kana, Chinese characters
)
# Signs in words that `\w` leaves out: accents, and the vowels of Hebrew, Arabic and the scripts of India.
_SIGNS = r"\u0300-\u036F\u0591-\u05C7\u064B-\u065F\u0900-\u0DFF"
_TOKEN = re.compile(rf"[{_SINGLE}]|(?:[^\W{_SINGLE}]|[{_SIGNS}])+|[^\w\s]")
_SHORTEST, _LONGEST = 2, 5  # character n-grams
_LONGEST_WORD = 40  # of a longer one, such as an address, this many characters are looked at


def tokens(text: str) -> list[str]:
    """The words of a text in lower case, after Unicode's NFKC; each punctuation mark and emoji is one."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def word_places(text: str) -> list[tuple[int, int]]:
    """Where each word begins and ends in a text as it was written."""
    return [found.span() for found in _TOKEN.finditer(text)]


def character_ngrams(word: str) -> list[str]:
    """The n-grams of two to five characters of a word with a blank at either end; none of a single letter."""
    if len(word) < _SHORTEST:
        return []
    marked = f" {word[:_LONGEST_WORD]} "
    ends = range(_SHORTEST, _LONGEST + 1)
    return [marked[start : start + size] for size in ends for start in range(len(marked) - size + 1)]
