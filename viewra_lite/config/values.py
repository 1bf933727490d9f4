"""Checks of option values, and how much of a wrong value a message may repeat.

Each check returns the converted value or raises Unfit, which names the expected value. Text from a
file, a URL or the environment and typed Python values pass the same checks.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TEXT_LIMIT_CHARS = 255  # the longest host name; PostgreSQL's own names end at 63 bytes
SHOWN_LIMIT_CHARS = 40  # of an offending value in a message
NAME_LIMIT_CHARS = 200  # the tail of a long file name that a message shows

# A message may repeat a number, perhaps with a unit, or one word; nothing that may be a secret (a
# forgotten newline or quote can move a password into another option's value).
PLAIN_WORD = r"[-+]?[0-9][0-9._,]{0,39}[A-Za-z%]{0,3}|[A-Za-z_-]{1,30}"

# Why a file cannot be read, in words for a user.
WHY_UNREADABLE = {
    errno.ENOENT: "it does not exist",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.EISDIR: "it is a folder, not a file",
    errno.EACCES: "this user has no permission to read it",
    errno.EPERM: "this user has no permission to read it",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its symbolic links form a loop",
}

# Compiled where one is first used: most openings need neither.
_WHOLE = r"-?(0|[1-9][0-9]{0,17})"
_FRACTION = r"[0-9]{1,3}([.][0-9]{1,20})?|[.][0-9]{1,20}"
_URL = re.compile(r"://|^[A-Za-z][A-Za-z0-9+.-]+:/")  # pathlib makes one slash of two
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Secret:
    """Text that is never shown: only reveal() returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> Any:
        if self._text:
            raise TypeError(
                "a configuration with a password cannot be pickled: pass the other process a "
                "source for Store.open() that names a password_file"
            )
        return Secret, ("",)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._text))


class Unfit(Exception):
    """The value is not as expected; the message never repeats the value."""


def check_whole(value: object, low: int, high: int) -> int:
    """Accept an int, or its plain decimal text."""
    expected = f"expected a whole number from {low} to {high}"
    if isinstance(value, str):
        if re.fullmatch(r"-?0[0-9]+", value):
            raise Unfit(f"{expected}, without leading zeros")
        value = int(value) if re.fullmatch(_WHOLE, value) else None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Unfit(expected)
    return int(value)


def check_fraction(value: object) -> float:
    """Accept a number from 0 to 1, or its plain decimal text."""
    if isinstance(value, str) and re.fullmatch(_FRACTION, value):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)  # NaN compares false and is refused below
    raise Unfit("expected a number from 0 to 1")


def check_choice(value: object, choices: tuple[str, ...]) -> str:
    """Accept one of the words, case-sensitively."""
    if isinstance(value, str) and value in choices:
        return value
    *most, last = choices
    raise Unfit(f"expected {', '.join(most)} or {last}{did_you_mean(value, choices)}")


def check_text(value: object) -> str:
    """Accept a printable name that is not blank."""
    if isinstance(value, str) and value.strip() and value.isprintable():
        _refuse_url(value)
        if len(value) <= TEXT_LIMIT_CHARS:
            return value
    raise Unfit(f"expected 1 to {TEXT_LIMIT_CHARS} printable characters")


def check_time_of_day(value: object) -> str:
    """Accept a time such as 02:00, or off."""
    if isinstance(value, str) and re.fullmatch(r"off|(?:[01][0-9]|2[0-3]):[0-5][0-9]", value):
        return value
    raise Unfit('expected a time of the day in quotes, "00:00" to "23:59", or off')


def check_order(value: object) -> str:
    """Accept ids with commas; others for a field after its name and a colon, after a semicolon."""
    order = r" *(?:[a-z_]+ *: *)?[a-z][a-z0-9]*(?: *, *[a-z][a-z0-9]*)* *"
    if isinstance(value, str) and (not value or re.fullmatch(f"{order}(?:;{order})*", value)):
        return value
    raise Unfit('expected ids of plugins, as in "tmdb, omdb" or "tmdb, omdb; rating: omdb"')


