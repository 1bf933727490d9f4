"""Pictures beside the media, by name alone: which file is whose poster, backdrop, logo or still."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

_VIDEO: dict[str, tuple[str, ...]] = {
    "poster_path": ("poster", "folder", "cover"),
    "backdrop_path": ("fanart", "backdrop", "background"),
    "logo_path": ("clearlogo", "logo"),
    "thumb_path": ("landscape", "thumb"),
}
# The names of pictures in the folder of one title, the most telling first.
_GENERIC: dict[str, dict[str, tuple[str, ...]]] = {
    "movie": {**_VIDEO, "poster_path": (*_VIDEO["poster_path"], "movie")},
    "show": {**_VIDEO, "poster_path": (*_VIDEO["poster_path"], "show")},
    "season": {"poster_path": ("poster", "season-poster", "folder", "cover")},
    "album": {"cover_path": ("cover", "folder", "front", "album", "albumart")},
}
# The endings of pictures that are named after a file; "" is the name alone.
_OWN: dict[str, dict[str, tuple[str, ...]]] = {
    "movie": {
        **{
            column: tuple(f"-{name}" for name in names)
            for column, names in _VIDEO.items()
            if column != "poster_path"
        },
        "poster_path": ("-poster", "-folder", "-cover", ""),
    },
    "episode": {"still_path": ("-thumb", "-still", "")},
}
_SEASON = re.compile(
    r"season[ ._-]?(?:(?P<number>\d{1,4})|(?P<specials>specials?))(?:[ ._-]?poster)?"
)


class Pictures:
    """The pictures of one folder."""

    def __init__(self, names: Iterable[str]) -> None:
        found: dict[str, tuple[int, str]] = {}
        for name in names:
            stem, suffix = _parts(name)
            if suffix in SUFFIXES:
                rank = (SUFFIXES.index(suffix), name)
                found[stem] = min(found.get(stem, rank), rank)
        self._names: Mapping[str, str] = {stem: name for stem, (_, name) in found.items()}

    def generic(self, kind: str) -> dict[str, str]:
        """Return the pictures of the title that has the folder to itself, by column."""
        return self._first(_GENERIC[kind], "")

    def own(self, kind: str, stem: str) -> dict[str, str]:
        """Return the pictures that are named after a file, by column."""
        return self._first(_OWN[kind], stem.lower())

    def seasons(self) -> dict[int, str]:
        """Return the posters of seasons in a show's folder, by number; specials are 0."""
        found: dict[int, str] = {}
        for stem, name in sorted(self._names.items()):
            season = _SEASON.fullmatch(stem)
            if season is not None:
                found.setdefault(int(season["number"] or 0), name)
        return found

    def _first(self, columns: Mapping[str, tuple[str, ...]], stem: str) -> dict[str, str]:
        found = {}
        for column, endings in columns.items():
            name = next(
                (self._names[stem + one] for one in endings if stem + one in self._names), None
            )
            if name is not None:
                found[column] = name
        return found


def is_picture(name: str) -> bool:
    """Whether a file is a picture."""
    return name.lower().endswith(SUFFIXES)


def _parts(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.lower().rpartition(".")
    return (stem, dot + suffix) if dot else (name.lower(), "")
