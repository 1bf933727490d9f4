"""importing.watched(): what people have watched elsewhere is matched, and recorded once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from viewra_lite import FileFacts, ImportResult, Store, WatchedRecord
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.models import MediaFile, Movie, WorkFile
from viewra_lite.media.module import MediaModule
from viewra_lite.playback.import_models import ImportedRow, PlaybackImport, WaitingRow
from viewra_lite.playback.models import MODELS as PLAYBACK, PlaybackHistory, UserMediaProgress

THEN = datetime(2024, 3, 1, 20, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
DUNE_S = 9000.0


class Home:
    """A store with a few things to watch, and their files by name."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.library = store.media.add_library("All", folder, "movie")
        names = ("Dune.mkv", "Dark 1.mkv", "Dark 2.mkv", "Warszawa.flac", "sub/Extra.mkv")
        with store.media.reconcile(self.library.id) as files:
            for number, name in enumerate(names):
                path = os.path.join(self.library.path, name)
                files.add(FileFacts(path, number + 1, 1, duration=DUNE_S))
        self.files = {
            Path(file.path).stem: file.id for file in store.media.files(self.library.id).items
        }
        media = store.media
        media.save_movie(self.library.id, title="Dune", year=2021, media_file_id=self.files["Dune"])
        media.save_movie(self.library.id, title="Alien", year=1979)
        show = media.save_show(self.library.id, title="Dark", year=2017)
        for number in (1, 2):
            media.save_episode(
                show.id,
                season_number=1,
                episode_number=number,
                media_file_id=self.files[f"Dark {number}"],
            )
        album = media.save_album(self.library.id, title="Low", album_artist="David Bowie")
        media.save_track(album.id, title="Warszawa", media_file_id=self.files["Warszawa"])

    def add(self, *rows: Any, **options: Any) -> ImportResult:
        """Import rows for ann, unless said."""
        return self.store.importing.watched(rows, **{"user_id": "ann", **options})

    def progress(self, name: str, user: str = "ann") -> UserMediaProgress:
        return self.store.playback.progress(user, self.files[name])

    def plays(self) -> list[tuple[str, str | None, datetime]]:
        """Return whose plays are in the history: the latest first."""
        return [
            (play.user_id, play.title, play.played_at)
            for play in self.store.playback.history(archived=True).items
        ]

    def rows(self) -> list[Any]:
        """Return everything that the two rooms hold, but for what is written of imports."""
        with self.store.reader():
            return [
                sorted(map(repr, model.select().tuples()))
                for model in (*MediaModule.models, *PLAYBACK)
                if model not in (ImportedRow, PlaybackImport, WaitingRow)
            ]


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Iterator[Home]:
    folder = tmp_path / "all"
    folder.mkdir()
    yield Home(store, folder)


def numbers(result: ImportResult) -> tuple[int, int, int, int]:
    unmatched = len(result.unmatched)
    left_out = len(result.left_out)
    assert result.total == result.imported + result.already + left_out + unmatched
    return result.imported, result.already, left_out, unmatched


# Matching


FOUND: list[tuple[dict[str, Any], str]] = [
    ({"title": "dune", "year": 2021}, "Dune"),
    ({"title": "Dune (2021)"}, "Dune"),
    ({"show": "Dark", "season": 1, "episode": 2}, "Dark 2"),
    ({"grandparent_title": "Dark (2017)", "parent_media_index": "1", "media_index": "2"}, "Dark 2"),
    ({"show": "Dark", "season": 1, "episode": 2, "year": 2019, "title": "Lies"}, "Dark 2"),
    ({"title": "Dark - S01E02 - Lies"}, "Dark 2"),
    ({"title": "Dark.s01.e02"}, "Dark 2"),
    ({"title": "Warszawa", "artist": "David Bowie"}, "Warszawa"),
    ({"path": "/mnt/old/Dune.mkv"}, "Dune"),
    ({"path": "D:\\sub\\Extra.mkv"}, "Extra"),
    ({"path": "/mnt/gone.mkv", "title": "Dune"}, "Dune"),
    ({"path": "/mnt/Dark 1.mkv", "title": "Dune"}, "Dune"),
]


def test_a_row_finds_what_it_says(home: Home) -> None:
    for row, name in FOUND:
        user = str(row)
        result = home.add({**row, "watched_at": THEN}, user_id=user)
        assert numbers(result) == (1, 0, 0, 0), row
        assert home.progress(name, user).completed
        (play,) = home.store.playback.history(user).items
        assert (play.played_at, play.duration_watched) == (THEN, round(DUNE_S))


