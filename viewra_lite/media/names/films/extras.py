"""Extras: trailers, deleted scenes and the like, and the film, show, season or episode of each.

The kind is the name of a folder ("Heat (1995)/Featurettes/Making of.mkv") or ends the file's name
("Heat (1995)-trailer.mkv"). Samples are extras by their folder only; kinds.is_sample() knows more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Union

from ..facts import EpisodeName, ExtraName, MovieName
from ..keys import fold
from ..kinds import stem_of
from ..shows.episodes import episode_name
from ..text import CRUFT, YEAR, before_cruft, without_group, words
from .movies import is_shelf, movie_name

# Folders by kind; a word that ends a file's name is the same without its plural.
_FOLDERS = {
    "trailer": "trailers, trailer, teasers, teaser",
    "behind_the_scenes": "behind the scenes, behindthescenes, making of",
    "deleted_scene": "deleted scenes, deletedscenes, deleted",
    "featurette": "featurettes, featurette",
    "interview": "interviews, interview",
    "scene": "scenes, scene",
    "short": "shorts",
    "clip": "clips, clip",
    "sample": "samples, sample, proof",
    "theme": "backdrops, theme-music",
    "other": "extras, extra, other, others, bonus, bonus features, special features, bloopers, "
    "gag reel, nc, creditless",
}
_KIND_OF_FOLDER = {name: kind for kind, names in _FOLDERS.items() for name in names.split(", ")}
_KIND_OF_ENDING = {
    "trailer": "trailer",
    "teaser": "trailer",
    "behindthescene": "behind_the_scenes",
    "makingof": "behind_the_scenes",
    "deleted": "deleted_scene",
    "deletedscene": "deleted_scene",
    "featurette": "featurette",
    "interview": "interview",
    "scene": "scene",
    "short": "short",
    "clip": "clip",
    "pv": "trailer",
    "blooper": "other",
    "gagreel": "other",
    "other": "other",
    "extra": "other",
}
_TRAILER = (
    r"(?:(?:official|theatrical|teaser|final|original|international)[ ._-]+)*(?:trailer|teaser)s?"
)
_NUMBER = r"(?P<number>[ ._-]?#?\d{0,2})"
_OF_TITLES = "scene|short|interview|other|clip|extra"
_ENDINGS = (
    # words of nothing else: "trailer", "heat.trailer2", "Heat - featurette"
    rf"(?P<film>.*?)(?:^|[ ]*-[ ]*|[._])"
    rf"(?P<word>{_TRAILER}|behindthescenes|deleted(?:scenes?)?|featurettes?|bloopers?){_NUMBER}",
    # after a hyphen or in brackets: "Heat - Deleted Scenes", "Heat (Trailer 2)"
    rf"(?P<film>.+?)(?:[ ]*-[ ]*|[ ._]*[(\[])(?P<word>{_TRAILER}|behind[ ._]the[ ._]scenes|"
    rf"deleted[ ._]scenes?|featurettes?|making[ ._]of|gag[ ._]reel|bloopers?){_NUMBER}[)\]]?",
    # words of titles too: "With Him (1995)-interview", not "The-Interview" or "Frost - Interview"
    rf"(?P<film>(?!.*{CRUFT.pattern}).*[ .(].*?)(?:-|(?<=[)\]])[ ]*-[ ]+)"
    rf"(?P<word>{_OF_TITLES}){_NUMBER}",
    # after the year: "Heat.1995.Trailer.720p"
    rf"(?P<film>.*[^\W_].*(?<![^\W_]){YEAR}[)\]]?)[ ._-]+(?P<word>{_TRAILER}){_NUMBER}"
    rf"(?:[ ._]*[\[(-].*|[ ._]{CRUFT.pattern}.*)?",
    # an opening, ending or advertisement of anime: "NCOP", "[Group] Show - OP2a", "PV"
    r"(?P<film>\[.*?)[ ._-](?P<word>(?-i:(?:OP|ED)(?=\d)|PV|CM))(?P<number>\d{0,2}[a-z]?)(?:v\d)?"
    r"(?:[ ._\[(-].*)?",
    r"(?P<film>.*?)(?:^|[ ._\]-])(?P<word>nc(?:op|ed))(?P<number>[ ._-]?\d{0,2}[a-z]?)(?:v\d)?"
    r"(?:[ ._\[(-].*)?",
)
_ENDING = tuple(re.compile(pattern, re.I) for pattern in _ENDINGS)
_AFTER_FOLDER = re.compile(rf"(?P<film>.+)-(?P<word>{_OF_TITLES}){_NUMBER}", re.I)
_BEGINNING = re.compile(
    rf"(?P<word>{_TRAILER}|behind[ ._-]?the[ ._-]?scenes|making[ ._]of|deleted[ ._]scenes?|"
    r"featurettes?|bloopers?|gag[ ._]reel|interviews?)(?![^\W_])",
    re.I,
)
# Most names have none of these, and searching them is faster than the patterns.
_HINTS = (
    *("trailer", "teaser", "behind", "deleted", "featurette", "making", "gag", "blooper", "scene"),
    *("short", "interview", "other", "clip", "extra", "ncop", "nced", "pv", "cm"),
    *(f"{word}{digit}" for word in ("op", "ed") for digit in range(10)),
)
_NUMBERED = re.compile(r"(?<![^\W_])(?:s\d{1,4}[ ._-]?e\d{1,4}|\d{1,2}x\d{2,3})", re.I)
_MARK = re.compile(rf"{_NUMBERED.pattern}|(?<![^\W_])season[ ._-]?\d{{1,4}}(?!\d)", re.I)
_SPECIAL = re.compile(r"(?<![^\W_])(?:s0+[ ._-]?e\d|0+x\d\d)", re.I)
_YEAR = re.compile(rf"[(\[]{YEAR}[)\]]")


class _Found(NamedTuple):
    kind: str
    parents: list[str]
    """The folders around the folder of extras, or around the file."""
    film: str
    """The part of the file's name that may name the film; the whole name in a folder of extras."""
    label: str
    is_in_folder: bool


