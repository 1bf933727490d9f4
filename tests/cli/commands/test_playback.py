"""sessions, history, continue and stats, on both engines."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Run, in_process
from viewra_lite import FileFacts, Store
from viewra_lite.cli.arguments import moment
from viewra_lite.cli.commands.playback import position_text, time_text
from viewra_lite.cli.complaints import without_passwords
from viewra_lite.cli.times import in_utc

DUNE_S, EPISODE_S = 7200.0, 2700.0


@dataclass(frozen=True)
class Home:
    """A store with a movie and three episodes, and their files' ids."""

    url: str
    movie: str
    episodes: list[str]
    folder: Path


@pytest.fixture
def home(url: str, clock: Any, tmp_path: Path) -> Home:
    """A library that nobody has watched anything of."""
    folder = tmp_path / "media"
    folder.mkdir()
    with Store.open(url, clock=clock) as store:
        library = store.media.add_library("All", folder, "movie")
        with store.media.reconcile(library.id) as files:
            files.add(FileFacts(str(folder / "dune.mkv"), 1, 1, duration=DUNE_S))
            for number in (1, 2, 3):
                path = str(folder / f"dark {number}.mkv")
                files.add(FileFacts(path, number + 1, 1, duration=EPISODE_S))
        ids = {Path(file.path).stem: file.id for file in store.media.files(library.id).items}
        store.media.save_movie(library.id, title="Dune", year=2021, media_file_id=ids["dune"])
        show = store.media.save_show(library.id, title="Dark")
        episodes = [ids[f"dark {number}"] for number in (1, 2, 3)]
        for number, file in enumerate(episodes, start=1):
            store.media.save_episode(
                show.id,
                season_number=1,
                episode_number=number,
                title=f"Part {number}",
                media_file_id=file,
            )
    return Home(url, ids["dune"], episodes, folder)


def watch(store: Store, clock: Any, user: str, file: str, seconds: float) -> None:
    """Let a user watch a file from its beginning."""
    session = store.playback.start_session(file, user_id=user, device_id="tv")
    clock.advance(seconds)
    store.playback.stop_session(session.id, position=seconds)


@pytest.fixture
def evening(home: Home, clock: Any) -> Home:
    """What two people watched: Anna an episode and half a movie, Ben a third of an episode."""
    with Store.open(home.url, clock=clock) as store:
        watch(store, clock, "anna", home.episodes[0], EPISODE_S)
        watch(store, clock, "ben", home.episodes[0], 900)
        clock.advance(86400)
        watch(store, clock, "anna", home.movie, 3600)
    return home


# sessions


def test_sessions_shows_what_another_process_plays(cli: Run, home: Home) -> None:
    with Store.open(home.url) as store:
        playing = store.playback.start_session(home.movie, user_id="anna", device_id="tv")
        beat = store.playback.heartbeat(playing.id, 754.0)
        other = store.playback.start_session(
            home.episodes[1], user_id="ben\x1b[31m", method="transcode"
        )
        table = in_process("sessions", "--config", home.url)
        document = in_process("sessions", "--json", "--user", "anna", "--config", home.url).json
        assert store.playback.session(other.id).end_time is None
    assert (table.code, table.err) == (0, "")
    heading, *rows = table.out.splitlines()
    assert heading.split() == ["user", "title", "device", "state", "position", "since"]
    assert "Dune (2021)" in rows[0] and "playing" in rows[0]
    assert "0:12:34 of 2:00:00" in rows[0] and rows[0].endswith(" UTC")
    assert rows[1].startswith("ben\\x1b[31m") and "Dark S01E02 Part 2" in rows[1]
    assert document == {
        "sessions": [
            {
                "id": playing.id,
                "user_id": "anna",
                "device_id": "tv",
                "media_file_id": home.movie,
                "kind": "movie",
                "title": "Dune (2021)",
                "method": "direct",
                "state": "playing",
                "position": 754.0,
                "duration": DUNE_S,
                "start_time": playing.start_time.isoformat(),
                "last_activity": beat.last_activity.isoformat(),
            }
        ]
    }


