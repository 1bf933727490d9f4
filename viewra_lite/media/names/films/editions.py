"""Editions of a film, and other words that end its title without being part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from string import capwords

from ..text import CRUFT, words

_NOTE = re.compile(r"\{edition-([^{}]+)\}", re.I)
# Labels and their words; a space is any gap, and an edition without a label is shown as written.
_EDITIONS = {
    "Director's Cut": "director'?’?s? (?:cut|edition|definitive edition|version)|"
    "(?-i:(?<!Washington )D?DC)",
    "Final Cut": "(?:the )?final cut",
    "Ultimate Edition": "ultimate (?:cut|edition)",
    "Ultimate Collector's Edition": "ultimate collector'?’?s? edition",
    "Collector's Edition": "collector'?’?s? edition|edition collector",
    "Extended": "extended(?: (?:cut|editions?|version))?|version longue",
    "Special Edition": "special (?:extended )?edition|(?-i:SE)",
    "Deluxe Edition": "deluxe edition",
    "Alternative Cut": "alternat(?:iv)?e cut",
    "International Cut": "international (?:cut|version)",
    "Theatrical": "theatrical(?: (?:cut|edition|version|release))?",
    "Unrated": "unrated(?: (?:cut|edition|version))?",
    "Uncut": "uncut",
    "Uncensored": "uncensored",
    "Criterion": "criterion(?: (?:collection|edition))?",
    "Restored": "(?:4k|digitally) restored",
    "Remastered": "(?:4k )?re-?master(?:ed)?",
    "Redux": "redux",
    "Recut": "re-?cut",
    "Open Matte": "open matte",
    "IMAX": "imax(?: edition)?",
    "Despecialized": "despecialized(?: edition)?",
    "Rogue Cut": "rogue cut",
    "Assembly Cut": "assembly cut",
    "Producer's Cut": "producer'?’?s cut",
    "Fan Edit": "fan ?edit",
    "Limited Edition": "limited edition",
    "2in1": "2in1",
    "": r"\d{2,3}th anniversary(?: edition)?|black (?:and|&) (?:chrome|white)(?: edition)?",
}
_LANGUAGES = (
    "german|french|italian|spanish|castellano|latino|portuguese|dutch|flemish|danish|swedish|"
    "norwegian|nordic|finnish|icelandic|polish|czech|hungarian|romanian|bulgarian|russian|"
    "ukrainian|turkish|greek|hebrew|arabic|persian|hindi|tamil|telugu|malayalam|kannada|bengali|"
    "punjabi|korean|japanese|chinese|mandarin|cantonese|thai|vietnamese|english|swissgerman|ita|esp|eng|rus"
)
# Only after the year: before it they are words of titles ("The Christmas Edition").
_LATE_EDITIONS = {
    "Director's Cut": "directors",
    "Alternative Cut": "alternative",
    "Festival Cut": "festival(?: cut)?",
    "Restored": "restored",
    "Integral": "int[eé]grale?(?: version)?",
    "": rf"(?!(?:the|{_LANGUAGES}) )(?:[^\W\d_]+ )?[^\W\d_]+ edition|(?!the )[^\W\d_]+ cut",
}
# Words that end a release's title: in any case, and in capitals ("Walk the Line" is a title).
_RELEASE_END = re.compile(
    r"(?<=[\w)\]][ ._-])(?:3d|\d[ ]?cds?|v\d|multi|do[ck]u|stv|(?:line|mic)[ ._]?dubbed|nfofix|"
    r"read[ ._]?nfo)[ ._-]*$",
    re.I,
)
_LOUD_END = re.compile(
    r"(?<=[\w)\]][ ._-])(?P<said>complete|convert|custom|dl|dual|dubbed|fs|hc|int[eé]grale?|"
    r"internal|ld|limited|line|md|ml|ntsc|om|pal|proper|r[1-6]|real|retail|subbed|ws|xxx)[ ._-]*$",
    re.I,
)
_IN_PARENTHESES = re.compile(r"(?<=\w)(?<! or)(?<!\.or)[ ._-]*\([^()]*\)[ ._-]*$", re.I)
_LABEL = re.compile(
    r"(?<=[^\W_])[ ._-]*(?:\[[^\[\]]*\]|\((?:vhs|dvd|bd|web|tv|u?hd|sd|3d)\))[ ._-]*$", re.I
)
_OPEN_BRACKET = re.compile(r"(?<=\w)[ ._-]*[\[(][^\[\]()]*$")
_LANGUAGE = re.compile(rf"(?<=[\w)\]][ ._-])(?P<language>{_LANGUAGES})[ ._-]*$", re.I)
_JOINED = re.compile(r"(?<![^\W_])(?:and|or|of|in|the|&)[ ._-]+$", re.I)  # "Longer and Uncut"
_FROM_ARTICLE = re.compile(r"(?:the|an?)[ ._]", re.I)
_TITLE_LANGUAGES = ("english", "latino")  # "Johnny English"
LEAST_WORDS_BEFORE_LANGUAGE = 3


def _any_of(labels_and_words: list[tuple[str, str]]) -> re.Pattern[str]:
    groups = "|".join(f"({each.replace(' ', '[ ._-]')})" for _, each in labels_and_words)
    return re.compile(rf"(?<![^\W_])(?:{groups})(?![^\W_])", re.I)


_EARLY = list(_EDITIONS.items())
_ALL = [*_EARLY, *_LATE_EDITIONS.items()]
_EARLY_WORDS, _ALL_WORDS = _any_of(_EARLY), _any_of(_ALL)


def edition_of(names: Iterable[str], tails: Iterable[str]) -> str | None:
    """Read an edition from a name's {edition-...}, else from the words after a title."""
    for name in names:
        note = _NOTE.search(name)
        if note:
            return _edition(note[1]) or note[1].strip()
    return next(filter(None, map(_edition, tails)), None)