LISTED: list[tuple[Any, str, str]] = [
    ({"title": "Dune", "year": 1984}, "Dune (1984)", "not in the library"),
    ({"title": "Alien"}, "Alien", "has no file"),
    ({"show": "Dark", "season": 1}, "Dark S01", "without the numbers"),
    ({"show": "Dark", "season": 1, "episode": 3}, "Dark S01E03", "not in the library"),
    ({"show": "Dark", "season": 1, "episode": 1, "year": 1999}, "Dark S01E01", "not in the"),
    ({"title": "Warszawa"}, "Warszawa", "not in the library"),
    ({"title": "Warszawa", "artist": "Eno"}, "Eno - Warszawa", "not in the library"),
    ({"path": "/mnt/Extra.mkv"}, "/mnt/Extra.mkv", "no file in the library"),
    ({"year": 1999}, "", "has no title"),
    ({}, "", "has no title"),
    ({"title": "Dune", "date": "2023-02-30"}, "Dune", "date cannot be '2023-02-30'"),
    ({"title": "Dune", "date": "2024-05-01T12:00:01Z"}, "Dune", "in the future"),
    ({"title": "a\0b"}, "", "NUL"),
    ({"path": "a\0b"}, "", "NUL"),
    (5, "", "neither a WatchedRecord nor a mapping"),
]


def test_what_does_not_match_is_listed_with_the_reason(home: Home) -> None:
    result = home.add({"title": "Dune"}, *(row for row, _, _ in LISTED))
    assert numbers(result) == (1, 0, 0, len(LISTED))
    for number, (unmatched, (_, what, why)) in enumerate(zip(result.unmatched, LISTED), start=2):
        assert (unmatched.number, unmatched.what) == (number, what)
        assert why in unmatched.why


def test_a_row_without_a_user_is_listed_and_user_id_is_whose_all_are(home: Home) -> None:
    rows = [
        {"title": "Dune", "user": "bob", "date": "2024-01-01"},
        {"title": "Dune", "user": " ", "date": "2024-01-02"},
    ]
    result = home.add(*rows, user_id=None)
    assert numbers(result) == (1, 0, 0, 1)
    assert "has no user" in result.unmatched[0].why
    assert [user for user, *_ in home.plays()] == ["bob"]
    assert numbers(home.add(*rows)) == (2, 0, 0, 0)
    assert [user for user, *_ in home.plays()] == ["ann", "ann", "bob"]
    with pytest.raises(InvalidValueError, match="user_id must not be empty"):
        home.add(*rows, user_id="")


def test_rows_of_several_users_become_no_single_users(home: Home, tmp_path: Path) -> None:
    rows = [{"title": "Dune", "user": user, "date": "2024-01-01"} for user in ("bob", "ann", None)]
    path = tmp_path / "list.csv"
    path.write_text(
        "title,user,date\n"
        + "".join(f"{row['title']},{row['user'] or ''},{row['date']}\n" for row in rows)
    )
    for user in ("ann", "eve"):
        for source, label in ((rows, "the list"), (path, str(path))):
            with pytest.raises(InvalidValueError, match="2 users .'ann', 'bob'.: .*without") as no:
                home.store.importing.watched(source, user_id=user)
            assert str(no.value).startswith(label)
    assert home.plays() == []
    assert numbers(home.store.importing.watched(path)) == (2, 0, 0, 1)
    assert {user for user, *_ in home.plays()} == {"ann", "bob"}
    many = [{"title": "Dune", "user": f"u{number:03}"} for number in range(300)]
    with pytest.raises(InvalidValueError, match="300 users .*'u009' and 290 more"):
        home.add(*many)


# What is recorded