def kind_of_extra(parts: Sequence[str], library_type: str) -> str | None:
    """Return an extra's kind, None for other files; `parts` run from the root to the name.

    A top folder called "Extras" or "Shorts" is a show or a shelf, not extras.
    """
    found = _found(parts, library_type)
    return None if found is None else found.kind


def extra_name(parts: Sequence[str], library_type: str, root_name: str = "") -> ExtraName | None:
    """Read an extra's kind, title and film (or show, season, episode); None for another file.

    `root_name` is the film or show of a "trailer.mkv" in the root itself.
    """
    found = _found(parts, library_type)
    if found is None:
        return None
    if not (found.parents or found.film):
        found = found._replace(parents=[root_name])
    owner = _movie(found) if library_type == "movie" else _episode(found)
    return ExtraName(found.kind, _title(found, owner), owner)


def _found(parts: Sequence[str], library_type: str) -> _Found | None:
    if library_type == "music":
        return None
    stem = stem_of(parts[-1])
    return _in_folder(parts[:-1], stem, library_type) or _ending(parts[:-1], stem, library_type)


def _in_folder(folders: Sequence[str], stem: str, library_type: str) -> _Found | None:
    """Find the nearest folder of extras that is inside another folder."""
    for at in range(len(folders) - 1, 0, -1):
        kind = _KIND_OF_FOLDER.get(folders[at].casefold().replace("_", " "))
        if kind is None:
            continue
        is_nearest = at == len(folders) - 1
        if _SPECIAL.search(stem) or (not is_nearest and _NUMBERED.search(stem)):
            return None
        inside = [*folders[at + 1 :], stem]
        if library_type == "movie" and _is_film_of_its_own(inside, folders[at - 1]):
            return None
        return _Found(kind, list(folders[:at]), stem, words(folders[at]), is_in_folder=True)
    return None


