"""What a person or a guest has stored and cannot be read is named by table, column and row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.libraries import blob, clip
from viewra_lite import FileFacts, Store
from viewra_lite.database.orm.models import open_database
from viewra_lite.errors import CorruptStoreError
from viewra_lite.media.models import (
    Album,
    Episode,
    MediaFile,
    MediaLibrary,
    Movie,
    TVShow,
    Track,
    Work,
)
from viewra_lite.playback.models import PlaybackHistory, PlaybackSession, UserMediaProgress
from viewra_lite.transcoding.models import TranscodeCache, TranscodeSession

pytestmark = pytest.mark.usefixtures("probing_here")

WRONG: dict[str, list[Any]] = {  # by field_type, as SQLite takes it
    "DATETIME": ["yesterday", "2024-13-01 00:00:00", b"x", 5.5],
    "DATE": ["soon", "2024-02-30", 7],
    "INT": ["many", 1.5, b"x"],
    "BIGINT": ["many", 1.5],
    "DOUBLE": ["long", b"x", 9e999],
    "BOOL": ["maybe", 2],
    "JSON": ["{broken", b"x"],
}
POSTGRES: dict[str, list[str]] = {  # as SQL
    "DATETIME": ["'infinity'", "'-infinity'", "'20000-01-01 00:00:00+00'", "'0044-03-15 BC'"],
    "DATE": ["'infinity'", "'20000-01-01'"],
    "DOUBLE": ["'NaN'", "'Infinity'"],
}


class Home:
    """A store with a row in every table that verbs read."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        media, playback, transcoding = store.media, store.playback, store.transcoding
        blob(folder / "a.mkv")
        self.library = media.add_library("m", folder, "movie").id
        media.scan(self.library)
        self.file = media.files(self.library).items[0].id
        self.movie = media.save_movie(
            self.library, title="Dune", year=2021, media_file_id=self.file, genres=["x"]
        ).id
        self.show = media.save_show(self.library, title="Dark").id
        self.episode = media.save_episode(
            self.show, season_number=1, episode_number=1, media_file_id=self.file
        ).id
        self.album = media.save_album(self.library, title="Low").id
        self.track = media.save_track(self.album, title="Warszawa").id
        self.session = playback.start_session(self.file, user_id="ann", duration=7200).id
        playback.heartbeat(self.session, 1000)
        ended = playback.start_session(self.file, user_id="bob", duration=7200).id
        playback.heartbeat(ended, 900)
        playback.heartbeat(ended, 1800, state="completed")
        self.play = ended
        self.job = transcoding.request(self.file, {"height": 720}).id
        other = transcoding.request(self.file, {"height": 480}).id
        transcoding.claim_next("w")
        transcoding.claim_next("w")
        transcoding.complete(other, output_path=folder / "out", file_size=5)
        self.hash = transcoding.session(other).content_hash
        self.entry = transcoding.cached(self.hash).id

    def spoil(self, model: Any, column: str, value: str, *parameters: Any) -> None:
        """Store a value as a person would, past all checks."""
        with self.store.writer():
            if self.store.engine == "sqlite":
                open_database.execute_sql("PRAGMA ignore_check_constraints=1")
            open_database.execute_sql(
                f'UPDATE {model._meta.table_name} SET "{column}" = {value}', parameters
            )

    def stored(self, model: Any, column: str) -> Any:
        with self.store.reader():
            return open_database.execute_sql(
                f'SELECT "{column}" FROM {model._meta.table_name}'
            ).fetchone()[0]

    def put_back(self, model: Any, column: str, value: Any) -> None:
        self.spoil(model, column, "?" if self.store.engine == "sqlite" else "%s", value)


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Home:
    (tmp_path / "m").mkdir()
    return Home(store, tmp_path / "m")


READS: dict[Any, tuple[str, Callable[[Home], Any]]] = {
    MediaLibrary: ("library", lambda home: home.store.media.library(home.library)),
    MediaFile: ("file", lambda home: home.store.media.file(home.file)),
    Movie: ("movie", lambda home: home.store.media.movie(home.movie)),
    TVShow: ("show", lambda home: home.store.media.show(home.show)),
    Album: ("album", lambda home: home.store.media.album(home.album)),
    Track: ("track", lambda home: home.store.media.track(home.track)),
    PlaybackSession: ("session", lambda home: home.store.playback.session(home.session)),
    UserMediaProgress: ("file", lambda home: home.store.playback.progress("ann", home.file)),
    TranscodeSession: ("job", lambda home: home.store.transcoding.session(home.job)),
    TranscodeCache: ("entry", lambda home: home.store.transcoding.pin(home.hash)),
}
# What a row is found by, is held by a CHECK, or is written by the verb that reads.
KEYS = {
    "id",
    "user_id",
    "media_file",
    "media_file_id",
    "library",
    "library_id",
    "album",
    "work",
    "content_hash",
    "probe_state",
    "status",
    "end_time",
    "show",
    "show_id",
    "pinned",
}


