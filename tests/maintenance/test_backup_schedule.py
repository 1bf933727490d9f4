"""There is a backup a day, at a quiet moment, whatever clocks and people do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import Clock
from tests.support.configured import configured
from tests.support.playing import add_files
from viewra_lite import Store, load_config
from viewra_lite.errors import ConfigError
from viewra_lite.maintenance.due import Daily

HOUR_S, DAY_S = 3600, 86_400
ZONES = {
    "UTC": "UTC0",
    "Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
    "New York": "EST5EDT,M3.2.0,M11.1.0",
    "Kathmandu": "NPT-5:45",
    "Apia": "<+13>-13",
    "Lord Howe": "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
}

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone cannot be changed")


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The time zone of this process."""
    name = getattr(request, "param", "UTC")
    monkeypatch.setenv("TZ", ZONES[name])
    time.tzset()
    yield name
    monkeypatch.undo()
    time.tzset()


def backed_up(store: Store) -> list[str]:
    """Run the chores that are due, and return the times of all backups."""
    store.maintenance.run_due()
    return [one.created_at.strftime("%d %H:%M") for one in reversed(store.backups.list())]


# Where


def test_a_backup_in_a_folder_whose_name_is_not_utf_8_is_taken_once_a_day(
    tmp_path: Path, clock: Clock
) -> None:
    folder = str(tmp_path / os.fsdecode(b"b\xe9"))
    config = configured(f"sqlite:///{tmp_path}/viewra.db", backup_folder=folder)
    with Store.open(config, clock=clock) as store:
        store.maintenance.run_due()
        clock.advance(DAY_S)
        assert "backup" in [result.name for result in store.maintenance.run_due()]
        assert store.maintenance.run_due() == []
        assert len(store.backups.list()) == 1


# When


def at_two(moment: datetime) -> datetime:
    return Daily(datetime(2000, 1, 1, 2).time()).latest(moment)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("zone", "after", "due"),
    [
        ("UTC", utc(2024, 5, 1, 1, 59), utc(2024, 5, 1, 2)),
        ("UTC", utc(2024, 5, 1, 2), utc(2024, 5, 2, 2)),
        ("Kathmandu", utc(2024, 5, 1, 12), utc(2024, 5, 1, 20, 15)),
        ("Apia", utc(2024, 5, 1, 12), utc(2024, 5, 1, 13)),
        # 31 March 2024: 02:00 is skipped, which makes it 01:00.
        ("Berlin", utc(2024, 3, 30, 12), utc(2024, 3, 31)),
        ("Berlin", utc(2024, 3, 31), utc(2024, 4, 1)),
        # 27 October 2024: 02:00 comes at 00:00 and at 01:00 UTC.
        ("Berlin", utc(2024, 10, 26, 12), utc(2024, 10, 27)),
        ("Berlin", utc(2024, 10, 27, 0, 30), utc(2024, 10, 28, 1)),
        ("New York", utc(2024, 11, 3, 12), utc(2024, 11, 4, 7)),
    ],
    indirect=["zone"],
)
def test_a_backup_is_due_at_two_by_the_clock_on_the_wall(
    zone: str, after: datetime, due: datetime
) -> None:
    assert at_two(after) == due


@pytest.mark.parametrize("zone", ZONES, indirect=True)
def test_there_is_one_a_day_in_any_zone(zone: str) -> None:
    @given(
        st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone.utc))
    )
    def found(now: datetime) -> None:
        first = at_two(now)
        second = at_two(first)
        assert timedelta(0) < first - now <= timedelta(hours=25)
        assert timedelta(hours=23) <= second - first <= timedelta(hours=25)
        assert second.astimezone().date() - first.astimezone().date() == timedelta(days=1)

    found()


# What


@pytest.fixture
def backups_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # on PostgreSQL the folder is below the current one


pytestmark = [pytestmark, pytest.mark.usefixtures("backups_beside", "zone")]


