"""Rows in every table of a store: unicode, NULLs, history, archive and removed files too."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.clock import Clock
from viewra_lite import FileFacts, Store, WatchedRecord

HOUR_S = 3600.0
MOMENT = "2024-05-06 07:08:09.000000+00:00"
NAMES = {
    "films": ("Amélie (2001).mkv", "東京物語 (1953).mkv", "Gone (2001).mkv", "-trailer.mkv"),
    "series": ("Lost S01E01.mkv", "Lost S01E02.mkv"),
    "music": ("01 Aria.flac", "02 Żółć.flac"),
}
KINDS = {"films": "movie", "series": "tv", "music": "music"}

# What no verb makes without media, other programs or plugins.
MORE = {
    "media_streams": {"stream_index": 0, "kind": "audio", "codec": "aac", "language": "pl"},
    "media_chapters": {"chapter_index": 0, "start": 0.0, "title": "Début"},
    "media_extras": {"kind": "trailer", "title": "Bande-annonce"},
    "media_folders": {"path": "/media/Été", "signature": "", "is_pending": True},
    "plugins": {"id": "subs", "name": "Untertitel", "type": "enrichment", "enabled": True},
    "plugin_metadata": {"id": "m1", "plugin_id": "subs", "metadata_type": "x", "metadata": "{}"},
    "plugin_cursors": {
        "plugin_id": "subs",
        "metadata_type": "movie",
        "file_id": "",
        "is_complete": False,
        "change_id": 0,
        "change_at": MOMENT,
    },
    "plugin_storage": {"plugin_id": "subs", "key": "Schlüssel", "value": "1", "size": 11},
}


def fill(store: Store, clock: Clock, folder: Path) -> None:
    """Make rows in every table."""
    files = _files(store, folder)
    _catalogue(store, files)
    _watch(store, clock, files)
    _transcode(store, files)
    _forget_one(store, clock, folder, files)
    _import(store)
    store.maintenance.run_due()
    _more(store, files)


def _files(store: Store, folder: Path) -> dict[str, str]:
    for name, kind in KINDS.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "here").touch()  # an empty folder is that of a disk that is not mounted
        library = store.media.add_library(name, folder / name, kind)
        with store.media.reconcile(library.id) as found:
            for number, file in enumerate(NAMES[name]):
                facts = FileFacts(str(folder / name / file), 1000 + number, 1, duration=HOUR_S)
                found.add(facts)
    return {
        file.filename: file.id
        for library in store.media.libraries()
        for file in store.media.files(library.id).items
    }


def _catalogue(store: Store, files: dict[str, str]) -> None:
    media = store.media
    films, music, series = (
        next(one.id for one in media.libraries() if one.name == name)
        for name in ("films", "music", "series")
    )
    media.save_movie(
        films,
        title="Le Fabuleux Destin d’Amélie Poulain",
        year=2001,
        media_file_id=files["Amélie (2001).mkv"],
        cast=[{"name": "Audrey Tautou", "role": "Amélie"}],
        genres=["Comédie"],
    )
    media.save_movie(films, title="東京物語", media_file_id=files["東京物語 (1953).mkv"])
    media.save_movie(films, title="Gone", year=2001, media_file_id=files["Gone (2001).mkv"])
    show = media.save_show(series, title="Lost")
    media.save_season(show.id, season_number=1)
    for number in (1, 2):
        file = files[f"Lost S01E0{number}.mkv"]
        media.save_episode(
            show.id, season_number=1, episode_number=number, title="Piloto", media_file_id=file
        )
    album = media.save_album(music, title="Goldberg-Variationen", album_artist="Gould")
    media.save_track(album.id, title="Aria", track_number=1, media_file_id=files["01 Aria.flac"])
    media.save_track(album.id, title="Żółć", track_number=2, media_file_id=files["02 Żółć.flac"])


def _watch(store: Store, clock: Clock, files: dict[str, str]) -> None:
    playback = store.playback
    for name in NAMES["films"][:3]:
        session = playback.start_session(files[name], user_id="zoë", device_id="Fernseher")
        for position in range(600, 3600, 600):
            clock.advance(600)
            playback.heartbeat(session.id, float(position))
        playback.stop_session(session.id, position=3590.0)
    clock.advance(800 * 86400)
    playback.archive_history(older_than=timedelta(days=730))
    session = playback.start_session(files["Lost S01E01.mkv"], user_id="bob")
    clock.advance(3000)
    playback.heartbeat(session.id, 3000.0)
    playback.stop_session(session.id)
    playback.start_session(files["01 Aria.flac"], user_id="bob")
    playback.mark_watched("bob", files["Lost S01E02.mkv"])


def _transcode(store: Store, files: dict[str, str]) -> None:
    transcoding = store.transcoding
    transcoding.request(files["Amélie (2001).mkv"], {"height": 480})
    claimed = transcoding.claim_next("ffmpeg")
    assert claimed is not None
    transcoding.complete(claimed.id, output_path="/cache/é.mp4", file_size=5 << 30)
    transcoding.request(files["Amélie (2001).mkv"], {"height": 720})


def _forget_one(store: Store, clock: Clock, folder: Path, files: dict[str, str]) -> None:
    library = next(one for one in store.media.libraries() if one.name == "films")
    with store.media.reconcile(library.id, accept_missing=True) as found:
        for number, name in enumerate(NAMES["films"]):
            if name != "Gone (2001).mkv":
                path = str(folder / "films" / name)
                found.add(FileFacts(path, 1000 + number, 1, duration=HOUR_S))
    store.media.tidy(clock.advance(400 * 86400))


def _import(store: Store) -> None:
    records = [
        WatchedRecord(title="東京物語", completed=True),
        WatchedRecord(title="Ein Film, den es nicht gibt", year=1999, completed=True),
    ]
    store.importing.watched(records, user_id="jo")


def _more(store: Store, files: dict[str, str]) -> None:
    with store.writer():
        database: Any = store.media.db.backend.database
        mark = "?" if store.engine == "sqlite" else "%s"
        library = store.media.libraries()[0].id
        for table, values in MORE.items():
            names = {column.name: column for column in database.get_columns(table)}
            row = {
                **{
                    name: "2024-05-06 07:08:09.000000+00:00" for name in names if name[-3:] == "_at"
                },
                **({"media_file_id": files["01 Aria.flac"]} if "media_file_id" in names else {}),
                **({"library_id": library} if "library_id" in names else {}),
                **values,
            }
            database.execute_sql(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join([mark] * len(row))})",
                tuple(row.values()),
            )