def test_nothing_is_said_on_stderr_and_well(cli: Run, home: Home) -> None:
    for arguments, note in (
        (["sessions"], "Nothing is being played\n"),
        (["history"], "Nothing was watched\n"),
        (["sessions", "zoe"], "Nothing is being played by zoe\n"),
        (["history", "zoe", "--archived"], "Nothing was watched by zoe\n"),
        (["stats", "zoe"], "Nothing was watched by zoe\n"),
        (["continue", "zoe"], "zoe has no unfinished titles\n"),
        (
            ["continue", "zoe", "--next-up"],
            "zoe has no unfinished titles\nzoe has no next episodes\n",
        ),
        (["stats", "--plot"], "Nothing was watched\n"),
        (
            ["stats", "--since", "2024-05-31", "--until", "2024-06-01T20:15+02:00"],
            "Nothing was watched from 2024-05-31 00:00 UTC on before 2024-06-01 18:15 UTC\n",
        ),
    ):
        done = cli(*arguments, "--config", home.url)
        assert (done.code, done.out, done.err) == (0, "", note)
    assert cli("sessions", "--json", "--config", home.url).json == {"sessions": []}
    assert cli("history", "--json", "--config", home.url).json == {"items": [], "next": None}
    assert cli("continue", "zoe", "--json", "--config", home.url).json == {"continue": []}
    assert cli("stats", "--json", "--config", home.url).json == {
        "plays": 0,
        "completed": 0,
        "hours": 0.0,
        "top_titles": [],
        "by_day": [],
        "by_user": [],
        "top_extras": [],
    }


# history


def test_history_lists_the_latest_first(cli: Run, evening: Home) -> None:
    done = cli("history", "--config", evening.url)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "when                  user  title               minutes  completed",
        "2024-05-02 13:00 UTC  anna  Dune (2021)              60  no",
        "2024-05-01 12:45 UTC  ben   Dark S01E01 Part 1       15  no",
        "2024-05-01 12:00 UTC  anna  Dark S01E01 Part 1       45  yes",
    ]
    of_ben = cli("history", "ben", "--json", "--config", evening.url).json
    [play] = of_ben["items"]
    assert play.pop("id")
    assert (of_ben["next"], play) == (
        None,
        {
            "user_id": "ben",
            "device_id": "tv",
            "media_file_id": evening.episodes[0],
            "kind": "episode",
            "title": "Dark S01E01 Part 1",
            "top_title": "Dark",
            "method": "direct",
            "played_at": "2024-05-01T12:45:00+00:00",
            "duration_watched": 900,
            "completed": False,
            "archived_at": None,
        },
    )


def test_history_goes_on_where_it_ended(cli: Run, evening: Home) -> None:
    first = cli("history", "--limit", "2", "--json", "--config", evening.url).json
    options = ("--limit", "2", "--after", first["next"], "--config", evening.url)
    rest = cli("history", "--json", *options).json
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
    assert len({play["id"] for play in first["items"] + rest["items"]}) == 3
    shown = cli("history", "--limit", "2", "--config", evening.url)
    proposed = shlex.split(shown.err.removeprefix("There is more: "))
    assert proposed == [
        "viewra-lite",
        "history",
        "--limit",
        "2",
        "--after",
        first["next"],
        "--config",
        without_passwords(evening.url),
    ]
    filtered = cli("history", "--user", "anna", "--archived", "--limit", "1", *options[-2:]).err
    assert "viewra-lite history anna --limit 1 --archived --after " in filtered
    assert cli("history", *options).err == ""


def test_history_reads_the_archive_when_asked(cli: Run, evening: Home, clock: Any) -> None:
    with Store.open(evening.url, clock=clock) as store:
        store.playback.archive_history(older_than=timedelta(hours=12))
    assert len(cli("history", "--json", "--config", evening.url).json["items"]) == 1
    plays = cli("history", "--archived", "--json", "--config", evening.url).json["items"]
    assert [play["archived_at"] is not None for play in plays] == [False, True, True]
    assert cli("stats", "--json", "--config", evening.url).json["plays"] == 3


# continue


def test_continue_lists_what_was_begun(cli: Run, evening: Home) -> None:
    done = cli("continue", "anna", "--config", evening.url)
    assert (done.code, done.err) == (0, "")
    heading, row = done.out.splitlines()
    assert heading.split() == ["title", "position", "%", "file"]
    assert row == f"Dune (2021)  1:00:00 of 2:00:00  50  {evening.folder}/dune.mkv"
    [item] = cli("continue", "anna", "--json", "--config", evening.url).json["continue"]
    assert item.pop("movie_id")
    assert item == {
        "kind": "movie",
        "title": "Dune (2021)",
        "media_file_id": evening.movie,
        "path": f"{evening.folder}/dune.mkv",
        "position": 3600.0,
        "resume_position": 3600.0,
        "duration": DUNE_S,
        "updated_at": "2024-05-02T14:00:00+00:00",
        "show_id": None,
        "episode_id": None,
        "track_id": None,
    }


