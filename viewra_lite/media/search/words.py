"""Splitting text into searchable words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ...database.orm.nodes import Groups

_LONGEST_TEXT = 1000  # characters read of a title, a name or a typed text
_LONGEST_WORD = 64  # characters
_MOST_TYPED = 16  # words of a search


def words(text: str) -> list[str]:
    """Split a text into its searchable words, each once.

    They have no case and no accents. Words joined by punctuation are found in parts and as one
    ("AC/DC": ac, dc, acdc), and every Chinese or Japanese character is a word.
    """
    found: list[str] = []
    for parts in _chunks(_AND.sub("and", _folded(text))):
        for part in parts:
            found += (part[0], part) if part[-1] in "+#" else (part,)
        if len(parts) > 1:
            found.append("".join(parts)[:_LONGEST_WORD])
    return list(dict.fromkeys(found))


def title_key(text: str) -> str:
    """Return a text's words in order, joined by spaces, to compare titles by."""
    chunks = _chunks(_AND.sub("and", _folded(text)))
    return " ".join(part for parts in chunks for part in parts)


def typed_words(text: str) -> Groups:
    """Return the words to find for a typed text: groups of alternative spellings."""
    groups: list[list[tuple[str, ...]]] = []
    left = _MOST_TYPED
    for parts in _chunks(_folded(text)):
        ways = [tuple(parts[:left])]
        if len(parts) > 1:
            ways.append(("".join(parts)[:_LONGEST_WORD],))
        elif _YEAR.fullmatch(parts[0]):
            ways.append((f"#y{parts[0]}",))
        groups.append(ways)
        left -= len(parts)
        if left <= 0:
            break
    return groups


_YEAR = re.compile("(?:18|19|20|21)[0-9]{2}")
_FRACTION = re.compile("[¼½¾⅐-⅞↉]")  # NFKD would glue 8½ to 81⁄2
_SIGNS = dict.fromkeys(map(ord, "™℠"), " ") | {ord("´"): "'"}  # these would become letters
_PLAIN = (
    {
        "ß": "ss",
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "ı": "i",
        "♯": "#",
        "_": " ",
    }
    | dict.fromkeys("'’‘‛ʼʻʹ`′", "'")
    | {char: char for char in "+#&"}
)
_SINGLE = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
_INVISIBLE = re.compile("[\ufe00-\ufe0f\u20d0-\u20ff\u034f\U000e0000-\U000e0fff]")
# After an apostrophe three letters are a word (d'Amélie), fewer an ending (Ocean's).
_ELISION = re.compile(r"(?<=\w)'(?=\w{3})")
_AND = re.compile(r"(?<!\S)&(?!\S)")
_PART = re.compile(r"(?<![^-+#&])[a-z](?:\+\+|#)|[^-+#&]+")


class _Letters(dict[int, str]):
    """For str.translate: the indexed form of each letter; " " or "-" for separators of words."""

    def __missing__(self, code: int) -> str:
        letter = _letter(chr(code))
        if len(self) < _LETTERS_KEPT:
            self[code] = letter
        return letter


_LETTERS_KEPT = 10_000
_LETTERS = _Letters()


def _letter(char: str) -> str:
    if char in _PLAIN:
        return _PLAIN[char]
    if _SINGLE.match(char):
        return f" {char} " if unicodedata.category(char)[0] in "LN" else " "
    category = unicodedata.category(char)
    if unicodedata.combining(char) or category == "Cf" or _INVISIBLE.match(char):
        return ""
    if category[0] in "LMN":
        return char
    return "-" if category[0] in "PS" else " "


def _folded(text: str) -> str:
    """Return text of letters, digits and + # & in which " " parts words and "-" glues them."""
    text = text[:_LONGEST_TEXT]
    if not text.isascii():
        text = _FRACTION.sub(r" \g<0>", text).translate(_SIGNS)
        text = unicodedata.normalize("NFKD", text)
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return _ELISION.sub("-", text.translate(_LETTERS)).replace("'", "")


def _chunks(folded: str) -> Iterator[list[str]]:
    """Yield the words of each piece between spaces."""
    for chunk in folded.split():
        if chunk.isalnum():
            yield [chunk[:_LONGEST_WORD]]
        elif parts := _PART.findall(chunk):
            yield [part[:_LONGEST_WORD] for part in parts]