def _is_film_of_its_own(names: Sequence[str], above: str) -> bool:
    """Whether "Other" and "Shorts" are shelves: "Pixar/Shorts/La Luna (2011).mkv"."""
    if is_shelf(above):
        return True
    dated = [name for name in names if _YEAR.search(name)]
    return bool(dated) and not _YEAR.search(above) and not fold(dated[0]).startswith(fold(above))


def _ending(folders: Sequence[str], stem: str, library_type: str) -> _Found | None:
    """Find the word for an extra at the end of a file's name."""
    folded = stem.casefold()
    if not any(hint in folded for hint in _HINTS):
        return None
    found = next(filter(None, (pattern.fullmatch(stem) for pattern in _ENDING)), None)
    found = found or _after_folder(folders, stem)
    if found is None:
        return _beginning(folders, stem)
    is_attached = stem[: found.start("word")].endswith("-") and not found["film"].endswith(" ")
    is_numbered = _NUMBERED.search(stem) or found["film"].strip(" ._-").isdecimal()
    if library_type == "tv" and is_numbered and not is_attached:
        return None  # an episode with the title "Trailer"
    kind = _kind(found["word"])
    label = words(_label(found["word"], kind) + found["number"].strip(" ._-"))
    return _Found(kind, list(folders), found["film"], label, is_in_folder=False)


def _kind(word: str) -> str:
    said = re.sub(r"[ ._-]+", "", word.casefold()).rstrip("s")
    return next((kind for end, kind in _KIND_OF_ENDING.items() if said.endswith(end)), "other")


def _beginning(folders: Sequence[str], stem: str) -> _Found | None:
    """Find the word at the beginning: "Making of" in a folder "Film (year)" without that word."""
    found = _BEGINNING.match(stem) if folders and _YEAR.search(folders[-1]) else None
    if found is None or _YEAR.search(stem) or _BEGINNING.match(folders[-1]):
        return None
    return _Found(_kind(found["word"]), list(folders), stem, words(stem), is_in_folder=True)


def _after_folder(folders: Sequence[str], stem: str) -> re.Match[str] | None:
    """Match "Frost-interview" in a folder "Frost (2008)", but not "The-Interview"."""
    found = _AFTER_FOLDER.fullmatch(stem) if folders else None
    same = found and fold(folders[-1]).startswith(fold(words(found["film"])))
    return found if same else None


def _label(word: str, kind: str) -> str:
    """Return the words for an extra without a title: "Behind the scenes ", "NCOP"."""
    if word.casefold() in ("ncop", "nced", "op", "ed", "pv", "cm"):
        return word
    return f"{word if kind == 'trailer' else kind.replace('_', ' ').capitalize()} "


def _movie(found: _Found) -> MovieName:
    *around, folder = found.parents or [""]
    above = movie_name(around, folder) if folder and not is_shelf(folder) else None
    if above is not None and (found.is_in_folder or not found.film):
        owner = above
    else:
        owner = movie_name(found.parents, found.film)
        if above and owner.year is None and found.kind != "trailer" and not _names(owner, above):
            owner = above
    return replace(owner, edition=None, part=None, source=None)


def _names(owner: MovieName, above: MovieName) -> bool:
    return fold(owner.title).startswith(fold(above.title))


def _episode(found: _Found) -> EpisodeName:
    is_numbered = _NUMBERED.search(found.film) is not None
    parents = found.parents or [found.film]
    owner = episode_name(parents, found.film if is_numbered else "extra")
    return replace(
        owner,
        episodes=owner.episodes if is_numbered else (),
        absolute=None,
        air_date=None,
        title=None,
        later=owner.later if is_numbered else (),
    )


def _title(found: _Found, owner: Union[MovieName, EpisodeName]) -> str:
    """Take what the name says beside its film, else the word for its kind."""
    title = owner.title if isinstance(owner, MovieName) else owner.show
    text = words(before_cruft(without_group(found.film)))
    if text.casefold().startswith(title.casefold()):
        text = text[len(title) :]
    text = words(re.sub(rf"^[ ]*(?:[(\[]{YEAR}[)\]]|{YEAR}\b)", "", text))
    text = words(_MARK.sub(" ", text)) or found.label
    return text[:1].upper() + text[1:]