def test_every_column_of_every_table_names_the_row_that_holds_what_it_cannot(home: Home) -> None:
    for model, (attribute, read) in READS.items():
        try_every_column(home, model, attribute, read)


def try_every_column(home: Home, model: Any, attribute: str, read: Callable[[Home], Any]) -> None:
    for field in model._meta.sorted_fields:
        wrong = (
            [("?", value) for value in WRONG.get(field.field_type, ())]
            if home.store.engine == "sqlite"
            else [(value, None) for value in POSTGRES.get(field.field_type, ())]
        )
        if field.name in KEYS or (model, field.name) == (TranscodeSession, "progress"):
            continue
        column = field.column_name
        before = home.stored(model, column)
        for sql, value in wrong:
            home.spoil(model, column, sql, *([value] if sql == "?" else []))
            where = f"{model._meta.table_name}.{column} of row .*holds .*, not "
            with pytest.raises(CorruptStoreError, match=where) as caught:
                read(home)
            assert getattr(home, attribute) in str(caught.value)
        if wrong:
            home.put_back(model, column, before)
            read(home)


VERBS: list[tuple[Any, str, Callable[[Home], Any]]] = [
    (
        Movie,
        "created_at",
        lambda home: home.store.media.save_movie(home.library, id=home.movie, overview="x"),
    ),
    (Movie, "created_at", lambda home: home.store.media.find_movie("Dune")),
    (MediaLibrary, "last_scan", lambda home: home.store.media.scan(home.library)),
    (MediaFile, "missing_since", lambda home: home.store.media.find_file_by_path("m/a.mkv")),
    (
        PlaybackSession,
        "last_activity",
        lambda home: home.store.playback.heartbeat(home.session, 1010),
    ),
    (PlaybackSession, "start_time", lambda home: home.store.playback.stop_session(home.session)),
    (
        PlaybackSession,
        "last_activity",
        lambda home: home.store.playback.tidy(datetime(2024, 5, 1, tzinfo=timezone.utc)),
    ),
    (
        UserMediaProgress,
        "reported_at",
        lambda home: home.store.playback.set_progress("ann", home.file, 1100),
    ),
    (
        UserMediaProgress,
        "reported_at",
        lambda home: home.store.playback.undo_progress("ann", home.file),
    ),
    (
        UserMediaProgress,
        "reported_at",
        lambda home: home.store.playback.mark_watched("ann", home.file),
    ),
    (
        TranscodeSession,
        "created_at",
        lambda home: home.store.transcoding.report_progress(home.job, 0.5),
    ),
    (TranscodeSession, "created_at", lambda home: home.store.transcoding.cancel(home.job)),
    (TranscodeCache, "created_at", lambda home: home.store.transcoding.cached(home.hash)),
]


def test_a_time_edited_by_hand_leaves_no_verb_as_a_foreign_error(home: Home, clock: Clock) -> None:
    wrong = "'-infinity'" if home.store.engine == "postgres" else "'12 noon'"
    clock.advance(60)
    for number, (model, column, verb) in enumerate(VERBS):
        before = home.stored(model, column)
        home.spoil(model, column, wrong)
        where = rf"{model._meta.table_name}\.{column} of row "
        try:
            with pytest.raises(CorruptStoreError, match=where):
                verb(home)
        except BaseException as exc:
            raise AssertionError(f"verb {number}") from exc
        home.put_back(model, column, before)


def test_what_is_read_only_in_part_is_named_too(home: Home) -> None:
    if home.store.engine == "postgres":
        return  # which stores nothing like that
    home.spoil(PlaybackHistory, "played_at", "'12 noon'")
    where = rf"playback_history\.played_at of row '{home.play}'"
    with pytest.raises(CorruptStoreError, match=where):
        home.store.playback.stats()
    home.store.playback.mark_watched("ann", episode_id=home.episode)
    home.spoil(Episode, "season_number", "'first'")
    assert home.store.playback.next_up("ann") == []
    where = rf"episodes\.season_number of row '{home.episode}' holds 'first', not a whole"
    with pytest.raises(CorruptStoreError, match=where):
        home.store.media.episode(home.episode)


def test_a_time_written_without_its_zone_is_in_utc(home: Home) -> None:
    if home.store.engine == "postgres":
        return  # where a column of times knows no other
    home.spoil(MediaLibrary, "last_scan", "'2024-05-01 12:00:00'")
    noon = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
    assert home.store.media.library(home.library).last_scan == noon
    home.store.media.libraries_due(noon)
    home.spoil(MediaLibrary, "last_scan", "'2024-05-01 14:00:00+02:00'")
    assert home.store.media.library(home.library).last_scan == noon
    with home.store.reader():
        assert MediaLibrary.get().last_scan == noon


def test_a_query_of_the_hosts_own_names_the_row_too(home: Home) -> None:
    is_postgres = home.store.engine == "postgres"
    home.spoil(MediaFile, "created_at", "'infinity'" if is_postgres else "'yesterday'")
    with home.store.reader(), pytest.raises(CorruptStoreError, match=re.escape(home.file)):
        list(MediaFile.select())


