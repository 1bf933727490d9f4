"""A store that holds what the samples of imported files name."""

from __future__ import annotations

import os
from pathlib import Path

from viewra_lite import FileFacts, Store


class Home:
    """A store with what the samples name."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        folder.mkdir()
        library = store.media.add_library("All", folder, "movie")
        names = ("Dune.mkv", "Alien.mkv", "Dark 1.mkv", "Dark 2.mkv", "Warszawa.flac")
        with store.media.reconcile(library.id) as files:
            for number, name in enumerate(names):
                seconds = 400.0 if name.endswith("flac") else 3060.0 if "Dark" in name else 9300.0
                files.add(
                    FileFacts(os.path.join(library.path, name), number + 1, 1, duration=seconds)
                )
        ids = {Path(file.path).stem: file.id for file in store.media.files(library.id).items}
        self.files = ids
        media = store.media
        media.save_movie(
            library.id,
            title="Der Wüstenplanet",
            year=2021,
            tmdb_id=438631,
            imdb_id="tt1160419",
            media_file_id=ids["Dune"],
        )
        media.save_movie(library.id, title="Alien", year=1979, media_file_id=ids["Alien"])
        show = media.save_show(library.id, title="Dark", year=2017, tvdb_id=334824)
        for number, title in ((1, "Secrets"), (2, "Lies")):
            media.save_episode(
                show.id,
                season_number=1,
                episode_number=number,
                title=title,
                media_file_id=ids[f"Dark {number}"],
            )
        album = media.save_album(library.id, title="Low", album_artist="David Bowie")
        media.save_track(album.id, title="Warszawa", media_file_id=ids["Warszawa"])

    def plays(self) -> list[tuple[str | None, bool]]:
        return sorted(
            (play.title, play.completed) for play in self.store.playback.history("ann").items
        )