def test_next_up_is_listed_below(cli: Run, evening: Home) -> None:
    done = cli("continue", "anna", "--next-up", "--config", evening.url)
    assert (done.code, done.err) == (0, "")
    *_, begun, gap, heading, following = done.out.splitlines()
    assert begun.startswith("Dune (2021)  ") and gap == ""
    assert heading.split() == ["next", "up", "duration", "file"]
    assert following == f"Dark S01E02 Part 2   0:45:00  {evening.folder}/dark 2.mkv"
    document = cli("continue", "anna", "--next-up", "--json", "--config", evening.url).json
    assert [item["title"] for item in document["continue"]] == ["Dune (2021)"]
    [item] = document["next_up"]
    assert (item["title"], item["position"], item["episode_id"] is None) == (
        "Dark S01E02 Part 2",
        0.0,
        False,
    )


def test_an_episode_that_was_begun_is_listed_once(cli: Run, evening: Home, clock: Any) -> None:
    with Store.open(evening.url, clock=clock) as store:
        watch(store, clock, "anna", evening.episodes[1], 900)
    done = cli("continue", "anna", "--next-up", "--config", evening.url)
    assert done.out.count("Dark S01E02") == 1 and "next up" not in done.out
    assert done.err == "anna has no next episodes\n"
    document = cli("continue", "anna", "--next-up", "--json", "--config", evening.url).json
    assert [item["title"] for item in document["continue"]] == ["Dark S01E02 Part 2", "Dune (2021)"]
    assert document["next_up"] == []


# stats


def test_stats_tells_titles_and_users(cli: Run, evening: Home) -> None:
    done = cli("stats", "--config", evening.url)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "plays      3",
        "completed  1",
        "hours      2.0",
        "",
        "title        kind     plays  completed  hours",
        "Dark         episode      2          1    1.0",
        "Dune (2021)  movie        1          0    1.0",
        "",
        "user  plays  completed  hours",
        "anna      2          1    1.8",
        "ben       1          0    0.2",
    ]
    document = cli("stats", "--json", "--config", evening.url).json
    assert document["by_day"] == [
        {"day": "2024-05-01", "plays": 2, "completed": 1, "hours": 1.0},
        {"day": "2024-05-02", "plays": 1, "completed": 0, "hours": 1.0},
    ]
    assert document["by_user"][1] == {"user_id": "ben", "plays": 1, "completed": 0, "hours": 0.25}
    for options in ((), ("--plot",)):
        of_ben = cli("stats", "--user", "ben", *options, "--config", evening.url).out
        assert "Dark" in of_ben and "ben" not in of_ben


def test_stats_of_a_user_and_a_time(cli: Run, evening: Home) -> None:
    def plays(*options: str) -> Any:
        return cli("stats", *options, "--json", "--config", evening.url).json["plays"]

    assert plays("--user", "anna") == 2
    assert plays("--since", "2024-05-02") == 1
    assert plays("--until", "2024-05-02") == 2
    assert plays("--since", "2024-05-01T14:30+02:00", "--until", "2024-05-02T13:00") == 1