def test_a_text_that_is_not_utf8_is_no_foreign_error(home: Home) -> None:
    if home.store.engine == "postgres":
        return  # which does not store it
    home.spoil(Movie, "overview", "CAST(x'ff41' AS TEXT)")
    with pytest.raises(CorruptStoreError, match=rf"overview of row '{home.movie}' holds .* UTF-8"):
        home.store.media.movie(home.movie)


# JSON of the wrong shape

KEPT = {
    "by": None,
    "marked": False,
    "duration": 7200.0,
    "position": 5.0,
    "completed": False,
    "replaced_at": "2024-05-01 11:00:00.000000+00:00",
    "last_played_at": None,
}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in KEPT.items() if key != name}


NO_STATES: list[Any] = [
    5,
    "x",
    True,
    {},
    {"a": 1},
    [5],
    ["x"],
    [None],
    [[]],
    [KEPT, {}],
    [{**KEPT, "by": 5}],
    *([without(name)] for name in KEPT),
    *([{**KEPT, name: []}] for name in KEPT),
    *([{**KEPT, name: None}] for name in ("replaced_at", "position", "completed", "marked")),
    [{**KEPT, "position": "far"}],
    [{**KEPT, "last_played_at": "yesterday"}],
    [{**KEPT, "completed": "yes"}],
]


def test_earlier_states_of_the_wrong_shape_are_named_by_every_verb_that_needs_them(
    home: Home, clock: Clock
) -> None:
    verbs = [
        lambda: home.store.playback.undo_progress("ann", home.file),
        lambda: home.store.playback.set_progress("ann", home.file, 5000),
        lambda: home.store.playback.mark_watched("ann", home.file),
        lambda: home.store.playback.heartbeat(home.session, 5000),
    ]
    where = f"user_media_progress.previous of row 'ann', '{home.file}' holds .* earlier states"
    home.put_back(UserMediaProgress, "previous", json.dumps([KEPT]))
    for wrong in NO_STATES:
        home.put_back(UserMediaProgress, "previous", json.dumps(wrong))
        for verb in verbs:
            with pytest.raises(CorruptStoreError, match=where):
                verb()
    home.put_back(UserMediaProgress, "previous", json.dumps([KEPT]))
    assert home.store.playback.undo_progress("ann", home.file).position == 5


def test_earlier_states_of_another_version_are_named_by_its_row(home: Home) -> None:
    folder = Path(home.store.media.library(home.library).path)
    with home.store.media.reconcile(home.library) as files:
        for name in ("Alien (1979) a.mkv", "Alien (1979) b.mkv"):
            files.add(FileFacts(str(folder / name), 10, 1, identity="movie:alien:1979"))
        files.add(FileFacts(str(folder / "a.mkv"), 10, 1))
    one, other = (
        home.store.media.find_file(home.library, folder / f"Alien (1979) {name}.mkv").id
        for name in "ab"
    )
    home.store.playback.set_progress("eve", one, 100)
    home.put_back(UserMediaProgress, "previous", "5")
    with pytest.raises(CorruptStoreError, match=f"of row 'eve', '{one}' holds 5, not"):
        home.store.playback.set_progress("eve", other, 5000)


NO_MOVIES: list[Any] = [
    5,
    [],
    "x",
    {},
    {"id": 5},
    {"id": None},
    {"title": "x"},
    {"id": "m", "year": "soon"},
    {"id": "m", "release_date": "soon"},
    {"id": "m", "colour": "red"},
    {"id": "m", "work": "x"},
    {"id": "m", "title": None},
    {"id": "m", "rating": [5]},
    {"id": "m", "title": 5},
]


def test_what_is_kept_of_a_movie_in_the_wrong_shape_is_named(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    clip(folder / "Dune (2021).mkv")
    library = store.media.add_library("Films", folder, "movie").id
    store.media.scan(library)
    store.media.remove_library(library)
    library = store.media.add_library("Films", folder, "movie").id
    with store.writer():
        work = Work.get(Work.kept.is_null(False))
    where = f"works.kept of row '{work.id}' holds .*, not a JSON object of a movie's columns"
    for wrong in NO_MOVIES:
        with store.writer():
            Work.update(kept=wrong).execute()
        with pytest.raises(CorruptStoreError, match=where):
            store.media.scan(library)
    with store.writer():
        Work.update(kept=work.kept).execute()
    store.media.scan(library)
    assert store.media.movies().items[0].id == work.kept["id"]


def test_progress_that_cannot_be_read_is_not_taken_for_none(home: Home) -> None:
    read = home.store.playback.progress_of
    assert read("ann", [home.file])[home.file].position == 1000
    wrong = "'NaN'" if home.store.engine == "postgres" else "'far'"
    home.spoil(UserMediaProgress, "position", wrong)
    with pytest.raises(CorruptStoreError, match="user_media_progress.position of row"):
        home.store.playback.progress("ann", home.file)
    assert read("ann", [home.file]) == {}
