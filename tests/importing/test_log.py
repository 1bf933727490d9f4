"""Imports can be taken back; what matched nothing waits for its media; a user's data goes along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.media import write_video
from tests.support.samples import Home
from viewra_lite import FileFacts, Store
from viewra_lite.errors import ConflictError, CorruptStoreError, InvalidValueError, NotFoundError
from viewra_lite.playback.import_models import ImportedRow, WaitingRow

pytestmark = pytest.mark.usefixtures("probing_here")

THEN = "2024-03-01T20:00:00+00:00"


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Home:
    return Home(store, tmp_path / "all")


def state(home: Home, user: str = "ann") -> dict[str, Any]:
    """Return all that is stored of what a user has watched, without when it was exported."""
    document = home.store.importing.export(user)
    return {name: document[name] for name in ("user_id", "items")}


def test_undo_gives_back_what_was(home: Home, clock: Any) -> None:
    playback = home.store.playback
    playback.set_progress("ann", home.files["Dune"], 4000.0)
    playback.record_play("ann", home.files["Dark 1"], played_at=clock(), completed=True)
    before = state(home)
    result = home.store.importing.watched(
        [
            {"title": "Der Wüstenplanet", "watched_at": THEN},
            {"title": "Alien", "watched": True},
            {"show": "Dark", "season": 1, "episode": 1, "watched_at": "2024-02-01T20:00:00Z"},
            {"show": "Dark", "season": 1, "episode": 2, "watched_at": THEN, "position": 600},
            {"title": "Solaris"},
        ],
        user_id="ann",
    )
    assert (result.imported, result.waiting) == (4, 1)
    assert state(home) != before
    (listed,) = home.store.importing.list()
    assert (listed.id, listed.imported, listed.unmatched) == (result.id, 4, 1)
    assert result.id is not None
    assert home.store.importing.undo(result.id) == 6
    assert state(home) == before
    (listed,) = home.store.importing.list()
    assert listed.undone_at == clock()
    with pytest.raises(ConflictError, match="was already undone"):
        home.store.importing.undo(result.id)
    with pytest.raises(NotFoundError, match="no import 'x'"):
        home.store.importing.undo("x")
    assert home.store.importing.match_waiting() == 0


def test_undo_leaves_what_has_changed_since(home: Home, clock: Any) -> None:
    rows = [{"title": "Alien", "watched_at": THEN}]
    result = home.store.importing.watched(rows, user_id="ann")
    clock.advance(60)
    home.store.playback.set_progress("ann", home.files["Alien"], 3000.0)
    assert result.id is not None
    home.store.importing.undo(result.id)
    progress = home.store.playback.progress("ann", home.files["Alien"])
    assert (progress.position, progress.completed, progress.play_count) == (3000.0, False, 0)
    assert home.store.playback.history("ann").items == []


def test_what_matched_nothing_waits_for_media_that_come_later(home: Home, tmp_path: Path) -> None:
    rows = [
        {"title": "Solaris", "year": 1972, "watched_at": THEN},
        {"title": "Stalker", "watched_at": THEN},
    ]
    first = home.store.importing.watched(rows, user_id="ann")
    assert (first.imported, first.waiting) == (0, 2)
    assert home.store.importing.watched(rows, user_id="ann").imported == 0
    assert home.store.importing.match_waiting() == 0
    folder = tmp_path / "more"
    folder.mkdir()
    library = home.store.media.add_library("More", folder, "movie")
    with home.store.media.reconcile(library.id) as files:
        files.add(FileFacts(str(folder / "s.mkv"), 1, 1, duration=9000.0))
    file = home.store.media.find_file(library.id, folder / "s.mkv")
    assert file is not None
    home.store.media.save_movie(library.id, title="Solaris", year=1972, media_file_id=file.id)
    assert home.store.importing.match_waiting() == 1
    assert home.store.importing.match_waiting() == 0
    (play,) = home.store.playback.history("ann").items
    assert (play.title, play.played_at.isoformat()) == ("Solaris (1972)", THEN)
    assert first.id is not None
    home.store.importing.undo(first.id)
    assert home.store.playback.history("ann").items == []


def test_a_scan_matches_what_waits(home: Home, tmp_path: Path) -> None:
    rows = [{"title": "Solaris", "year": 1972, "watched_at": THEN}]
    assert home.store.importing.watched(rows, user_id="ann").waiting == 1
    folder = tmp_path / "films"
    folder.mkdir()
    write_video(folder / "Solaris (1972).mkv")
    home.store.media.scan(home.store.media.add_library("Films", folder, "movie").id)
    (play,) = home.store.playback.history("ann").items
    assert (play.title, play.completed) == ("Solaris (1972)", True)


def test_unmatched_rows_go_to_a_file_that_can_be_corrected(home: Home, tmp_path: Path) -> None:
    result = home.store.importing.watched(
        [{"title": "Alein", "year": 1979, "watched_at": THEN, "position": "0:10:00"}], user_id="ann"
    )
    assert [row.near for row in result.unmatched] == [["Alien (1979)"]]
    path = tmp_path / "unmatched.csv"
    assert result.write_unmatched(path) == 1
    with pytest.raises(InvalidValueError, match="File exists"):
        result.write_unmatched(path)
    path.write_text(path.read_text().replace("Alein", "Alien"))
    again = home.store.importing.watched(path, user_id="ann")
    assert (again.imported, again.unmatched) == (1, [])
    assert home.store.playback.progress("ann", home.files["Alien"]).position == 600.0


def test_a_users_data_give_the_same_state_elsewhere_and_back(
    home: Home, tmp_path: Path, clock: Any, request: pytest.FixtureRequest
) -> None:
    playback, files = home.store.playback, home.files
    playback.record_play("ann", files["Dune"], played_at=clock(), duration_watched=120.0)
    clock.advance(3600)
    session = playback.start_session(files["Alien"], user_id="ann", device_id="tv")
    clock.advance(300)
    playback.stop_session(session.id, position=300.0)
    playback.mark_watched("ann", files["Dark 1"])
    playback.set_progress("ann", files["Dark 2"], 1000.0)
    playback.set_progress("bob", files["Dark 2"], 1000.0)
    before = state(home)
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(home.store.importing.export("ann")))
    config = home.store.config
    home.store.close()
    other = (
        request.getfixturevalue("postgres_url")
        if home.store.engine == "sqlite"
        else (f"sqlite:///{tmp_path / 'other.db'}")
    )
    with Store.open(other, clock=clock) as second:
        there = Home(second, tmp_path / "there")
        dry = second.importing.watched(path, dry_run=True)
        result = second.importing.watched(path)
        assert (result.format, result.imported, result.unmatched) == ("viewra", 4, [])
        assert (dry.imported, dry.unmatched) == (4, [])
        assert without_paths(state(there)) == without_paths(before)
        assert second.importing.watched(path).already == 4
        back = tmp_path / "back.json"
        back.write_text(json.dumps(second.importing.export("ann")))
    with Store.open(config, clock=clock) as first:
        assert first.importing.watched(back, user_id="ann").already == 4
        assert first.importing.watched(back, user_id="eve").imported == 4
        home.store = first
        assert state(home)["items"] == before["items"] == state(home, "eve")["items"]


def without_paths(found: dict[str, Any]) -> list[Any]:
    return sorted(
        (
            json.dumps({name: value for name, value in item.items() if name != "path"})
            for item in found["items"]
        )
    )


def test_what_is_stored_of_a_user_includes_their_imports(home: Home) -> None:
    rows = [{"title": "Alien", "watched_at": THEN}, {"title": "Solaris", "watched_at": THEN}]
    ann = home.store.importing.watched(rows, user_id="ann")
    home.store.importing.watched(rows, user_id="bob")
    home.store.playback.rename_user("ann", "eve")
    assert ann.id is not None
    home.store.importing.undo(ann.id)
    assert state(home, "eve")["items"] == []
    home.store.playback.forget_user("bob")
    assert [one.user_id for one in home.store.importing.list()] == ["eve"]
    assert home.store.importing.match_waiting() == 0


def test_an_export_that_is_damaged_is_no_crash(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "ann.json"
    for document in (
        {"viewra_watched": 1},
        {"viewra_watched": 1, "user_id": "ann", "items": 5},
        {
            "viewra_watched": 1,
            "user_id": "ann",
            "items": [
                {"title": "Alien", "progress": {"position": "x", "updated_at": 5}, "plays": [{}]},
                {"title": ["Alien"]},
                {"progress": [], "plays": {"played_at": "y"}},
            ],
        },
        {"viewra_watched": 2},
    ):
        path.write_text(json.dumps(document))
        try:
            home.store.importing.watched(path)
        except InvalidValueError as exc:
            assert str(exc).startswith((str(path), "ann.json"))


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        [],
        "x",
        {"colour": "red"},
        {"position": "far"},
        {"position": None},
        {"completed": []},
        {"reported_at": "soon"},
    ],
    ids=str,
)
def test_what_an_import_has_logged_in_the_wrong_shape_is_named(home: Home, wrong: Any) -> None:
    result = home.store.importing.watched([{"title": "Alien", "watched": True}], user_id="ann")
    where = rf"playback_import_rows\.{{}} of row '{result.id}', \d+ holds .*, not a JSON object"
    for column in ("before", "after"):
        with home.store.writer():
            right = getattr(ImportedRow.get(), column)
            ImportedRow.update({column: wrong}).execute()
        with pytest.raises(CorruptStoreError, match=where.format(column)):
            home.store.importing.undo(str(result.id))
        with home.store.writer():
            ImportedRow.update({column: right}).execute()
    assert home.store.importing.undo(str(result.id)) == 1


@pytest.mark.parametrize("wrong", [5, [], "x", {"title": "x", "year": "soon"}], ids=str)
def test_what_waits_in_the_wrong_shape_is_named(home: Home, wrong: Any) -> None:
    home.store.importing.watched([{"title": "Solaris"}], user_id="ann")
    with home.store.writer():
        WaitingRow.update(record=wrong).execute()
        id = WaitingRow.get().id
    where = f"playback_import_waiting.record of row '{id}' holds .*, not a JSON object"
    with pytest.raises(CorruptStoreError, match=where):
        home.store.importing.match_waiting()
