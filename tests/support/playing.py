"""Files to play that need not be there, and what is stored of sessions, progress and history."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from viewra_lite import FileFacts, Store
from viewra_lite.playback.models import PlaybackHistory, PlaybackSession, UserMediaProgress

HOUR_S = 3600.0


def add_files(
    store: Store,
    folder: Path,
    *names: str,
    kind: str = "movie",
    duration: float | None = HOUR_S,
    identity: str | None = None,
    **facts: Any,
) -> list[str]:
    """Make a library of files that need not be there; return their ids in the order given."""
    folder.mkdir(parents=True, exist_ok=True)
    library = store.media.add_library(folder.name, folder, kind)
    with store.media.reconcile(library.id) as files:
        for name in names:
            files.add(
                FileFacts(
                    str(folder / name), 1000, 1, duration=duration, identity=identity, **facts
                )
            )
    found = {file.filename: file.id for file in store.media.files(library.id).items}
    return [found[name] for name in names]


def sessions(store: Store) -> dict[str, PlaybackSession]:
    """Return every session, ended ones too, by id."""
    with store.reader():
        return {row.id: row for row in PlaybackSession.select()}


def progress_rows(store: Store, **where: Any) -> list[UserMediaProgress]:
    """Return the rows of progress as they are stored."""
    with store.reader():
        return list(UserMediaProgress.select().filter(**where))


def plays(store: Store) -> dict[str, PlaybackHistory]:
    """Return the history as it is stored, by id."""
    with store.reader():
        return {row.id: row for row in PlaybackHistory.select()}


def told(store: Store) -> list[str]:
    """Return everything that this room stores: two may be compared."""
    rows = [*sessions(store).values(), *progress_rows(store), *plays(store).values()]
    return sorted(f"{type(row).__name__} {sorted(row.__data__.items())}" for row in rows)


def resume(store: Store, user_id: str, file_id: str) -> tuple[float, bool, int]:
    """Return position, completed and play_count as progress() tells them."""
    found = store.playback.progress(user_id, file_id)
    return found.position, found.completed, found.play_count


def watch(
    store: Store, clock: Any, session_id: str, start: float, stop: float, step: float = 10.0
) -> None:
    """Play on from start to stop in heartbeats, the clock going along."""
    position = start
    while position < stop:
        passed = min(step, stop - position)
        clock.advance(passed)
        position += passed
        store.playback.heartbeat(session_id, position)


def minutes(count: float) -> timedelta:
    """Return a time span."""
    return timedelta(minutes=count)