@lru_cache(maxsize=1024)  # most files of a library end alike
def _edition(text: str) -> str | None:
    """Join the labels of a text's editions: "Extended Director's Cut"."""
    cruft = CRUFT.search(text)
    begin = cruft.start() if cruft else len(text)
    labels = [
        _label(found)
        for found in _ALL_WORDS.finditer(text)
        if found.start() < begin or (found.lastindex or 0) <= len(_EARLY)
    ]
    return " ".join(dict.fromkeys(labels)) or None


def _label(found: re.Match[str]) -> str:
    label, said = _ALL[(found.lastindex or 1) - 1][0], words(found.group())
    is_shouted = any(word.isupper() for word in said.split())
    return label or (capwords(said) if is_shouted or said.islower() else said)


def without_end(title: str, rest: str = "", *, is_release: bool) -> str:
    """Drop editions and labels from a title's end, and of a release also languages and notes.

    A language that the rest of the name has again belongs to the title.
    """
    while True:
        cut = _end(title, rest, is_release=is_release)
        if cut is None or not words(title[:cut]):
            return title
        title = title[:cut]


def _end(title: str, rest: str, *, is_release: bool) -> int | None:
    edition = None
    for edition in _EARLY_WORDS.finditer(title):
        pass
    if edition is not None and not words(title[edition.end() :]):
        before = title[: edition.start()]
        bracket = _OPEN_BRACKET.search(before)
        return None if _JOINED.search(before) else (bracket or edition).start()
    found = _LABEL.search(title)
    if found is None and is_release:
        found = _RELEASE_END.search(title) or _IN_PARENTHESES.search(title)
        found = found or _loud(title) or _language(title, rest)
    return found.start() if found else None


def _loud(title: str) -> re.Match[str] | None:
    """Find a word of a release in capitals ("LiMiTED"), unless all of the name is."""
    found = _LOUD_END.search(title)
    return found if found and _is_loud(found["said"], title[: found.start()]) else None


def _is_loud(said: str, before: str) -> bool:
    return said.replace("i", "I").isupper() and not before.isupper()


def _language(title: str, rest: str) -> re.Match[str] | None:
    """Find a release's language: in capitals, or where no film's title is likely to have it."""
    found = _LANGUAGE.search(title)
    if found is None:
        return None
    before, said = title[: found.start()], found["language"]
    if _is_loud(said, before):
        return found
    if said.isupper() or _JOINED.search(before):
        return None
    count = len(re.findall(r"[^\W_]+", before))
    if (
        (_FROM_ARTICLE.match(before) and count <= LEAST_WORDS_BEFORE_LANGUAGE)
        or said.casefold() in _TITLE_LANGUAGES
        or len(said) < 4
    ):
        return None
    is_likely = before[-1] in "._" or count >= LEAST_WORDS_BEFORE_LANGUAGE
    return found if is_likely and not re.search(rf"\b{said}\b", rest, re.I) else None
