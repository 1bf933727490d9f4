"""Each format is recognised, says no more than its rows do, and means the same evening."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.samples import Home
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError, ViewraError
from viewra_lite.importing import formats
from viewra_lite.importing.reading import parts_of
from viewra_lite.importing.record import WatchedRecord
from viewra_lite.media.models import MediaFile

SAMPLES = Path(__file__).parent / "samples"
DUNE, ALIEN = "Dune (2021)", "Alien (1979)"
SONG = "David Bowie - Warszawa"

# What each sample says: what it is, watched or not or unknown, why it is left out, and when.
SAID: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "flat.csv": (
        "flat",
        [
            (DUNE, True, None, "10 20:30"),
            ("Dark S01E01 Secrets", False, None, "11 20:05"),
            (ALIEN, True, "its status is plan to watch", None),
        ],
    ),
    "flat.json": ("flat", [(DUNE, True, None, "10 20:30"), ("Dark S01E01", False, None, None)]),
    "trakt-history.json": (
        "trakt",
        [
            (DUNE, True, None, "10 22:58"),
            ("Dark S01E01 Secrets", True, None, "11 20:51"),
            (ALIEN, True, None, None),
        ],
    ),
    "trakt-shows.json": (
        "trakt",
        [("Dark S01E01", True, None, "11 20:51"), ("Dark S01E02", True, None, "12 20:51")],
    ),
    "trakt-playback.json": ("trakt", [(DUNE, False, None, "13 21:00")]),
    "trakt-watchlist.json": ("trakt", [(ALIEN, True, "is on the watchlist", None)]),
    "tautulli.json": (
        "tautulli",
        [
            (DUNE, True, None, "10 20:30"),
            ("Dark S01E01 Secrets", False, None, "11 20:05"),
            (ALIEN, False, None, "12 20:05"),
            (SONG, True, None, "12 20:06"),
        ],
    ),
    "playback-reporting.tsv": (
        "playback-reporting",
        [
            ("Dune", None, None, "10 20:30"),
            ('Dark S01E01 The "Secret" one', None, None, "11 20:05"),
            (SONG, None, None, "12 20:05"),
            ("Alien", True, "has an invalid duration, -2147483648 s", "12 21:05"),
        ],
    ),
    "letterboxd-diary.csv": ("letterboxd", [(DUNE, True, None, "10 00:00")]),
    "letterboxd-watched.csv": ("letterboxd", [(DUNE, True, None, None), (ALIEN, True, None, None)]),
    "letterboxd-watchlist.csv": (
        "letterboxd",
        [("Solaris (1972)", True, "is on the watchlist", None)],
    ),
    "simkl.json": (
        "simkl",
        [
            (DUNE, True, None, "10 23:00"),
            (ALIEN, True, "is planned", None),
            ("Dark S01E01", True, None, "11 20:51"),
            ("Cowboy Bebop", True, "is planned", None),
        ],
    ),
    "simkl.csv": (
        "simkl",
        [
            (DUNE, True, None, "10 23:00"),
            ("Dark S01E01", True, None, "11 00:00"),
            (ALIEN, True, "is planned", None),
        ],
    ),
    "imdb-ratings.csv": (
        "imdb",
        [
            (DUNE, True, None, None),
            ("Dark (2017)", True, "is a TV Series: its episodes are not listed", None),
        ],
    ),
    "imdb-list.csv": (
        "imdb",
        [(ALIEN, True, "is in a list but not rated", None), (DUNE, True, None, None)],
    ),
    "netflix-history.csv": (
        "netflix",
        [
            ("Dark S01 Secrets", True, None, "11 00:00"),
            ("Dune", True, None, "10 00:00"),
            ("Alien", True, None, "31 00:00"),
        ],
    ),
    "netflix-activity.csv": (
        "netflix",
        [
            ("Dark S01E01 Secrets", None, None, "11 20:05"),
            ("Dune", None, None, "10 20:30"),
            (
                "Dune_hook_primary_16x9",
                None,
                "is a hook, neither a film nor an episode",
                "10 20:29",
            ),
        ],
    ),
    "kodi.xml": (
        "kodi",
        [
            (DUNE, True, None, "10 23:04"),
            (ALIEN, False, None, None),
            ("Dark S01E01 Secrets", None, None, "11 21:05"),
        ],
    ),
    "lastfm.csv": ("lastfm", [(SONG, True, None, "12 20:05")]),
    "lastfm-bare.csv": ("lastfm", [(SONG, True, None, "12 20:05")]),
    "lastfm.json": ("lastfm", [(SONG, True, None, "12 20:05")]),
    "listenbrainz.jsonl": (
        "listenbrainz",
        [(SONG, True, None, "12 20:05"), ("David Bowie - Art Decade", True, None, "12 20:13")],
    ),
    "yamtrack.csv": (
        "yamtrack",
        [
            (DUNE.removesuffix(" (2021)"), True, None, "10 23:00"),
            ("Alien", True, "its status is planning", None),
            ("Dark", True, "sums up the rows of its episodes", None),
            ("Dark S01E01", True, None, "11 20:51"),
        ],
    ),
}


def read(path: Path, name: str | None = None) -> tuple[str, list[WatchedRecord]]:
    return formats.records_of(parts_of(path), str(path), name, timezone.utc)


def test_every_format_has_a_sample() -> None:
    assert set(formats.FORMATS) == {name for name, _ in SAID.values()}
    assert {path.name for path in SAMPLES.iterdir()} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_a_sample_is_recognised_and_claims_no_more_than_its_rows_say(name: str) -> None:
    found, records = read(SAMPLES / name)
    assert found == SAID[name][0]
    assert [row.problem for row in records] == [None] * len(records)
    assert [
        (
            row.what,
            row.is_watched if row.left_out is None else wanted[1],
            row.left_out,
            row.watched_at and row.watched_at.strftime("%d %H:%M"),
        )
        for row, wanted in zip(records, SAID[name][1])
    ] == SAID[name][1]
    assert len(records) == len(SAID[name][1])


@pytest.mark.parametrize("name", [name for name in SAID if not name.startswith("flat")])
def test_a_format_can_be_named_and_another_is_no_crash(name: str, tmp_path: Path) -> None:
    path = tmp_path / "download"
    path.write_bytes((SAMPLES / name).read_bytes())
    kind = SAID[name][0]
    assert len(read(path, kind)[1]) == len(SAID[name][1])
    for other in formats.FORMATS:
        try:
            read(path, other)
        except InvalidValueError as exc:
            assert str(exc).startswith(str(path))
    with pytest.raises(InvalidValueError, match="no format 'plex': one of"):
        read(path, "plex")


# Into a store


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Home:
    return Home(store, tmp_path / "all")


def test_ids_find_what_is_called_otherwise_here(home: Home) -> None:
    for name in ("trakt-history.json", "simkl.json", "yamtrack.csv", "kodi.xml", "tautulli.json"):
        user = name
        home.store.importing.watched(SAMPLES / name, user_id=user)
        assert home.store.playback.progress(user, home.files["Dune"]).completed, name


def test_tautulli_claims_what_watched_status_says(home: Home) -> None:
    result = home.store.importing.watched(SAMPLES / "tautulli.json")
    assert (result.imported, len(result.left_out), result.unmatched) == (3, 0, [])
    assert result.already == 1  # half a minute of Alien, at 0 %, is no play
    progress = {name: home.store.playback.progress("ann", id) for name, id in home.files.items()}
    assert [name for name, state in progress.items() if state.completed] == ["Dune", "Warszawa"]
    assert progress["Dark 1"].position == 0.5 * 3060
    assert progress["Alien"].position == 0
    played = {
        play.title: play.duration_watched for play in home.store.playback.history("ann").items
    }
    assert sorted(played.values()) == [300, 1700, 9100]


def test_a_second_format_of_the_same_evening_adds_nothing(home: Home) -> None:
    watched = [
        "tautulli.json",
        "trakt-history.json",
        "kodi.xml",
        "letterboxd-diary.csv",
        "simkl.json",
        "simkl.csv",
        "yamtrack.csv",
        "letterboxd-watched.csv",
        "imdb-list.csv",
        "lastfm.csv",
        "listenbrainz.jsonl",
        "playback-reporting.tsv",
        "netflix-activity.csv",
    ]
    for order in (watched, watched[::-1]):
        for name in order:
            home.store.importing.watched(SAMPLES / name, user_id="ann")
        playback = home.store.playback
        counts = sum(playback.progress("ann", id).play_count for id in home.files.values())
        assert playback.stats(user_id="ann").completed == counts
        titles = [title for title, _ in home.plays()]
        assert len(titles) == len(set(titles)) == 3, home.plays()
        for one in home.store.importing.list():
            if one.undone_at is None:
                home.store.importing.undo(one.id)
        assert home.plays() == []


def test_the_undated_stays_undated_and_comes_last(home: Home) -> None:
    home.store.playback.mark_watched("ann", home.files["Warszawa"])
    result = home.store.importing.watched(
        [{"show": "Dark", "season": 1, "episode": 1, "watched": "yes"}], user_id="ann"
    )
    assert result.imported == 1
    state = home.store.playback.progress("ann", home.files["Dark 1"])
    assert (state.completed, state.last_played_at) == (True, None)
    assert state.updated_at < datetime(1971, 1, 1, tzinfo=timezone.utc)
    assert home.store.playback.history("ann").items[1:] == []
    assert [item.title for item in home.store.playback.next_up("ann")] == ["Dark S01E02 Lies"]


def test_what_may_be_meant_is_shown_and_not_taken(home: Home) -> None:
    result = home.store.importing.watched(
        [
            {"title": "Alien", "year": 1992},
            {"title": "Alien", "year": 1979, "tmdb_id": 999},
            {"show": "Dark", "year": 1990, "season": 1, "episode": 1},
        ],
        user_id="ann",
    )
    assert result.imported == 1  # no id here says that Alien (1979) is another
    assert [row.near for row in result.unmatched] == [["Alien (1979)"], ["Dark (2017)"]]
    with home.store.writer():
        row = MediaFile.get(MediaFile.id == home.files["Dune"])
    assert row.id == home.files["Dune"]
    again = home.store.importing.watched(
        [{"title": "Der Wüstenplanet", "year": 2021, "tmdb_id": 841}], user_id="ann"
    )
    assert [row.near for row in again.unmatched] == [["Der Wüstenplanet (2021)"]]


@pytest.mark.parametrize("zone", [None, "America/Los_Angeles", "Asia/Tokyo"])
def test_a_day_and_a_time_of_one_evening_are_one_play(home: Home, zone: str | None) -> None:
    local = {
        None: "2024-03-01T20:00:00+00:00",
        "America/Los_Angeles": "2024-03-01T22:30:00-08:00",
        "Asia/Tokyo": "2024-03-02T01:30:00+09:00",
    }[zone]
    day = [{"title": "Alien", "watched_at": "2024-03-01"}]
    second = [{"title": "Alien", "watched_at": local}]
    importing = home.store.importing
    for user, order in (("ann", (day, second)), ("bob", (second, day))):
        found = [importing.watched(rows, user_id=user, timezone=zone) for rows in order]
        assert [(each.imported, each.already) for each in found] == [(1, 0), (0, 1)]
    other = [{"title": "Alien", "watched_at": "2024-03-04"}]
    assert importing.watched(other, user_id="ann", timezone=zone).imported == 1
    # An evening watched twice is two plays.
    late = [
        {"title": "Alien", "watched_at": "2024-03-06T18:00:00Z"},
        {"title": "Alien", "watched_at": "2024-03-06T21:00:00Z"},
    ]
    assert importing.watched(late, user_id="ann", timezone=zone).imported == 2


# ZIPs


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def test_a_zip_is_read_as_it_was_downloaded(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "letterboxd-ann.zip",
        {
            "profile.csv": b"Date Joined,Username\n2020-01-01,ann\n",
            "diary.csv": sample("letterboxd-diary.csv"),
            "watched.csv": sample("letterboxd-watched.csv"),
            "watchlist.csv": sample("letterboxd-watchlist.csv"),
            "deleted/diary.csv": sample("letterboxd-diary.csv").replace(b"Dune", b"Gone"),
            "ratings.csv": b"Date,Name,Year,Letterboxd URI,Rating\n2024-02-12,Dune,2021,x,4\n",
            "lists/best.csv": b"Letterboxd list export v7\nDate,Name\n",
        },
    )
    found, records = read(path)
    assert found == "letterboxd"
    assert [row.what for row in records] == [DUNE, DUNE, ALIEN, "Solaris (1972)"]
    path = zipped(
        tmp_path / "trakt.zip",
        {
            "trakt/watched-history-1.json": sample("trakt-history.json"),
            "trakt/watched-shows.json": sample("trakt-shows.json"),
            "trakt/ratings-movies.json": b"[]",
            "trakt/user-profile.json": b'{"username": "ann"}',
            "trakt/../../../etc/lists-watchlist.json": sample("trakt-watchlist.json"),
        },
    )
    found, records = read(path)
    assert (found, len(records)) == ("trakt", 6)
    path = zipped(
        tmp_path / "lb.zip",
        {"user.json": b'{"user_id": 1}', "listens/2024/2.jsonl": sample("listenbrainz.jsonl")},
    )
    assert read(path)[0] == "listenbrainz"


def altered(path: Path, content: bytes, offset: int, value: int) -> Path:
    """Make a ZIP of one file, with a byte changed that its header and its directory have."""
    whole = bytearray(zipped(path, {"diary.csv": content}).read_bytes())
    for start in (whole.index(b"PK\3\4") + 6, whole.index(b"PK\1\2") + 8):
        whole[start + offset] |= value
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize("flags", [1, 1 | 64])
def test_an_encrypted_zip_says_that_it_needs_a_password(
    home: Home, tmp_path: Path, flags: int
) -> None:
    path = altered(tmp_path / "letterboxd.zip", sample("letterboxd-diary.csv"), 0, flags)
    with pytest.raises(InvalidValueError) as refused:
        home.store.importing.watched(path, user_id="ann")
    assert str(refused.value) == (
        f"{path}: needs a password: unpack it and import its files one by one"
    )


def test_a_zip_that_python_cannot_unpack_is_not_called_damaged(tmp_path: Path) -> None:
    path = altered(tmp_path / "deflate64.zip", b"title", 2, 9)
    with pytest.raises(InvalidValueError, match="ZIP: Python does not support its compression"):
        read(path)


def test_a_hostile_zip_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewra_lite.importing.reading.MOST_BYTES", 1_000_000)
    monkeypatch.setattr("viewra_lite.importing.reading.MOST_MEMBERS", 20)
    bomb = zipped(tmp_path / "bomb.zip", {"diary.csv": b"x" * 2_000_000})
    many = zipped(tmp_path / "many.zip", {f"{n}.csv": b"x" for n in range(21)})
    torn = tmp_path / "torn.zip"
    torn.write_bytes(bomb.read_bytes()[:-30])
    broken = bytearray(zipped(tmp_path / "ok.zip", {"diary.csv": sample("kodi.xml")}).read_bytes())
    broken[60:90] = bytes(30)
    flipped = tmp_path / "flipped.zip"
    flipped.write_bytes(broken)
    empty = zipped(tmp_path / "empty.zip", {})
    for path, why in (
        (bomb, "unpacks to more than"),
        (many, "more than 20 files"),
        (torn, "is damaged"),
        (flipped, "is damaged"),
        (empty, "contains no file of a known format"),
    ):
        with pytest.raises(InvalidValueError, match=why) as refused:
            read(path)
        assert str(refused.value).startswith(str(path))
    assert {each.name for each in tmp_path.iterdir()} == {
        "bomb.zip",
        "many.zip",
        "torn.zip",
        "ok.zip",
        "flipped.zip",
        "empty.zip",
    }


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><videodb>&a;</videodb>',
        b"<videodb>" + b"<a>" * 100_000,
        b"<videodb><movie>",
        b"<videodb>\xff</videodb>",
        b"<html><body>log in</body></html>",
        b'<?xml version="1.0" encoding="utf-99"?><videodb/>',
        b"<videodb>\0</videodb>",
    ],
)
def test_hostile_xml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kodi.xml"
    path.write_bytes(content)
    with pytest.raises(InvalidValueError) as refused:
        read(path)
    assert str(refused.value).startswith(str(path))


WORDS = st.sampled_from(
    [
        "movie",
        "show",
        "episode",
        "ids",
        "trakt",
        "watched_at",
        "listed_at",
        "seasons",
        "episodes",
        "number",
        "status",
        "media_type",
        "watched_status",
        "data",
        "response",
        "track_metadata",
        "listened_at",
        "payload",
        "listens",
        "artist",
        "name",
        "date",
        "uts",
        "track",
        "#text",
        "title",
        "movies",
        "shows",
        "anime",
        "watched_episodes_count",
        "guid",
        "viewra_watched",
        "items",
        "plays",
        "progress",
        "position",
        "user_id",
        "played_at",
        "@attr",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | WORDS
    | st.sampled_from(["2024-02-11", "tt0078748", "completed", 1707768300, 0.5, 1e300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
)


@pytest.fixture(scope="module")
def only_store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("hostile")
    with Store.open(f"sqlite:///{folder / 'v.db'}") as opened:
        Home(opened, folder / "all")
        yield opened


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_no_file_leads_to_anything_but_a_viewra_error(
    only_store: Store, tmp_path: Path, data: st.DataObject
) -> None:
    shape = data.draw(st.sampled_from(["json", "torn", "table", "zip"]))
    if shape == "json":
        content = json.dumps(data.draw(VALUES)).encode()
    elif shape == "table":
        header = data.draw(st.sampled_from(sorted(SAID))).encode()
        lines = sample(header.decode()).splitlines()[:1]
        cells = st.sampled_from(
            [b"", b"1", b"x", b'"', b"2024-02-30", b"31/12/24", b"tt1", b"\xff"]
        )
        for row in data.draw(st.lists(st.lists(cells, max_size=14), max_size=4)):
            lines.append(data.draw(st.sampled_from([b",", b"\t"])).join(row))
        content = b"\n".join(lines)
    else:
        whole = sample(data.draw(st.sampled_from(sorted(SAID))))
        if shape == "zip":
            box = io.BytesIO()
            with zipfile.ZipFile(box, "w") as archive:
                archive.writestr("a.json", whole)
            whole = box.getvalue()
        changed = bytearray(whole)
        for at, byte in data.draw(
            st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=6)
        ):
            changed[at] = byte
        content = bytes(changed[: data.draw(st.integers(1, len(whole)))])
    path = tmp_path / "export"
    path.write_bytes(content)
    try:
        only_store.importing.watched(path, user_id="ann")
    except ViewraError as exc:
        assert len(str(exc)) < 1000
