"""Movies: the folder and the file each have a reading, and the clearer one wins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ..facts import MovieName
from ..guesses import Found, guess, release_start
from ..keys import fold
from ..text import (
    CRUFT,
    YEAR,
    before_cruft,
    ids_in,
    source_of,
    with_latin_first,
    without_group,
    without_ids,
    words,
)
from .editions import edition_of, without_end
from .parts import DISC_FOLDER, Part, loose_part, part_of, part_of_folders

# Names that discs and players give: the folder above names the film.
_GENERIC = re.compile(
    r"(?:movie|film|video|feature|main|title|vts|vob|disc|cd|dvd|part|pt|untitled|index|"
    r"t|a|file|mainmovie|sample)?[ ._-]*\d{0,5}(?:[ ._]\d{1,2})?",
    re.I,
)
_NUMBERED = re.compile(r"(?:movie|film|video|feature)[ ._-]*\d{1,5}", re.I)
_BY_TIME = re.compile(r"[A-Z]{2,4}_\d{8}_\d{6,9}")  # by phones: "VID_20200101_120000"
_SHELF = re.compile(
    r"(?:movies?|films?|videos?|downloads?|complete|new|incoming|unsorted|.|[a-z0-9]-[a-z0-9])",
    re.I,
)
_RELEASE_FOLDER = re.compile(rf".*(?:{CRUFT.pattern}).*-[^\W_]+$", re.I)
_SEVERAL = re.compile(r"(?<![^\W_])(?:trilogy|collection|anthology|pack|saga|complete)", re.I)
_IN_PARENTHESES = (
    re.compile(rf"[ _-]*[(\[]({YEAR})(?:[-–,][^)\]]*)?[)\]]"),
    re.compile(rf"[ _-]*[(\[][^()\[\]]*[ ]({YEAR})[)\]]"),  # "(Western 1950)"
)
_LABELLED_YEAR = re.compile(rf"\s*\[[^\]]*\][ ._]*\({YEAR}\)")
_YEAR_FIRST = re.compile(rf"[(\[]?({YEAR})[)\]]?(?:[ ._]*-[ ._]*|[)\]][ ._]*)(?=[^\W\d_])")
_HIGH_ORDINAL = re.compile(r"([1-9]\d)(?:\. | - )(?=[\d ]*[^\W\d_])")
_ORDINAL = re.compile(
    r"(?:(?:0\d|[1-9])(?:\. | - )|\(\d\d?\)[ ]*)(?=[\d ]*[^\W\d_])"
)  # "01. " in a box set
_BARE_YEAR = re.compile(
    rf"(?<![^\W_])({YEAR})(?:-{YEAR}|г\.?)?(?![^\W_]|[ ._-]\d\d[ ._-]\d\d(?!\d))"  # not of a date
)
_OTHER_TITLE = re.compile(r"(?<=\w)[ ._]+[(\[]?a\.?k\.?a\.?[ ._]+(?=\w)", re.I)
_LABEL = re.compile(r"[ ]*[-_][ ]*[a-z0-9]*[a-z][a-z0-9]*|[ ]*\([^()]*\)")

# "Title.(2001)", unlike "Dr. (2001)" and "R.I.P.D. (2013)".
_DOT_BEFORE_BRACKET = re.compile(r"(?<=[^\W_]{4})\.(?=[(\[])")


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one name, a folder's or a file's; `tail` follows title and year."""

    title: str
    year: int | None
    tail: str
    clear: bool = False  # "Title (year)" or an id: written by a person or a tool that knew


def movie_name(parents: Sequence[str], stem: str) -> MovieName:
    """Read a movie's name from its file and the folders above it (nearest last)."""
    folders = [with_latin_first(name) for name in parents if not DISC_FOLDER.fullmatch(name)]
    stem = with_latin_first(stem)
    folder, folder_part = _folder(folders)
    above = _plain_reading(folder)
    ids_above = ids_in(folder)
    above = replace(above, clear=True) if ids_above else above
    part = part_of(stem) or _part_of_title(stem, above)
    mine = _file_reading(without_ids(part.name if part else stem), above, folder)
    reading = _chosen(mine, above, folder)
    if ids_above and not above.title and _GENERIC.fullmatch(stem):
        reading = replace(reading, title=folder)  # "tt0111161/movie.mkv"
    ids = {**ids_above, **ids_in(stem)}
    number = part.number if part else part_of_folders(parents)
    return MovieName(
        reading.title or stem,
        reading.year,
        edition_of((stem, folder), (mine.tail, above.tail)),
        number or (folder_part.number if folder_part else None),
        ids.get("tmdb_id"),
        ids.get("imdb_id"),
        source_of(parents, (mine.tail, above.tail)),
    )


def _folder(folders: list[str]) -> tuple[str, Part | None]:
    """Return the film's folder and its part: of "Title (1999)/Title Disc 1" the one above and 1."""
    part = part_of(folders[-1]) if folders else None
    if part is None:
        return (folders[-1] if folders else ""), None
    above = _plain_reading(folders[-2]) if len(folders) > 1 else None
    is_above = above is not None and above.clear and _is_same(above, _plain_reading(part.name))
    return (folders[-2] if is_above else part.name), part


def _part_of_title(stem: str, above: _Reading) -> Part | None:
    """Find "Title - Part 2" in a folder "Title (year)"."""
    part = loose_part(stem) if above.clear else None
    return part if part and fold(words(part.name)) == fold(above.title) else None


def is_shelf(folder: str) -> bool:
    """Whether a folder holds films of all kinds: "Movies", "Downloads"."""
    return _SHELF.fullmatch(folder) is not None