def test_stats_draws_bars(cli: Run, evening: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    done = cli("stats", "--plot", "--config", evening.url)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[3:] == [
        "",
        "Hours per day",
        "2024-05-01  1.0  ███████████████████████",
        "2024-05-02  1.0  ███████████████████████",
        "",
        "Hours per title",
        "Dark         1.0  ██████████████████████",
        "Dune (2021)  1.0  ██████████████████████",
        "",
        "Hours per user",
        "anna  1.8  █████████████████████████████",
        "ben   0.2  ████▏",
    ]
    ascii_only = in_process(
        "stats",
        "--plot",
        "--config",
        evening.url,
        env={"COLUMNS": "40", "PYTHONIOENCODING": "ascii"},
    )
    assert ascii_only.out.splitlines()[-2:] == [f"anna  1.8  {'#' * 29}", f"ben   0.2  {'#' * 4}"]


# Arguments


def test_every_command_takes_the_user_the_same_way(cli: Run, evening: Home) -> None:
    config = ("--json", "--config", evening.url)
    for command in ("sessions", "history", "continue", "stats"):
        answers = [
            cli(command, *user, *config).json
            for user in (["anna"], ["--user", "anna"], ["anna", "--user", "anna"])
        ]
        assert answers[0] == answers[1] == answers[2]
        if command != "continue":
            assert cli(command, *config).code == 0
        twice = cli(command, "anna", "--user", "ben", *config)
        assert (twice.code, twice.out) == (2, "") and "'anna' and 'ben'" in twice.err
    assert "viewra-lite continue USER" in cli("continue", *config).err


@pytest.mark.parametrize(
    "arguments",
    [["sessions"], ["history"], ["continue", "anna"], ["stats", "--plot"], ["transcodes"]],
)
def test_asking_makes_no_store(cli: Run, folder: Path, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("viewra-lite: error: no store at ")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["continue"],
        ["continue", ""],
        ["continue", "x", "y"],
        ["history", "x", "y"],
        ["history", "--limit", "0"],
        ["continue", "x", "--limit", "1001"],
        ["sessions", "--user", ""],
        ["sessions", "x", "y"],
        ["stats", "x", "--user", "y"],
        ["stats", "--since", "yesterday"],
        ["stats", "--until", "2024-02-30"],
        ["stats", "--since", "0001-01-01T00:00+02:00"],
        ["stats", "--since", "20240531"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(cli: Run, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    options = [word for word in arguments if word.startswith("--") and "x" not in arguments]
    assert all(option in done.err for option in options)


def test_what_the_store_refuses_is_exit_2(cli: Run, home: Home) -> None:
    for arguments in (
        ["history", "--after", "nonsense"],
        ["history", "\udce9"],
        ["continue", "\udce9"],
        ["stats", "--user", "\udce9"],
        ["sessions", "--user", "\udce9"],
    ):
        done = cli(*arguments, "--config", home.url)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), arguments


@pytest.mark.parametrize(
    "arguments, says",
    [
        (
            ["history", "ann", "--after", "x"],
            "--after must be the cursor printed below the previous page",
        ),
        (["history", "x" * 300], "USER must have at most 255 characters"),
        (
            ["stats", "--since", "2024-05-02", "--until", "2024-05-01"],
            "--since must not be after --until: 2024-05-02",
        ),
        (["export", "watched", ""], "argument USER: expected the id of a user"),
        (["export", "watched", "x" * 300], "USER must have at most 255 characters"),
        (
            ["import", "watched", "{file}", "--user", ""],
            "argument --user: expected the id of a user",
        ),
        (["import", "watched", "{file}", "--user", "x" * 300], "USER must have at most 255"),
        (["import", "watched", "{file}", "--timezone", "Mars"], "--timezone must be the name of a"),
        (["scan", "{folder}", "--type", "movie", "--name", ""], "argument --name: expected a name"),
    ],
)
def test_what_the_store_refuses_is_said_in_words_of_the_command_line(
    cli: Run, home: Home, tmp_path: Path, arguments: list[str], says: str
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "list.csv").write_text("title\nDune\n")
    names = {"file": tmp_path / "list.csv", "folder": tmp_path / "new"}
    done = cli(*(each.format(**names) for each in arguments), "--config", home.url)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert says in done.err


def test_a_moment_is_of_this_zone_unless_it_says_otherwise(folder: Path) -> None:
    evening = datetime(2024, 5, 31, 18, 15, tzinfo=timezone.utc)
    for text in (
        "2024-05-31T18:15",
        "2024-05-31 18:15:00",
        "2024-05-31T18:15:00.000000Z",
        "2024-05-31T20:15:00.000+02:00",
    ):
        assert in_utc(moment(text)) == evening
    assert in_utc(moment("2024-05-31")) == evening.replace(hour=0, minute=0)


def test_times_are_readable() -> None:
    assert [time_text(seconds) for seconds in (None, 0, 59.9, 3600, 360000.5)] == [
        "",
        "0:00:00",
        "0:00:59",
        "1:00:00",
        "100:00:00",
    ]
    assert position_text(754.2, 6720) == "0:12:34 of 1:52:00"
    assert [position_text(754.2, end) for end in (None, 0.0)] == ["0:12:34", "0:12:34"]
