"""Titles of shows: what of a folder's name, or of the text before an episode's number, is one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..text import CRUFT, EAST_ASIAN, YEAR, before_cruft, words

_COMPLETE = re.compile(
    r"(?<=[^\W_])[ ._(\[-]+(?:the[ ._]+)?complete"
    r"(?:[ ._]+(?:tv[ ._]+)?(?:series|seasons?|collection|box.?set).*|[)\]. _-]*)$",
    re.I,
)
_SEASONS = re.compile(
    r"(?<=[^\W_])[ ._(\[-]+(?:seasons?|series|staffeln?|saisons?|temporadas?|stagion[ei])[ ._]"
    r"\d{1,2}[ ._]?(?:[-–&+,]|to|and)[ ._]?\d{1,2}(?![^\W_]).*",
    re.I,
)
_ORDINAL = re.compile(r"^\s*0\d(?:\. | - )(?=[^\W\d_])")  # "01 - " in a box set
YEAR_AT_END = re.compile(rf"[ _-]*[(\[]({YEAR})(?:[ ]?[-–][^)\]]*)?[)\]]")
_BARE_YEAR_AT_END = re.compile(rf"(?<=[^\W_][ ._-])[ ._-]*({YEAR})[ ._-]*$")
_ALSO_KNOWN_AS = re.compile(r" (?:AKA|aka|a\.k\.a\.) ")
_LATIN_WORD = re.compile(r"(?<![^\W\d_])(?=[A-Z]*[a-z])[A-Za-z'’]{4,}")
_EAST_ASIAN_WORDS = re.compile(rf"(?:\S*{EAST_ASIAN.pattern}\S*(?:\s+|$))+")
_OF_NO_SHOW = re.compile(
    r"\b(?:the|final|season|part|tv|movie|special|ova|new|series|[ivx]+)\b", re.I
)
_WORD_IN_BRACKETS = re.compile(r"(?<=[^\W_][ _])\[([^\W\d_]+)\](?=[ _][^\W\d_])")


@dataclass(frozen=True, slots=True)
class Show:
    """Show and season from a folder, or from the text before an episode's token."""

    title: str
    year: int | None = None
    season: int | None = None


def titled(text: str) -> Show:
    """Split "Show (2005) [tags]" or "Show.2005" into title and year."""
    text = _ORDINAL.sub("", before_cruft(_without_release_notes(text)))
    text = _COMPLETE.sub("", _SEASONS.sub("", text))
    year = YEAR_AT_END.search(text)
    if year is None or not words(text[: year.start()]):
        year = _BARE_YEAR_AT_END.search(text)
    head = text[: year.start()] if year else text
    outside = words(re.sub(r"\[[^\]]*(?:\]|$)", " ", head))
    title = outside or bracketed_title(head) or words(head).strip("[]")
    title = _ALSO_KNOWN_AS.split(title)[0]
    return Show(title, int(year.group(1)) if year else None)


def _without_release_notes(text: str) -> str:
    """Drop "[720p]"; "Our [Local] Idol" keeps its word."""
    text = re.sub(
        r"\[[^\]]*\]", lambda note: " " if CRUFT.search(note.group()) else note.group(), text
    )
    return _WORD_IN_BRACKETS.sub(r"\1", text)


def bracketed_title(text: str) -> str:
    """Return "Title" of "[标题][Title]": the first in Latin letters, else the last."""
    notes = [title for title in map(words, re.findall(r"\[([^\[\]]+)\]?", text)) if title]
    latin = (title for title in notes if _LATIN_WORD.search(title) and not EAST_ASIAN.search(title))
    return next(latin, notes[-1] if notes else "")


def is_bilingual(text: str) -> bool:
    """Whether a text has East Asian and Latin words."""
    return bool(EAST_ASIAN.search(text) and _LATIN_WORD.search(text))


def latin_title(title: str) -> str:
    """Return "Title" of "标题 Title": releases in one and in two languages are one show."""
    if not is_bilingual(title):
        return title
    parts = _EAST_ASIAN_WORDS.split(title.replace("·", " "))
    latin = [part for part in map(words, parts) if part]
    is_title = len(latin) == 1 and _LATIN_WORD.search(_OF_NO_SHOW.sub("", latin[0]))
    return latin[0] if is_title and not all(parts) else title