def check_secret(value: object) -> Secret:
    """Accept text that a server and a passfile can carry."""
    text = value.reveal() if isinstance(value, Secret) else value
    if not isinstance(text, str):
        raise Unfit("expected text: put it in quotes")
    if _CONTROL.search(text) or any("\ud800" <= char <= "\udfff" for char in text):
        raise Unfit("expected one line of Unicode text without control characters")
    return Secret(text)


def check_path(value: object) -> Path:
    """Accept a path, taken literally: ~ and $ are not expanded."""
    if not isinstance(value, (str, os.PathLike)):
        raise Unfit("expected a path: put it in quotes")
    text = os.fsdecode(value)
    if not text.strip():
        raise Unfit("expected a path, but it is empty")
    _refuse_url(text)
    if _CONTROL.search(text) or not _encodable(text):
        raise Unfit(
            "expected a path without control characters"
            " (in double quotes YAML reads \\ as an escape: use single quotes)"
        )
    return Path(text)


def check_database_path(value: object) -> Path:
    """Accept the path of a file, which need not exist."""
    path = check_path(value)
    text = os.fsdecode(value)  # type: ignore[arg-type]  # check_path() refuses other types
    if text == ":memory:":
        raise Unfit("a store cannot be kept in memory: give the path of a file")
    if text.startswith("file:"):
        raise Unfit("expected a plain path, not a file: URI")
    if text.replace(os.sep, "/").rpartition("/")[2] in ("", ".", "..") or os.path.isdir(text):
        raise Unfit("expected the path of a file, but this is a folder: add the file's name")
    return path


def check_optional_path(value: object) -> Path | None:
    """Accept a path, or None."""
    return None if value is None else check_path(value)


def _refuse_url(text: str) -> None:
    # Its password would become a folder's name, or appear in a message about a host.
    if _URL.search(text):
        raise Unfit(
            "a URL cannot be the value of an option: give it in place of the whole configuration,"
            " as in Store.open(URL) or --config URL"
        )


def _encodable(text: str) -> bool:
    try:
        return bool(os.fsencode(text))
    except UnicodeEncodeError:
        return False


# --- Parts of messages. ---


def shown(value: object) -> str:
    """Return an offending value for a message, unless it may be a misplaced secret."""
    if value is None:
        return ""
    if isinstance(value, str):
        is_plain = re.fullmatch(PLAIN_WORD, value)
        return f" (given: {value[:SHOWN_LIMIT_CHARS]!r})" if is_plain else ""
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**18):
        return f" (given: {value!r})"
    return f" (given: a value of type {type(value).__name__})"


def nearest(word: object, words: Iterable[str]) -> str | None:
    """Return the one of the words that is most like this word, or None."""
    import difflib

    if not isinstance(word, str):
        return None
    plain = word[:64].lower().replace("-", "_")
    folded = {name.lower().replace("-", "_"): name for name in words}
    near = difflib.get_close_matches(plain, folded, 1)
    near = near or [name for name in folded if len(plain) > 2 and plain in name]
    return folded[near[0]] if near else None


def did_you_mean(word: object, words: Iterable[str]) -> str:
    """Return " (did you mean …?)" for the end of a message, or ""."""
    near = nearest(word, words)
    return f" (did you mean {near}?)" if near else ""


def file_label(path: str) -> str:
    """Return a file's name for a message; masks the password of a URL given as a path."""
    head, at, tail = path.rpartition("@")
    label = f"{head.partition(':')[0]}:***@{tail}" if ":" in head else path
    label = re.sub(r"(?i)(password=)[^&#]*", r"\1***", label)
    label = label[-NAME_LIMIT_CHARS:]
    return label if label.isprintable() else ascii(label)


def key_label(key: object) -> str:
    """Return a key for a message, unless it looks like a misplaced value."""
    if isinstance(key, str) and re.fullmatch(PLAIN_WORD, key):
        return repr(key)
    return "(name not shown)"
