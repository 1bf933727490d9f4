"""Continue watching: the titles that a user has begun and not finished."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from ...config.options import Config
from ...database.checks import checked_limit
from ...database.transactions.database import Database
from ...media.models import MediaFile
from ..models import UserMediaProgress
from ..progress.state import Progress
from ..progress.thresholds import Thresholds
from ..versions import Subject, Versions, subjects
from . import queries as watching_queries
from .items import WatchItem, recent_files


def continue_watching(
    db: Database, progress: Progress, config: Config, user_id: str, limit: int, rewatching: bool
) -> list[WatchItem]:
    """Return the titles that a user has begun and not finished, the most recent first."""
    checked_limit(limit)
    statement = watching_queries.files_begun if rewatching else watching_queries.files_unfinished
    found: dict[tuple[str, str], WatchItem] = {}
    with db.reader():
        for ids in recent_files(db, statement, user_id, *_loosest(config)):
            begun = _begun(db, progress, user_id, ids, rewatching)
            for key, item in _without_passed(db, user_id, begun):
                found.setdefault(key, item)
            if len(found) >= limit:
                break
    return list(found.values())[:limit]


def _loosest(config: Config) -> list[float]:
    """Return the looser of both sets of thresholds, for the database to filter by.

    Without it, a user's thousands of half-heard songs would be read.
    """
    limits = [Thresholds.of(config, is_music=is_music) for is_music in (False, True)]
    return [
        float(min(limit.resume_min_duration_s for limit in limits)),
        min(limit.resume_from for limit in limits),
        max(limit.completed_at for limit in limits),
    ]


def _begun(
    db: Database, progress: Progress, user_id: str, ids: list[str], rewatching: bool
) -> list[tuple[tuple[str, str], WatchItem]]:
    """Return the files of a chunk that can be resumed, each with the key of its entry."""
    versions = Versions(db, ids, for_list=True)
    states = progress.of_files(user_id, ids, versions, for_list=True)
    files: dict[str, MediaFile] = {}
    for id in ids:
        if id not in states:
            continue  # it cannot be read
        file = versions.playable(id)
        state = progress.complete(states[id], is_music=versions.is_music(id), file=file)
        is_over = state.dropped or (state.completed and not rewatching)
        if file is None or file.is_extra:
            continue
        if state.resume_position > 0 and not is_over:
            files[id] = file
            state.media_file_id = file.id
    known = subjects(db, versions) if files else {}
    return [
        (_key(known[id], versions, id), _item(known[id], file, states[id]))
        for id, file in files.items()
    ]


def _without_passed(
    db: Database, user_id: str, begun: list[tuple[tuple[str, str], WatchItem]]
) -> list[tuple[tuple[str, str], WatchItem]]:
    """Leave out episodes of which the user has since completed a later one."""
    works = {item.show.work_id for _, item in begun if item.show is not None}
    if not works:
        return begun
    seen: dict[str, list[tuple[tuple[int, int], datetime]]] = defaultdict(list)
    for row in db.all(watching_queries.plays_of_shows, user_id, list(works)):
        if row.completed and row.season:
            seen[row.work_id].append(((row.season, row.number), row.updated_at))

    def is_passed(item: WatchItem) -> bool:
        if item.show is None or item.episode is None:
            return False
        own = (item.episode.season_number, item.episode.episode_number)
        return any(
            key > own and moment > item.progress.updated_at
            for key, moment in seen[item.show.work_id]
        )

    return [(key, item) for key, item in begun if not is_passed(item)]


def _key(subject: Subject, versions: Versions, id: str) -> tuple[str, str]:
    """Return the key of a file's entry: episodes of a show, or parts of a movie, are one entry."""
    # By work: a show in two libraries is one show.
    if subject.show is not None:
        return "show", str(subject.show.work_id)
    return "work", min(versions.works_of(id), default=id)


def _item(subject: Subject, file: MediaFile, state: UserMediaProgress) -> WatchItem:
    episode = subject.episodes[0] if subject.episodes else None
    return WatchItem(
        subject.kind,
        subject.title,
        file,
        state,
        subject.movie,
        episode,
        subject.show,
        subject.track,
    )
