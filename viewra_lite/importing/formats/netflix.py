"""Netflix: ViewingActivity.csv of the data export, or NetflixViewingHistory.csv of the website."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timezone, tzinfo
from typing import Any

from ..reading import Part
from ..record import WatchedRecord, record_of

NAME = "netflix"
TITLE = "Netflix's viewing history"

_EPISODE = re.compile(
    r"(?P<show>.+?): (?:(?:Season|Series|Part|Volume|Vol\.|Book|Chapter|Staffel|Teil|Saison|Partie|"
    r"Temporada|Parte|Stagione|Seizoen|S\u00e6son|S\u00e4song) (?P<season>\d{1,3})|"
    r"Limited Series|Miniseries|Miniserie)(?:: [^:]+)??: (?P<title>.+)",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER = re.compile(
    r"(?:(?P<title>.+) \()?(?:Episode|Folge|\u00c9pisode|Episodio|Afl\.|Aflevering) "
    r"(?P<number>\d{1,4})\)?",
    re.IGNORECASE | re.DOTALL,
)
_DAY = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})", re.ASCII)


def recognises(part: Part) -> bool:
    """Whether a file has the columns of one of the two."""
    header = part.header if part.kind == "table" else []
    if {"profile_name", "start_time", "title"} <= set(header):
        return True
    if header != ["title", "date"]:
        return False
    first = next(part.rows(), (0, {}))[1].get("date", "")
    found = _DAY.fullmatch(first.strip())
    return found is not None and len(found[1]) <= 2


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each title: watched on a day (website), or up to its `Bookmark` (data export)."""
    if "start_time" in part.header:
        for number, row in part.rows():
            yield record_of(_activity(row), number, timezone.utc)  # documented as UTC
        return
    rows = list(part.rows())
    day_first = _is_day_first([row.get("date", "") for _, row in rows])
    for number, row in rows:
        yield record_of(
            {
                **_named(row.get("title", "")),
                "completed": True,
                "watched_at": _day(row.get("date", ""), day_first),
            },
            number,
            zone,
        )


def _activity(row: dict[str, str]) -> dict[str, Any]:
    values = {
        **_named(row.get("title", "")),
        "user": row.get("profile_name"),
        "watched_at": row.get("start_time"),
        "watched_s": row.get("duration"),
        "position": row.get("bookmark"),
    }
    supplement = row.get("supplemental_video_type", "").strip()
    if supplement:
        values["left_out"] = f"is a {supplement.lower()[:30]}, neither a film nor an episode"
    return values


def _named(text: str) -> dict[str, Any]:
    """Return the parts of a title: "Dark: Season 1: Secrets" is an episode with show and season."""
    found = _EPISODE.fullmatch(text.strip())
    if found is None:
        return {"title": text}
    number = _NUMBER.fullmatch(found["title"].strip())
    return {
        "kind": "episode",
        "show": found["show"],
        "season": found["season"] or 1,
        "title": number["title"] if number else found["title"],
        "episode": number and number["number"],
    }


def _is_day_first(texts: Sequence[str]) -> bool:
    """Whether the dates of a file have the day first, which depends on the account's language.

    A number above 12 decides; otherwise the order of the rows, which is latest first.
    """
    parts = [(int(day[1]), int(day[2])) for text in texts if (day := _DAY.fullmatch(text.strip()))]
    if any(first > 12 for first, _ in parts):
        return any(first <= 31 for first, _ in parts)
    if any(second > 12 for _, second in parts):
        return False

    def rises(which: int) -> int:
        months = [pair[which] for pair in parts]
        return sum(1 for before, after in zip(months, months[1:]) if after > before)

    return rises(1) < rises(0)


def _day(text: str, day_first: bool) -> str:
    """Return a date in ISO 8601; other text unchanged."""
    found = _DAY.fullmatch(text.strip())
    if found is None or len(found[1]) > 2:
        return text
    month, day = (found[2], found[1]) if day_first else (found[1], found[2])
    year = found[3] if len(found[3]) == 4 else f"20{found[3]:0>2}"
    return f"{year}-{month:0>2}-{day:0>2}"