@lru_cache(maxsize=1024)  # a file often has its folder's name, and the next file has it too
def _plain_reading(name: str) -> _Reading:
    """Read a name by its shape alone."""
    text = without_ids(name)
    text = _DOT_BEFORE_BRACKET.sub(" ", text) if " " in text else text
    text = without_group(text) if not _LABELLED_YEAR.match(text) else text
    text = text[ordinal.end() :] if (ordinal := _ORDINAL.match(text)) else text
    for pattern in _IN_PARENTHESES:
        for year in reversed(list(pattern.finditer(text))):
            head = _title_part(text[: year.start()], is_release=" " not in text)
            if words(head):
                title = _unbracketed(words(head))
                return _Reading(title, int(year.group(1)), text[len(head) :], clear=True)
    leading = _YEAR_FIRST.match(text)
    if leading and not _BARE_YEAR.search(text, leading.end()):
        head = _title_part(text[leading.end() :], is_release=False)
        tail = text[leading.end() + len(head) :]
        return _Reading(words(head), int(leading.group(1)), tail, clear=True)
    return _bare_reading(text)


def _bare_reading(text: str) -> _Reading:
    """Read "Title.1999.1080p": the last year before the release words, but never at the start.

    A name without one there may have it after them.
    """
    cruft = CRUFT.search(text)
    end = cruft.start() if cruft else len(text)
    years = [year for year in _BARE_YEAR.finditer(text) if words(text[: year.start()])]
    before = [year for year in years if year.start() < end]
    year = before[-1] if before else years[0] if years else None
    is_release = cruft is not None or "." in text
    rest = text[year.end() :] if year else ""
    head = _title_part(text[: year.start()] if year else text, rest, is_release=is_release)
    head = head.rstrip(" .") if year and " " in head else head
    return _Reading(words(head), int(year.group(1)) if year else None, text[len(head) :])


def _title_part(text: str, rest: str = "", *, is_release: bool) -> str:
    head = before_cruft(text)
    other = _OTHER_TITLE.search(head)
    head = head[: other.start()] if other else head
    return without_end(head, rest, is_release=is_release or head != text)


def _unbracketed(title: str) -> str:
    whole = re.fullmatch(r"\[([^\[\]]+)\]", title)
    return whole.group(1) if whole else title


def _file_reading(stem: str, above: _Reading, folder: str) -> _Reading:
    """Read the file's name, with guessit if its shape is ambiguous."""
    if _is_version(stem, folder):
        return replace(above, tail=stem[len(folder) :])
    ordinal = _HIGH_ORDINAL.match(stem)
    if ordinal and folder and not is_shelf(folder) and not folder.startswith(ordinal[1]):
        stem = stem[ordinal.end() :]
    reading = _plain_reading(stem)
    is_settled = reading.year or _GENERIC.fullmatch(stem) or above.clear or _BY_TIME.match(stem)
    if is_settled:
        return reading
    guessed = guess(stem + ".mkv", "movie")
    return _guessed_reading(stem, reading, guessed) if guessed else reading


def _is_version(stem: str, folder: str) -> bool:
    """Whether a name is its folder's and a label: "Title/Title - test.mkv"."""
    if not folder or folder.islower() or not stem.startswith(folder):
        return False
    label = stem[len(folder) :]
    return _LABEL.fullmatch(label) is not None and _BARE_YEAR.search(label) is None


def _guessed_reading(stem: str, reading: _Reading, guessed: dict[str, list[Found]]) -> _Reading:
    """End the title at the first release word that guessit finds."""
    text = without_group(stem)
    begin = len(stem) - len(text)
    ordinal = _ORDINAL.match(text)
    begin += ordinal.end() if ordinal else 0
    end = begin + len(before_cruft(stem[begin:]))
    end = min(end, release_start(guessed, begin, len(stem)))
    head = _title_part(stem[begin:end], is_release=end < len(stem))
    return _Reading(words(head) or reading.title, reading.year, stem[begin + len(head) :])


def _chosen(mine: _Reading, above: _Reading, folder: str) -> _Reading:
    if re.fullmatch(YEAR, folder) and folder != mine.title:
        return mine if mine.year else _Reading(mine.title, int(folder), mine.tail)
    if not folder or is_shelf(folder) or (mine.clear and not _is_title_from_year(mine, above)):
        return mine
    if _GENERIC.fullmatch(mine.title) and not _is_same(mine, above):
        return above if above.year or not _NUMBERED.fullmatch(mine.title) else mine
    if above.clear and (mine.year in (None, above.year) or _is_title_from_year(mine, above)):
        return above
    if above.year and mine.year is None and (CRUFT.search(folder) or _is_related(mine, above)):
        return above
    return above if _is_of_release(mine, above, folder) else mine


def _is_of_release(mine: _Reading, above: _Reading, folder: str) -> bool:
    """Whether a file in a release's folder has a name of its group's: "grp-film.mkv"."""
    if not _RELEASE_FOLDER.fullmatch(folder) or _SEVERAL.search(folder):
        return False
    is_prefixed = fold(mine.title).endswith("-" + fold(above.title))
    return mine.year is None or (mine.year == above.year and is_prefixed)


def _is_title_from_year(mine: _Reading, above: _Reading) -> bool:
    """Whether a name that seems to begin with a year is a title: "2001 - A Title"."""
    return above.clear and fold(above.title) == f"{mine.year}-{fold(mine.title)}"


def _is_same(mine: _Reading, above: _Reading) -> bool:
    return bool(mine.title) and fold(mine.title) == fold(above.title) and not above.year


def _is_related(mine: _Reading, above: _Reading) -> bool:
    mine_key, above_key = fold(mine.title), fold(above.title)
    return mine_key.startswith(above_key) or above_key.startswith(mine_key)
