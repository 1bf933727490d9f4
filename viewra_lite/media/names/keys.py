"""Keys that titles are compared and sorted by."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that NFKD leaves whole although people type them in plain ASCII.
_PLAIN = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "Ø": "o",
        "æ": "ae",
        "Æ": "ae",
        "œ": "oe",
        "Œ": "oe",
        "ł": "l",
        "Ł": "l",
        "đ": "d",
        "Đ": "d",
        "ð": "d",
        "Ð": "d",
        "þ": "th",
        "Þ": "th",
        "ħ": "h",
        "Ħ": "h",
        "ı": "i",
        "&": " and ",
        "＆": " and ",
        "﹠": " and ",
    }
)
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘‛ʼʻʹ´`′＇"))


# Characters: PostgreSQL's indexes hold 2,704 bytes a row, and an identity has up to three keys.
LONGEST_KEY = 200


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Reduce a title to a key: no case, accents or punctuation; words joined by "-".

    Letters of every script stay. Text of punctuation only becomes its code points ("u0021"), so
    that titles still differ; blank text becomes "".
    """
    plain = _without_accents(text.translate(_APOSTROPHES).translate(_PLAIN))
    letters = "".join(char if _is_letter(char) else " " for char in plain)
    folded = "-".join(letters.split())
    punctuation = "-".join(f"u{ord(char):04x}" for char in text if _is_mark(char))
    return (folded or punctuation)[:LONGEST_KEY].rstrip("-")


def _without_accents(text: str) -> str:
    """Drop Latin, Greek and Cyrillic accents; a mark of another script may be half its letter."""
    for _ in range(3):  # casefold may yield letters that decompose again
        spread = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES).translate(_PLAIN)
        bare = "".join(char for char in spread if not "\u0300" <= char <= "\u036f")
        text = unicodedata.normalize("NFC", bare.casefold())
    return text


def _is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def _is_mark(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char)[0] != "C"


# Only articles that are nothing else in another language: "Die Hard" and "La La Land" keep theirs.
_ARTICLE = re.compile(r"(?:(?:the|a|an|le|les|der|das|el|il|une)\s+|l['’])(?=\S)")


def sort_title(title: str) -> str:
    """Make the text to sort by: no leading article or accents, numbers padded to five digits."""
    text = _without_accents(title.replace("’", "'").replace("'", "\x01")).replace("\x01", "'")
    text = " ".join(text.split()).lstrip("\"'([{¡¿.…-_#* ") or " ".join(title.casefold().split())
    text = _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text
    return re.sub(r"\d+", lambda digits: digits.group().zfill(5), text)[:LONGEST_KEY]