def test_there_is_a_backup_each_day_and_as_many_are_kept_as_configured(
    store_config: Any, clock: Clock
) -> None:
    with Store.open(configured(store_config, backup_keep=2), clock=clock) as store:
        assert backed_up(store) == []  # it is noon
        for _ in range(3):
            clock.advance(DAY_S - 1)
            backed_up(store)
            clock.advance(1)
            backed_up(store)
        assert [(one.kind, one.verified) for one in store.backups.list()] == [("daily", True)] * 2
        assert backed_up(store) == ["03 11:59", "04 11:59"]


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
def test_a_server_that_is_on_in_the_evening_only_gets_its_backup(
    store: Store, clock: Clock
) -> None:
    backed_up(store)
    clock.advance(DAY_S + 6 * HOUR_S)  # it was off at two
    assert backed_up(store) == ["02 18:00"]
    clock.advance(4 * HOUR_S)
    assert backed_up(store) == ["02 18:00"]
    clock.advance(20 * HOUR_S)
    assert backed_up(store) == ["02 18:00", "03 18:00"]


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
def test_it_waits_for_playback_and_scans_but_not_for_ever(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    backed_up(store)
    (file,) = add_files(store, tmp_path / "films", "a.mkv")
    clock.advance(14 * HOUR_S)
    session = store.playback.start_session(file, user_id="ann")
    assert backed_up(store) == []
    store.playback.stop_session(session.id)
    library = store.media.libraries()[0].id
    with store.media.reconcile(library):
        assert backed_up(store) == []
        clock.advance(6 * HOUR_S - 1)
        assert backed_up(store) == []
        clock.advance(1)
        assert backed_up(store) == ["02 08:00"]


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
def test_other_zones_and_other_hours_count_from_then_on(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def due() -> str:
        store.maintenance.run_due()
        chores = {one.name: one.due_at for one in store.maintenance.chores()}
        return str(chores["backup"].strftime("%d %H:%M"))

    assert due() == "02 02:00"
    monkeypatch.setenv("TZ", ZONES["Apia"])
    time.tzset()
    assert due() == "01 13:00"  # two in the morning there


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
def test_daily_backups_remove_none_that_a_person_made(store_config: Any, clock: Clock) -> None:
    with Store.open(configured(store_config, backup_keep=2), clock=clock) as store:
        mine = store.backups.create().path
        for _ in range(4):
            store.maintenance.run_due()
            clock.advance(DAY_S)
        kinds = [one.kind for one in store.backups.list()]
        assert kinds == ["daily"] * 2 + ["manual"] and os.path.exists(mine)
        for _ in range(2):
            store.backups.create()
            clock.advance(60)
        assert not os.path.exists(mine)


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
def test_a_backup_that_fails_again_and_again_leaves_one_bad_file(
    store: Store, clock: Clock
) -> None:
    store.maintenance.run_due()
    backend = store.media.db.backend
    other = backend.driver.connect(backend.path, 5.0)  # keeps no foreign keys
    other.execute("PRAGMA foreign_keys=0")
    other.execute("INSERT INTO seasons (id, show_id, season_number) VALUES ('s', 'no show', 1)")
    other.close()
    for _ in range(3):
        clock.advance(DAY_S)
        store.maintenance.run_due()
    backup = next(one for one in store.maintenance.chores() if one.name == "backup")
    assert "is not sound" in str(backup.error) and backup.failures == 3
    assert len(store.backups.bad()) == 1 and store.backups.list() == []


def test_it_can_be_switched_off_and_another_hour_chosen(store_config: Any, clock: Clock) -> None:
    for value, due in (("off", None), ("11:00", "02 11:00"), ("13:30", "01 13:30")):
        with Store.open(configured(store_config, backup_at=value), clock=clock) as store:
            store.maintenance.run_due()
            chores = {one.name: one.due_at for one in store.maintenance.chores()}
        assert ("backup" in chores) == (due is not None)
        assert due is None or chores["backup"].strftime("%d %H:%M") == due


@pytest.mark.parametrize("wrong", ["2:00", "24:00", "on", "02:60", 120, "02:00:00"])
def test_a_wrong_hour_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="backup_at.*expected a time of the day"):
        load_config({"database": {"backup_at": wrong}})
