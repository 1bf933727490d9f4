"""Marks for a movie, a season or a whole show: the files to mark, and their new progress."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ...database.checks import checked_id, no_such
from ...database.transactions.database import Database
from ...errors import ConflictError, InvalidValueError
from .. import queries
from ..models import UserMediaProgress
from ..shared import Part
from ..versions import Versions
from . import queries as progress_queries
from .state import Progress

_ROWS = {
    "movie": progress_queries.movie_by_id,
    "episode": progress_queries.episode_by_id,
    "season": progress_queries.season_by_id,
    "show": progress_queries.show_by_id,
}


@dataclass(frozen=True, slots=True)
class Target:
    """The title to mark or drop: exactly one of these."""

    media_file_id: str | None = None
    movie_id: str | None = None
    episode_id: str | None = None
    season_id: str | None = None
    show_id: str | None = None


_NAMES = tuple(each.name for each in fields(Target))


def mark(
    db: Database,
    progress: Progress,
    user_id: str,
    target: Target,
    *,
    watched: bool,
    at: datetime | None = None,
) -> list[UserMediaProgress]:
    """Mark a file for each work of a target in one durable transaction; return their progress."""
    noun, id = _checked(target)
    if at is not None and at > db.now():
        raise InvalidValueError(f"at {at} is in the future: leave it out if the date is unknown")
    with db.writer(durable=True):
        if noun == "media_file":
            if db.one(queries.file_by_id, id) is None:
                _known_file(db, progress, user_id, id)
            ids = [id]
        else:
            works = _works(db, noun, _row(db, noun, id))
            ids = _one_file_each(Versions(db, _files(db, works)), works)
        if not ids:
            raise ConflictError(
                f"{noun} {id} has no file to mark: scan its library first, or mark a file"
            )
        return [
            progress.complete(
                progress.decide(user_id, file_id, watched=watched, at=at), is_music=False
            )
            for file_id in ids
        ]


def drop(db: Database, progress: Progress, user_id: str, target: Target) -> None:
    """Drop a movie's files, or those of a whole show, in one durable transaction."""
    noun, id = _checked(target)
    with db.writer(durable=True):
        if noun == "media_file":
            ids = _files_around(db, progress, user_id, id)
        else:
            row = _row(db, noun, id)
            if noun in ("episode", "season"):
                noun, row = "show", _row(db, "show", row.show_id)
            ids = _files(db, _works(db, noun, row))
        progress.drop(user_id, progress.of_files(user_id, ids))


def _checked(target: Target) -> tuple[str, str]:
    """Return the noun and the id of a target; raises InvalidValueError unless it has one."""
    given = [name for name in _NAMES if getattr(target, name) is not None]
    if len(given) != 1:
        raise InvalidValueError(
            f"give exactly one of {', '.join(_NAMES)}, not {' and '.join(given) or 'none'}"
        )
    return given[0].removesuffix("_id"), checked_id(given[0], getattr(target, given[0]))


def _row(db: Database, noun: str, id: str) -> Any:
    row = db.one(_ROWS[noun], id)
    if row is None:
        raise no_such(noun, id)
    return row


def _works(db: Database, noun: str, row: Any) -> list[str]:
    """Return the works of a movie, an episode, a season or a show, in order."""
    if noun in ("movie", "episode"):
        return [row.work_id]
    if noun == "season":
        show = _row(db, "show", row.show_id)
        found = db.all(queries.works_of_season, show.work_id, row.season_number)
    else:
        found = db.all(queries.works_of_show, row.work_id)
    return [id for (id,) in found]


def _files(db: Database, works: list[str]) -> list[str]:
    """Return every file of these works, removed ones included."""
    return [id for (id,) in db.all(queries.files_of_works, works)]


def _one_file_each(versions: Versions, works: list[str]) -> list[str]:
    """Return one file for each work, or for each part of one, since versions share progress.

    A file that holds nothing else comes first, then one that is on disk.
    """

    def last_choice(id: str) -> tuple[int, bool, str]:
        file = versions.files.get(id)
        return len(versions.parts[id]), file is None or file.status != "present", id

    chosen: dict[Part, str] = {}
    for id in sorted(versions.parts, key=last_choice):
        for part in versions.parts[id]:
            chosen.setdefault(part, id)
    order = {work_id: n for n, work_id in enumerate(works)}
    parts = sorted((part for part in chosen if part[0] in order), key=lambda p: (order[p[0]], p[1]))
    return list(dict.fromkeys(chosen[part] for part in parts))


def _known_file(db: Database, progress: Progress, user_id: str, id: str) -> Versions:
    """Return the versions of a file, possibly a removed one; raises NotFoundError."""
    versions = Versions(db, [id])
    if not versions.is_known(id) and progress.of_file(user_id, id) is None:
        raise no_such("media file", id)
    return versions


def _files_around(db: Database, progress: Progress, user_id: str, id: str) -> list[str]:
    """Return the files of a file's show or movie, or else the file alone."""
    versions = _known_file(db, progress, user_id, id)
    works = versions.works_of(id)
    shows = {show_id for (show_id,) in db.all(queries.shows_of_works, works)}
    for show_id in shows:
        works += [work_id for (work_id,) in db.all(queries.works_of_show, show_id)]
    return [id, *_files(db, works)]
