"""Folders of small media files that a scan reads as it reads those of people."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from .containers import flac, matroska

if TYPE_CHECKING:
    from ..media.models import MediaLibrary
    from ..store import Store


class Media:
    """Writes real files below a folder: videos of some kilobytes, and music with tags."""

    def __init__(self, root: Path) -> None:
        self.films = root / "films"
        self.shows = root / "shows"
        self.music = root / "music"

    def film(
        self, title: str, year: int | None = None, *, seconds: int = 2, imdb: str | None = None
    ) -> Path:
        """Write a film and return its path, such as films/Dune (1984)/Dune (1984).mkv.

        imdb is its id there, such as "tt0087182", as a tag in the file.
        """
        name = title if year is None else f"{title} ({year})"
        return self._video(self.films / name / f"{name}.mkv", seconds, imdb)

    def episode(self, show: str, season: int, number: int, *, seconds: int = 2) -> Path:
        """Write an episode and return its path, such as shows/Sherlock/Season 01/...S01E02.mkv."""
        name = f"{show} - S{season:02}E{number:02}.mkv"
        return self._video(self.shows / show / f"Season {season:02}" / name, seconds, None)

    def track(
        self,
        title: str,
        *,
        artist: str = "Glenn Gould",
        album: str = "The Goldberg Variations",
        number: int = 1,
        year: int | None = None,
        seconds: int = 2,
    ) -> Path:
        """Write a FLAC file of silence with these tags, and return its path."""
        tags = {"TITLE": title, "ARTIST": artist, "ALBUM": album, "TRACKNUMBER": str(number)}
        tags |= {"DATE": str(year)} if year is not None else {}
        return _written(
            self.music / artist / album / f"{number:02} {title}.flac", flac(seconds, tags)
        )

    def scan(self, store: Store) -> list[MediaLibrary]:
        """Scan the folders that have files, as libraries of the store, and return these.

        Reading the files needs the extra `scan`. Raises what add_library() and scan() raise.
        """
        libraries = []
        for folder, type in ((self.films, "movie"), (self.shows, "tv"), (self.music, "music")):
            if folder.is_dir():
                library = store.media.find_library(folder)
                library = library or store.media.add_library(folder.name, folder, type)
                store.media.scan(library.id)
                libraries.append(library)
        return libraries

    def _video(self, path: Path, seconds: int, imdb: str | None) -> Path:
        seed = sha256(str(path).encode()).digest()[:16]  # no two files have one content
        return _written(path, matroska(seconds, {} if imdb is None else {"IMDB": imdb}, seed))


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