def evening(home: Home, clock: Any, pauses: float) -> tuple[datetime, datetime]:
    """Watch Dune here, with pauses of so many seconds; return from when to when."""
    began, playback = clock(), home.store.playback
    id = playback.start_session(home.files["Dune"], user_id="ann").id
    for position in range(60, int(DUNE_S) + 1, 60):
        clock.advance(60)
        playback.heartbeat(id, position)
        if position == DUNE_S // 2:
            for _ in range(int(pauses) // 600):
                clock.advance(600)
                playback.heartbeat(id, position, state="paused")
            playback.heartbeat(id, position, state="playing")
    playback.stop_session(id)
    return began, clock()


@pytest.mark.parametrize("pauses", [0, 1200, 5 * 3600])
@pytest.mark.parametrize("add", ["import", "record_play"])
def test_what_another_program_dates_within_the_running_time_of_an_evening_is_that_evening(
    home: Home, clock: Any, pauses: float, add: str
) -> None:
    began, ended = evening(home, clock, pauses)
    clock.advance(30 * 3600)

    def told(moment: datetime) -> int:
        if add == "import":
            home.add({"title": "Dune", "watched_at": moment})
        else:
            home.store.playback.record_play("ann", home.files["Dune"], played_at=moment)
        return len(home.plays())

    length = timedelta(seconds=DUNE_S)
    a_second = timedelta(seconds=1)
    for moment in (
        began - length + a_second,
        began,
        began + (ended - began) / 2,
        ended,
        ended + 10 * timedelta(minutes=1),
        ended + length - a_second,
    ):
        assert told(moment) == 1, moment - began
    assert home.progress("Dune").play_count == 1
    assert told(began - length) == 2
    assert told(ended + length) == 3


def test_plays_go_into_the_history_and_positions_into_the_progress(home: Home) -> None:
    result = home.add(
        {"title": "Dune", "watched_at": THEN, "play_count": 3},
        {"show": "Dark", "season": 1, "episode": 1, "position": "0:30:00", "watched_at": THEN},
        {"show": "Dark", "season": 1, "episode": 2, "position": 60, "watched": "yes"},
        {"path": "sub/Extra.mkv", "position": 4000.5, "completed": False},
    )
    assert numbers(result) == (4, 0, 0, 0)
    assert home.plays() == [("ann", "Dune (2021)", THEN)]
    dune, first, second = (home.progress(name) for name in ("Dune", "Dark 1", "Dark 2"))
    assert (dune.completed, dune.play_count, dune.last_played_at) == (True, 1, THEN)
    assert (first.completed, first.position, first.reported_at) == (False, 1800.0, THEN)
    assert (second.completed, second.position, second.last_played_at) == (True, 0.0, None)
    assert home.progress("Extra").resume_position == 4000.5


def test_importing_twice_changes_nothing(home: Home, clock: Any) -> None:
    rows = [
        {"title": "Dune", "watched_at": THEN},
        {"title": "Dune", "watched_at": THEN - 3 * HOUR},
        {"title": "Dune", "watched_at": THEN + HOUR, "position": 2000},
        {"title": "Dune", "watched_at": THEN + HOUR, "position": 3000},
        {"show": "Dark", "season": 1, "episode": 1},
        {"show": "Dark", "season": 1, "episode": 2, "position": 2000},
        {"title": "Warszawa", "artist": "David Bowie", "watched_at": THEN},
        {"path": "sub/Extra.mkv", "watched": "no"},
        {"title": "Dune", "year": 1984},
        {"title": "Dune", "watched_at": THEN},
    ]
    assert numbers(home.add(*rows)) == (6, 2, 1, 1)
    before = home.rows()
    for _ in range(2):
        clock.advance(3600)
        assert numbers(home.add(*rows)) == (0, 8, 1, 1)
        assert numbers(home.add(*reversed(rows))) == (0, 8, 1, 1)
        assert home.rows() == before
    dune = home.progress("Dune")
    assert (dune.position, dune.completed, dune.play_count) == (2000, True, 2)


def test_the_order_of_the_rows_does_not_matter(home: Home) -> None:
    rows = [
        {"title": "Dune", "watched_at": THEN + n * HOUR, "position": 2000.0 + n, "watched": n == 1}
        for n in (3, 1, 2, 0)
    ]
    assert numbers(home.add(*rows)) == (4, 0, 0, 0)
    assert numbers(home.add(*reversed(rows), user_id="bob")) == (4, 0, 0, 0)
    for user in ("ann", "bob"):
        state = home.progress("Dune", user)
        assert (state.position, state.completed, state.play_count) == (2003.0, True, 1)
        assert (state.reported_at, state.last_played_at) == (THEN + 3 * HOUR, THEN + HOUR)


def test_what_is_newer_here_stays(home: Home, clock: Any) -> None:
    home.store.playback.set_progress("ann", home.files["Dune"], 5000.0)
    assert numbers(home.add({"title": "Dune", "watched_at": THEN, "position": 100})) == (0, 1, 0, 0)
    assert numbers(home.add({"title": "Dune", "position": 100})) == (0, 1, 0, 0)
    assert numbers(home.add({"title": "Dune", "watched_at": THEN})) == (1, 0, 0, 0)
    state = home.progress("Dune")
    assert (state.position, state.completed) == (5000.0, True)


def test_a_mark_without_a_time_keeps_where_somebody_is(home: Home, clock: Any) -> None:
    home.store.playback.set_progress("ann", home.files["Dune"], 5000.0)
    since = clock()
    clock.advance(60)
    assert numbers(home.add({"title": "Dune", "watched": True})) == (1, 0, 0, 0)
    state = home.progress("Dune")
    assert (state.position, state.completed, state.reported_at) == (5000.0, True, since)
    assert numbers(home.add({"title": "Dune", "watched": True})) == (0, 1, 0, 0)


def test_a_position_beyond_the_end_is_the_end(home: Home) -> None:
    for row in ({"watched_at": THEN}, {}):
        result = home.add({"title": "Dune", "position": 99_999, **row}, user_id=str(row))
        assert numbers(result) == (1, 0, 0, 0)
        state = home.progress("Dune", str(row))
        assert (state.position, state.completed) == (DUNE_S if row else 0.0, True)


def test_what_was_not_watched_changes_nothing(home: Home) -> None:
    before = home.rows()
    rows: list[dict[str, Any]] = [
        {"watched": "no"},
        {"watched": "no", "position": 0},
        {"position": 0},
        {"play_count": 0},
        {"watched": "no", "position": "0:00", "watched_at": THEN},
    ]
    assert numbers(home.add(*({"title": "Dune", **row} for row in rows))) == (0, 0, 5, 0)
    assert home.rows() == before


def test_a_dry_run_says_the_same_and_changes_nothing(home: Home) -> None:
    home.add({"show": "Dark", "season": 1, "episode": 1, "watched_at": THEN})
    before = home.rows()
    rows = [
        {"show": "Dark", "season": 1, "episode": 1, "watched_at": THEN},
        {"title": "Dune", "watched_at": THEN},
        {"title": "Dune", "year": 1984},
        {"show": "Dark", "season": 1, "episode": 2, "position": 2000},
        {"title": "Warszawa", "album": "Low"},
        {"path": "Dune.mkv", "watched": False},
    ]
    dry = home.add(*rows, dry_run=True)
    assert numbers(dry) == (3, 1, 1, 1)
    assert home.rows() == before and dry.id is None
    done = home.add(*rows)
    assert (numbers(done), done.unmatched, done.left_out) == (
        numbers(dry),
        dry.unmatched,
        dry.left_out,
    )


def test_both_versions_of_a_movie_show_it_and_it_is_played_once(home: Home, store: Store) -> None:
    with store.writer():
        dune = Movie.get(Movie.title == "Dune").work_id
        extra = MediaFile.get(MediaFile.filename == "Extra.mkv").id
        WorkFile.insert(media_file_id=extra, work=dune).execute()
    row = {"title": "Dune", "watched_at": THEN}
    assert numbers(home.add(row)) == (1, 0, 0, 0)
    assert home.progress("Extra").completed
    assert numbers(home.add({"path": "sub/Extra.mkv", "watched_at": THEN})) == (0, 1, 0, 0)


# How it is called


def test_records_and_mappings_are_taken_alike_and_progress_is_told(home: Home) -> None:
    told: list[tuple[str, int, int]] = []
    record = WatchedRecord(7, title="Dune", watched_at=THEN)
    result = home.add(
        record,
        {"title": "dune", "date": THEN.isoformat()},
        WatchedRecord(9, title="Nope"),
        WatchedRecord(title="Nope"),
        WatchedRecord(2, problem="torn"),
        WatchedRecord(3, title="Dune", watched_at=THEN.replace(tzinfo=None)),
        progress=lambda *counts: told.append(counts),
    )
    assert numbers(result) == (1, 1, 0, 4)
    assert [row.number for row in result.unmatched] == [2, 3, 4, 9]
    assert result.unmatched[0].why == "torn" and "watched_at" in result.unmatched[1].why
    assert told == [("importing", 6, 6)]


def test_what_is_no_list_of_records_is_refused(store: Store) -> None:
    for wrong in (b"x", None, 5, {"title": "Dune"}):
        with pytest.raises(InvalidValueError, match="source must be"):
            store.importing.watched(wrong)  # type: ignore[arg-type]


def test_an_import_that_broke_off_goes_on_when_it_is_called_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewra_lite.importing.run.BATCH_ROWS", 3)
    rows = [{"title": "Dune", "watched_at": THEN + n * 3 * HOUR} for n in range(5)]

    def stop(phase: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        home.add(*rows, progress=stop)
    with home.store.reader():
        assert PlaybackHistory.select().count() == 3
    (broken,) = home.store.importing.list()
    assert (broken.finished_at, broken.imported) == (None, 3)
    assert numbers(home.add(*rows)) == (2, 3, 0, 0)
    for one in home.store.importing.list():
        home.store.importing.undo(one.id)
    assert home.plays() == []
