"""Movies: the folder and the file each have a reading, and the clearer one wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import capwords

from ..facts import MovieName
from ..guesses import Found, guess, release_start
from ..keys import fold
from ..text import CRUFT, YEAR, before_cruft, ids_in, without_group, without_ids, words

# Names that discs and players give: the folder above names the film.
_GENERIC = re.compile(
    r"(?:movie|film|video|feature|main|title|vts|vob|disc|cd|dvd|part|pt|untitled|index|"
    r"t|a|file|mainmovie|sample)?[ ._-]*\d{0,5}(?:[ ._]\d{1,2})?",
    re.I,
)
_DISC_FOLDER = re.compile(
    r"(?:video_ts|audio_ts|bdmv|stream|(?:cd|dvd|disc|disk|part)[ ._-]?(?P<part>\d{1,2}))", re.I
)
_SHELF = re.compile(r"(?:movies?|films?|videos?|downloads?|complete|new|incoming|unsorted)", re.I)
_IN_PARENTHESES = re.compile(rf"[ _-]*[(\[]({YEAR})(?:[-–][^)\]]*)?[)\]]")
_YEAR_FIRST = re.compile(rf"[(\[]?({YEAR})[)\]]?(?:[ ._]*-[ ._]*|[)\]][ ._]*)(?=[^\W\d_])")
_ORDINAL = re.compile(r"(?:0\d|[1-9])(?:\. | - )(?=[^\W\d_])")  # "01. " in a box set
_BARE_YEAR = re.compile(rf"(?<![^\W_])({YEAR})(?![^\W_])")
_STACKED = re.compile(r"[ ._(\[-]+(?:cd|dvd|dis[ck]|part|pt)[ ._-]*(\d{1,2})[)\]]?", re.I)
_STACKED_END = re.compile(
    r"(?:^|[ ._(\[-]+)(?:(?:cd|dvd|dis[ck])[ ._-]?|(?:part|pt))(\d{1,2})[)\]]?\s*$", re.I
)

_EDITION_NOTE = re.compile(r"\{edition-([^{}]+)\}", re.I)
_EDITION = re.compile(
    r"""(?<![^\W_])(?:
    (?P<directors>director'?’?s[ ._]+(?:cut|edition|definitive[ ._]+edition)|directors[ ._]cut)
    |(?P<final>(?:the[ ._])?final[ ._]cut) |(?P<ultimate>ultimate[ ._](?:cut|edition))
    |(?P<extended>extended(?:[ ._](?:cut|edition|version))?)
    |(?P<special>special[ ._]edition) |(?P<theatrical>theatrical(?:[ ._](?:cut|edition|version))?)
    |(?P<unrated>unrated(?:[ ._](?:cut|edition|version))?) |(?P<uncut>uncut)
    |(?P<collectors>collector'?’?s[ ._]edition)
    |(?P<criterion>criterion(?:[ ._](?:collection|edition))?)
    |(?P<anniversary>\d{2}th[ ._]anniversary(?:[ ._]edition)?)
    |(?P<remastered>(?:4k[ ._])?remastered)
    |(?P<redux>redux) |(?P<open>open[ ._]matte) |(?P<imax>imax(?:[ ._]edition)?)
    |(?P<despecialized>despecialized(?:[ ._]edition)?) |(?P<rogue>rogue[ ._]cut)
    |(?P<bw>black[ ._](?:and|&)[ ._](?:chrome|white)(?:[ ._]edition)?)
    |(?P<assembly>assembly[ ._]cut)
    )(?![^\W_])""",
    re.I | re.X,
)
_EDITION_LABELS = {
    "directors": "Director's Cut",
    "final": "Final Cut",
    "ultimate": "Ultimate Edition",
    "extended": "Extended",
    "special": "Special Edition",
    "theatrical": "Theatrical",
    "unrated": "Unrated",
    "uncut": "Uncut",
    "collectors": "Collector's Edition",
    "criterion": "Criterion",
    "remastered": "Remastered",
    "redux": "Redux",
    "open": "Open Matte",
    "imax": "IMAX",
    "despecialized": "Despecialized",
    "rogue": "Rogue Cut",
    "assembly": "Assembly Cut",
}


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one name, a folder's or a file's; `tail` follows title and year."""

    title: str
    year: int | None
    tail: str
    clear: bool = False  # "Title (year)": written by a person or a tool that knew


def movie_name(parents: list[str], stem: str) -> MovieName:
    """Read a movie's name from its file and the folders above it (nearest last)."""
    folders = [name for name in parents if not _DISC_FOLDER.fullmatch(name)]
    folder = folders[-1] if folders else ""
    stacked = _stacked(stem)
    bare = without_ids(stem[: stacked.start()] if stacked and _ends(stacked, stem) else stem)
    above = _plain_reading(folder)
    mine = _file_reading(bare, above)
    reading = _chosen(mine, above, folder)
    ids = ids_in(stem, folder)
    return MovieName(
        reading.title or stem,
        reading.year,
        _edition(stem, folder, mine.tail, above.tail),
        int(stacked.group(1)) if stacked else _disc_of(parents),
        ids.get("tmdb_id"),
        ids.get("imdb_id"),
    )


def is_shelf(folder: str) -> bool:
    """Whether a folder holds films of all kinds: "Movies", "Downloads"."""
    return _SHELF.fullmatch(folder) is not None


def _plain_reading(name: str) -> _Reading:
    """Read a name by its shape alone."""
    text = without_ids(name)
    text = without_group(text) if not re.match(rf"\s*\[[^\]]*\][ ._]*\({YEAR}\)", text) else text
    for year in reversed(list(_IN_PARENTHESES.finditer(text))):
        head = _title_part(text[: year.start()])
        if words(head):
            title = _ORDINAL.sub("", _unbracketed(words(head)))
            return _Reading(title, int(year.group(1)), text[len(head) :], clear=True)
    leading = _YEAR_FIRST.match(text)
    if leading and not _BARE_YEAR.search(text, leading.end()):
        head = _title_part(text[leading.end() :])
        tail = text[leading.end() + len(head) :]
        return _Reading(words(head), int(leading.group(1)), tail, clear=True)
    return _bare_reading(text)


def _bare_reading(text: str) -> _Reading:
    """Read "Title.1999.1080p": the last year before the release words, but never at the start."""
    cruft = CRUFT.search(text)
    years = [
        year
        for year in _BARE_YEAR.finditer(text, 0, cruft.start() if cruft else len(text))
        if words(text[: year.start()])
    ]
    head = _title_part(text[: years[-1].start()] if years else text)
    head = head.rstrip(".") if years and " " in head else head
    return _Reading(words(head), int(years[-1].group(1)) if years else None, text[len(head) :])


def _title_part(text: str) -> str:
    return _edition_cut(before_cruft(text))


def _unbracketed(title: str) -> str:
    whole = re.fullmatch(r"\[([^\[\]]+)\]", title)
    return whole.group(1) if whole else title


def _file_reading(stem: str, above: _Reading) -> _Reading:
    """Read the file's name, with guessit if its shape is ambiguous."""
    reading = _plain_reading(stem)
    is_settled = reading.year or _GENERIC.fullmatch(stem) or above.clear
    if is_settled:
        return reading
    guessed = guess(stem + ".mkv", "movie")
    return _guessed_reading(stem, reading, guessed) if guessed else reading


def _guessed_reading(stem: str, reading: _Reading, guessed: dict[str, list[Found]]) -> _Reading:
    """End the title at the first release word that guessit finds."""
    text = without_group(stem)
    begin = len(stem) - len(text)
    head = _title_part(stem[begin : release_start(guessed, begin, len(stem))])
    return _Reading(words(head) or reading.title, reading.year, stem[begin + len(head) :])


def _chosen(mine: _Reading, above: _Reading, folder: str) -> _Reading:
    if re.fullmatch(YEAR, folder) and folder != mine.title:
        return mine if mine.year else _Reading(mine.title, int(folder), mine.tail)
    if not folder or is_shelf(folder) or mine.clear:
        return mine
    if _GENERIC.fullmatch(mine.title) and not _is_same(mine, above):
        return above
    if above.clear and mine.year in (None, above.year):
        return above
    if above.year and mine.year is None and (CRUFT.search(folder) or _is_related(mine, above)):
        return above
    return mine


def _is_same(mine: _Reading, above: _Reading) -> bool:
    return bool(mine.title) and fold(mine.title) == fold(above.title) and not above.year


def _is_related(mine: _Reading, above: _Reading) -> bool:
    mine_key, above_key = fold(mine.title), fold(above.title)
    return mine_key.startswith(above_key) or above_key.startswith(mine_key)


def _stacked(stem: str) -> re.Match[str] | None:
    """Find "cd1" or "part1" that splits one film over files; "Part 1 (2010)" is a title."""
    at_end = _STACKED_END.search(stem)
    if at_end:
        return at_end
    year = _IN_PARENTHESES.search(stem) or _last_bare_year(stem)
    return _STACKED.search(stem, year.end()) if year else None


def _last_bare_year(stem: str) -> re.Match[str] | None:
    years = [year for year in _BARE_YEAR.finditer(stem) if year.start()]
    return years[-1] if years else None


def _ends(stacked: re.Match[str], stem: str) -> bool:
    return not stem[stacked.end() :].strip(" ._-)]")


def _disc_of(parents: list[str]) -> int | None:
    found = _DISC_FOLDER.fullmatch(parents[-1]) if parents else None
    return int(found["part"]) if found and found["part"] else None


def _edition_cut(title: str) -> str:
    """Drop an edition from a title's end: "Blade Runner The Final Cut" before its year."""
    found = None
    for found in _EDITION.finditer(title):
        pass
    if found is None or not words(title[: found.start()]) or words(title[found.end() :]):
        return title
    return title[: found.start()]


def _edition(stem: str, folder: str, *tails: str) -> str | None:
    for name in (stem, folder):
        note = _EDITION_NOTE.search(name)
        if note:
            return _label(note.group(1)) or note.group(1).strip()
    return next(filter(None, map(_label, tails)), None)


def _label(text: str) -> str | None:
    """Return the last edition that follows some title."""
    found = [match for match in _EDITION.finditer(text) if match.lastgroup]
    if not found:
        return None
    group = found[-1].lastgroup or ""
    said = words(found[-1].group())
    return _EDITION_LABELS.get(group) or (capwords(said) if said.islower() else said)
