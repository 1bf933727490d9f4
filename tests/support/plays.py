"""Plays as the tests of history, statistics and archive make them, and what they add up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from viewra_lite import Store
from viewra_lite.playback.history.stats import DayTotal, Stats, TitleTotal, UserTotal
from viewra_lite.playback.models import PlaybackDailyTotal, PlaybackHistory, PlaybackHistoryArchive

NOON = datetime(2024, 4, 20, 12, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
TABLES = (PlaybackHistory, PlaybackHistoryArchive, PlaybackDailyTotal)


def a_play(number: int, **columns: Any) -> dict[str, Any]:
    """Return a row of the history: an hour for each number, from NOON on."""
    return {
        "id": f"play-{number:06}",
        "user_id": "ann",
        "media_file_id": "file",
        "played_at": NOON + timedelta(hours=number),
        "duration_watched": 60,
        "completed": True,
        "kind": "movie",
        "title": f"Movie {number}",
        "top_title": f"Movie {number}",
        "device_id": "tv",
        "method": "direct",
        **columns,
    }


def add_plays(store: Store, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows into the history."""
    with store.writer():
        for start in range(0, len(rows), 50):
            PlaybackHistory.insert_many(rows[start : start + 50]).execute()


def forget_all(store: Store) -> None:
    """Empty the tables of history, archive and totals."""
    with store.writer():
        for model in TABLES:
            model.delete().execute()


def rows_of(store: Store, model: Any) -> list[dict[str, Any]]:
    """Return the rows of a table as they are stored, but for when they were archived."""
    with store.reader():
        rows = [dict(row.__data__) for row in model.select()]
    for row in rows:
        row.pop("archived_at", None)
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def ids_of(store: Store, model: Any) -> list[str]:
    """Return the ids of a table's rows, in order."""
    return [row["id"] for row in rows_of(store, model)]


def walked(store: Store, limit: int, user_id: str | None = None, **options: Any) -> list[Any]:
    """Return the plays of all pages."""
    found: list[Any] = []
    after = None
    while True:
        page = store.playback.history(user_id, limit=limit, after=after, **options)
        assert len(page.items) <= limit
        found += page.items
        if page.next is None:
            return found
        assert len(page.items) == limit
        after = page.next


class Sum:
    """Plays, those that came to the end, and seconds."""

    def __init__(self) -> None:
        self.plays = self.completed = self.seconds = 0

    def add(self, row: dict[str, Any]) -> None:
        """Count a play."""
        self.plays += 1
        self.completed += row["completed"]
        self.seconds += row["duration_watched"] or 0

    @property
    def told(self) -> tuple[int, int, float]:
        """What statistics say of it."""
        return self.plays, self.completed, self.seconds / 3600


def counted(rows: Iterable[dict[str, Any]], column: Any) -> dict[Any, Sum]:
    """Sum rows up by what column(row) says."""
    sums: dict[Any, Sum] = defaultdict(Sum)
    for row in rows:
        sums[column(row)].add(row)
    return sums


def day_of(row: dict[str, Any]) -> date:
    """Return the day of a play, UTC."""
    moment: datetime = row["played_at"]
    return moment.astimezone(timezone.utc).date()


def top_of(row: dict[str, Any]) -> tuple[str, str]:
    """Return what a play is counted under."""
    return row["top_title"] or "", row["kind"]


def added_up(
    rows: Iterable[dict[str, Any]],
    user_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Stats:
    """Return what stats() should say of plays, wherever they are stored."""
    meant = [
        row
        for row in rows
        if user_id in (None, row["user_id"])
        and (since is None or row["played_at"] >= since)
        and (until is None or row["played_at"] < until)
    ]
    titles, users = counted(meant, top_of), counted(meant, lambda row: row["user_id"])
    days, all_of_it = counted(meant, day_of), counted(meant, lambda row: "")[""]

    def most(sums: dict[Any, Sum]) -> list[Any]:
        return sorted(sums, key=lambda key: (-sums[key].seconds, -sums[key].plays, key))

    def tops(*, extras: bool) -> list[TitleTotal]:
        return [
            TitleTotal(kind, title, *titles[title, kind].told)
            for title, kind in most(titles)
            if (kind == "extra") == extras
        ][:10]

    return Stats(
        *all_of_it.told,
        tops(extras=False),
        [DayTotal(day, *days[day].told) for day in sorted(days)],
        [UserTotal(user, *users[user].told) for user in most(users)],
        tops(extras=True),
    )
