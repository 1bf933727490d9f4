"""Times are shown and taken in this machine's zone, with --utc in UTC, and JSON is always UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Run, in_process, in_zone
from viewra_lite import FileFacts, Store
from viewra_lite.cli.times import zone

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"  # without the system's tables of zones


@pytest.fixture
def evening(url: str, clock: Any, tmp_path: Path) -> str:
    """A film that Anna watched at 14:00 on 1 May 2024 in Berlin, another that plays, a scan."""
    folder = tmp_path / "films"
    folder.mkdir()
    with Store.open(url, clock=clock) as store:
        library = store.media.add_library("Films", folder, "movie")
        with store.media.reconcile(library.id) as files:
            files.add(FileFacts(str(folder / "Dune (2021).mkv"), 1, 1, duration=7200.0))
        [file] = store.media.files(library.id).items
        session = store.playback.start_session(file.id, user_id="anna")
        clock.advance(600)
        store.playback.stop_session(session.id, position=600.0)
    return url


def test_times_are_local_and_say_so(
    cli: Run, evening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_zone(BERLIN, monkeypatch):
        for command in ("history", "libraries"):
            assert "2024-05-01 14:00 CEST" in cli(command, "--config", evening).out
            assert "2024-05-01 12:00 UTC" in cli(command, "--utc", "--config", evening).out
            assert "2024-05-01 12:00 UTC" in cli("--utc", command, "--config", evening).out
            assert "2024-05-01T12:00:00+00:00" in cli(command, "--json", "--config", evening).out
            assert "14:00 CEST" in in_process(command, "--config", evening).out
    with in_zone("<+0545>-5:45", monkeypatch):  # a zone that has no letters
        assert "2024-05-01 17:45 +0545" in cli("history", "--config", evening).out


def test_a_date_is_of_the_zone_that_is_shown(
    cli: Run, evening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plays(*options: str) -> Any:
        return cli("stats", *options, "--json", "--config", evening).json["plays"]

    with in_zone(BERLIN, monkeypatch):
        assert plays("--since", "2024-05-01T14:00") == 1
        assert plays("--since", "2024-05-01T14:01") == 0
        assert plays("--since", "2024-05-01T12:00", "--until", "2024-05-01T12:01", "--utc") == 1
        assert plays("--until", "2024-05-01T14:00+02:00") == 0
        assert plays("--since", "2024-05-01T12:00Z") == 1
        nothing = cli("stats", "--since", "2024-12-24", "--config", evening).err
        assert nothing == "Nothing was watched from 2024-12-24 00:00 CET on\n"
    with in_zone("XXX-14", monkeypatch):  # midnight there is ten in the morning, the day before
        assert (plays("--since", "2024-05-02"), plays("--since", "2024-05-02", "--utc")) == (1, 0)


@pytest.mark.parametrize("zone", ["XXX-14", "XXX12", BERLIN])
def test_no_date_leaves_the_calendar_in_any_zone(
    cli: Run, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    cli("init")
    with in_zone(zone, monkeypatch):
        for day in ("0001-01-01", "0002-01-01", "9998-12-31T23:59", "9999-12-31T23:59+00:00"):
            done = cli("stats", "--since", day)
            assert done.code in (0, 2) and done.err.count("\n") == 1
            assert "unexpected" not in done.err


def test_bars_are_of_days_of_the_zone_that_is_shown(
    cli: Run, evening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_zone("XXX-14", monkeypatch):  # two in the morning, of the next day
        assert "\n2024-05-02  0.2 " in cli("stats", "--plot", "--config", evening).out
        assert "\n2024-05-01  0.2 " in cli("stats", "--plot", "--utc", "--config", evening).out
        [day] = cli("stats", "--plot", "--json", "--config", evening).json["by_day"]
        assert day["day"] == "2024-05-01"


def test_this_machines_zone_is_the_one_of_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    with in_zone(BERLIN, monkeypatch):
        begin = datetime(2024, 1, 1, tzinfo=timezone.utc)
        for hour in range(0, 366 * 24):  # both nights on which the clocks are changed
            moment = begin + timedelta(hours=hour)
            here = moment.astimezone(zone())
            is_summer = 2161 <= hour < 7201  # 31 March to 27 October, one o'clock in UTC
            assert here.replace(tzinfo=None) == moment.replace(tzinfo=None) + timedelta(
                hours=1 + is_summer
            )
            assert here.tzname() == ("CEST" if is_summer else "CET")
            assert here.astimezone(timezone.utc) == moment


def test_utc_holds_for_one_command_only(
    cli: Run, evening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_zone(BERLIN, monkeypatch):
        assert "UTC" in cli("history", "--utc", "--config", evening).out
        assert "UTC" not in cli("history", "--config", evening).out
