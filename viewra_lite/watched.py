"""Import what people have watched elsewhere: match it to the library, and record it once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .errors import InvalidValueError, NotFoundError
from .watched_record import WatchedRecord, record_of

if TYPE_CHECKING:
    from .media.models import Episode, MediaFile
    from .store import Store

Progress = Callable[[str, int, int], None]
_BEGINNING = datetime.min.replace(tzinfo=timezone.utc)
_MARK = re.compile(r"[\s.,:–-]S(\d{1,4})[\s.]?E(\d{1,4})\b", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row that was not imported, and why."""

    number: int
    """The line of the file, or which of the list it is, from 1."""
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class WatchedImport:
    """What an import came to; the numbers are of rows, and add up to the total."""

    total: int = 0
    imported: int = 0
    already: int = 0
    """Known before, or older than what is known."""
    unwatched: int = 0
    """The export says that they were not watched."""
    unmatched: list[Unmatched] = field(default_factory=list)


class _NotMatchedError(InvalidValueError):
    """The row says too little, or nothing in the library is what it says."""


class _UndoneError(Exception):
    """Rolls back what a dry run did."""


def import_watched(
    store: Store, records: Iterable[WatchedRecord | Mapping[str, Any]], *,
    user_id: str | None = None, dry_run: bool = False, progress: Progress | None = None,
) -> WatchedImport:
    """Record what was watched elsewhere, oldest first; what is known already stays as it is.

    records are those of read_watched(), or mappings with the same names. user_id is whose they
    all are, whatever they say. Each row is a transaction of its own: interrupted, it goes on when
    it is called again. dry_run tries each row and takes it back. progress(phase, done, total) is
    called as it goes. Raises InvalidValueError where records are none; what is wrong with one row
    is in `unmatched`.
    """
    rows = _rows(records)
    outcomes = {"imported": 0, "already": 0, "unwatched": 0}
    unmatched = []
    take = _tried if dry_run else _taken
    for done, row in enumerate(sorted(rows, key=_when), 1):
        try:
            outcomes[take(store, row, user_id)] += 1
        except (InvalidValueError, NotFoundError) as exc:
            unmatched.append(Unmatched(row.number, row.what, str(exc)))
        if progress is not None:
            progress("importing", done, len(rows))
    unmatched.sort(key=lambda each: each.number)
    return WatchedImport(len(rows), **outcomes, unmatched=unmatched)


def _rows(records: Any) -> list[WatchedRecord]:
    if isinstance(records, (str, bytes, Mapping)) or not isinstance(records, Iterable):
        raise InvalidValueError(
            f"records must be a list of records, not {type(records).__name__}: of a file, "
            "read_watched(path)"
        )
    return [_row(record, number) for number, record in enumerate(records, 1)]


def _row(record: Any, number: int) -> WatchedRecord:
    if isinstance(record, WatchedRecord):
        number = record.number or number
        return record if record.problem else record_of(asdict(record), number)
    if isinstance(record, Mapping):
        return record_of(record, number)
    return WatchedRecord(number, problem="is neither a WatchedRecord nor a mapping")


def _when(row: WatchedRecord) -> tuple[bool, datetime]:
    # Undated rows come last: they say least, and must not stand in the way of others.
    return row.watched_at is None, row.watched_at or _BEGINNING


# One row


def _tried(store: Store, row: WatchedRecord, user_id: str | None) -> str:
    """Return what taking a row would come to, and take it back."""
    outcome = ""
    try:
        with store.writer():
            outcome = _taken(store, row, user_id)
            raise _UndoneError
    except _UndoneError:
        return outcome


def _taken(store: Store, row: WatchedRecord, user_id: str | None) -> str:
    """Import a row; return which number of WatchedImport it counts in."""
    if row.problem:
        raise _NotMatchedError(row.problem)
    user = row.user if user_id is None else user_id
    if user is None:
        raise _NotMatchedError("names no user: give every row one, or import it for one (--user)")
    now = store.media.sessions.now()
    if row.watched_at is not None and row.watched_at > now:
        raise _NotMatchedError(
            f"{row.watched_at} lies in the future: it is {now}; a time without a zone is UTC"
        )
    if not row.is_watched and not row.position:
        return "unwatched"
    file = _file(store, row)
    is_new = (_watched if row.is_watched else _begun)(store, row, user, file)
    return "imported" if is_new else "already"


def _watched(store: Store, row: WatchedRecord, user: str, file: MediaFile) -> bool:
    if row.watched_at is not None:
        return store.playback.record_play(
            user, file.id, played_at=row.watched_at, completed=True,
            duration_watched=file.duration,  # an export that says how long is rare
        )
    state = store.playback.progress(user, file.id)
    if state.completed:
        return False
    if state.updated_at is None:
        store.playback.mark_watched(user, file.id)
    else:  # without losing where they are
        store.playback.set_progress(
            user, file.id, _within(state.position, file), completed=True,
            client_time=state.reported_at,
        )
    return True


def _begun(store: Store, row: WatchedRecord, user: str, file: MediaFile) -> bool:
    assert row.position is not None
    state = store.playback.progress(user, file.id)
    if state.updated_at is not None:
        if row.watched_at is None or (state.reported_at or state.updated_at) >= row.watched_at:
            return False
    store.playback.set_progress(
        user, file.id, _within(row.position, file), client_time=row.watched_at
    )
    return True


def _within(position: float, file: MediaFile) -> float:
    """Return a position in a file; the one that was watched elsewhere may have run longer."""
    return min(position, file.duration or position)


# What it is


def _file(store: Store, row: WatchedRecord) -> MediaFile:
    """Return the file that a row means; raises _NotMatchedError."""
    if row.path is not None:
        at_path = store.media.find_file_by_path(row.path)
        if at_path is not None:
            return at_path
    if row.show is not None:
        found: Any = _episode(store, row)
    elif row.title is not None:
        found = _titled(store, row, row.title)
    elif row.path is not None:
        raise _NotMatchedError("no file in the library, or more than one, has this path or its end")
    else:
        raise _NotMatchedError("says neither title, show nor path")
    if found is None:
        raise _NotMatchedError("is not in the library, or one cannot tell which is meant")
    if found.media_file is None:
        raise _NotMatchedError("is in the library, but has no file")
    file: MediaFile = found.media_file
    return file


def _titled(store: Store, row: WatchedRecord, title: str) -> Any:
    if row.artist is not None or row.album is not None:
        return store.media.find_track(title, artist=row.artist, album=row.album)
    movie = store.media.find_movie(title, year=row.year)
    mark = _MARK.search(title)
    if movie is not None or mark is None:
        return movie
    show = title[:mark.start()].rstrip(" .,:–-")
    return store.media.find_episode(show, int(mark[1]), int(mark[2]))


def _episode(store: Store, row: WatchedRecord) -> Episode | None:
    """Return the episode of a row, whose year may be the show's, or the episode's own."""
    assert row.show is not None
    if row.season is None or row.episode is None:
        raise _NotMatchedError("names a show without the numbers of season and episode")
    find = store.media.find_episode
    found = find(row.show, row.season, row.episode, year=row.year)
    if found is not None or row.year is None:
        return found
    found = find(row.show, row.season, row.episode)
    if found is None:
        return None
    if found.air_date is not None:
        return found if found.air_date.year == row.year else None
    begun: int | None = found.show.year
    return found if begun is None or begun <= row.year else None
