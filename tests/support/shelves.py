"""Movies, shows and music on shelves: what the tests of the lists and the marks watch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viewra_lite import Store
from viewra_lite.media.models import Episode, MediaFile, MediaLibrary, Movie, TVShow
from viewra_lite.media.scanning.facts import FileFacts

HOUR_S = 3600.0


class Shelf:
    """A library whose files are told, not scanned."""

    def __init__(self, store: Store, folder: Path, type: str = "tv") -> None:
        folder.mkdir()
        self.store = store
        self.library: MediaLibrary = store.media.add_library(folder.name, folder, type)
        self._facts: dict[str, FileFacts] = {}

    def put(self, *names: str, duration: float | None = HOUR_S, **facts: Any) -> list[MediaFile]:
        """Put files on the shelf; without `identity` each is what its name says."""
        for name in names:
            path = f"{self.library.path}/{name.replace(':', ' ')}"
            identity = facts.get("identity", name.rpartition(".")[0])
            self._facts[name] = FileFacts(
                path, duration=duration, **{"size": len(self._facts), **facts, "identity": identity}
            )
        self._tell()
        return [self.file(name) for name in names]

    def take(self, *names: str) -> None:
        """Take files from the shelf: they are missing from now on."""
        for name in names:
            del self._facts[name]
        self._tell()

    def file(self, name: str) -> MediaFile:
        """Return a file as it is known now."""
        found = self.store.media.find_file(
            self.library.id, f"{self.library.path}/{name.replace(':', ' ')}"
        )
        assert found is not None
        return found

    def movie(self, title: str, year: int, *files: MediaFile) -> Movie:
        """Make a movie; the first file is its best."""
        best = files[0].id if files else None
        return self.store.media.save_movie(
            self.library.id, title=title, year=year, media_file_id=best
        )

    def show(self, title: str, *numbers: tuple[int, int], **facts: Any) -> dict[Any, Episode]:
        """Make a show with a file for each episode; returns its episodes by number."""
        names = [episode_name(title, *number) for number in numbers]
        files = self.put(*names, **facts) if names else []
        show = self.store.media.save_show(self.library.id, title=title)
        return {number: self.episode(show, *number, file) for number, file in zip(numbers, files)}

    def episode(
        self, show: TVShow | str, season: int, number: int, file: MediaFile | None = None
    ) -> Episode:
        """Add an episode to a show."""
        return self.store.media.save_episode(
            getattr(show, "id", show),
            season_number=season,
            episode_number=number,
            media_file_id=file and file.id,
        )

    def _tell(self) -> None:
        with self.store.media.reconcile(self.library.id, accept_missing=True) as files:
            for facts in self._facts.values():
                files.add(facts)


class Viewer:
    """Somebody who watches, a minute after another."""

    def __init__(self, store: Store, clock: Any, user: str = "ann") -> None:
        self.playback, self.clock, self.user = store.playback, clock, user

    def at(self, media: Any, position: float, **options: Any) -> None:
        """Stop in a file, or in an episode's, at a position in seconds."""
        self.clock.advance(60)
        self.playback.set_progress(self.user, file_id(media), position, **options)

    def watch(self, *media: Any) -> None:
        """Watch from the start to the end, one after another."""
        for each in media:
            self.at(each, 0.0)
            self.clock.advance(HOUR_S)
            self.at(each, HOUR_S)

    def begun(self, **options: Any) -> list[str]:
        """Return the titles of what is to be continued."""
        return [item.title for item in self.playback.continue_watching(self.user, **options)]

    def next(self, **options: Any) -> list[str]:
        """Return the titles of what comes next."""
        return [item.title for item in self.playback.next_up(self.user, **options)]


def file_id(media: Any) -> str:
    """Return the id of a file, or that of an episode's or a movie's."""
    return str(media.media_file_id if hasattr(media, "media_file_id") else media.id)


def episode_name(title: str, season: int, *numbers: int) -> str:
    """Return the name of a file with episodes of a show, which is also its identity."""
    span = "-".join(f"e{number:02}" for number in numbers)
    return f"episode:{title.lower()}::s{season:02}{span}.mkv"


def season(number: int, last: int) -> Sequence[tuple[int, int]]:
    """Return the numbers of a season's episodes, from the first on."""
    return [(number, episode) for episode in range(1, last + 1)]
