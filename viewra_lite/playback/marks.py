"""Marking a movie, a season or a whole show: which files that means, and what is written."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ..database.fields import checked_value
from ..database.sessions import Sessions
from ..errors import ConflictError, InvalidValueError, NotFoundError
from ..media.models import MediaFile, Movie
from . import queries, watching_queries
from .models import UserMediaProgress
from .progress import Progress
from .versions import Versions, subjects

_ROWS = {
    "movie": watching_queries.movie_by_id,
    "episode": watching_queries.episode_by_id,
    "season": watching_queries.season_by_id,
    "show": watching_queries.show_by_id,
}
_FILES = {
    "episode": watching_queries.files_of_episode,
    "season": watching_queries.files_of_season,
    "show": watching_queries.files_of_show,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be marked: exactly one of these."""

    media_file_id: str | None = None
    movie_id: str | None = None
    episode_id: str | None = None
    season_id: str | None = None
    show_id: str | None = None


_NAMES = tuple(each.name for each in fields(Wanted))


def mark(
    sessions: Sessions, progress: Progress, user_id: str, wanted: Wanted, *, watched: bool,
    at: datetime | None = None,
) -> None:
    """Mark every file of what is wanted in one durable transaction."""
    noun, id = _checked(wanted)
    with sessions.writer(durable=True):
        if noun == "media_file":
            if sessions.one(queries.file_by_id, id) is None:
                _known_file(sessions, progress, user_id, id)
            ids = [id]
        else:
            ids = _files(sessions, noun, _row(sessions, noun, id))
        if not ids:
            raise ConflictError(
                f"{noun} {id} has no file to mark: scan its library first, or mark a file"
            )
        for file_id in ids:
            progress.decide(user_id, file_id, watched=watched, at=at)


def drop(sessions: Sessions, progress: Progress, user_id: str, wanted: Wanted) -> None:
    """Drop a movie's files, or those of a whole show, in one durable transaction."""
    noun, id = _checked(wanted)
    with sessions.writer(durable=True):
        if noun == "media_file":
            ids = _files_around(sessions, progress, user_id, id)
        elif noun == "movie":
            ids = _files_of_movie(sessions, _row(sessions, noun, id))
        else:
            row = _row(sessions, noun, id)
            show = row if noun == "show" else _row(sessions, "show", row.show_id)
            ids = _files_of_show(sessions, show.identity)
        progress.drop(user_id, progress.of_files(user_id, ids))


def _checked(wanted: Wanted) -> tuple[str, str]:
    """Return which of the nouns is given, and its id; raises InvalidValueError."""
    given = [name for name in _NAMES if getattr(wanted, name) is not None]
    if len(given) != 1:
        raise InvalidValueError(
            f"give exactly one of {', '.join(_NAMES)}, not {' and '.join(given) or 'none'}"
        )
    id = getattr(wanted, given[0])
    try:
        checked_value(UserMediaProgress.media_file_id, id)
    except InvalidValueError as exc:
        raise InvalidValueError(f"{given[0]} must be text, not {id!r}") from exc
    return given[0].removesuffix("_id"), id


def _row(sessions: Sessions, noun: str, id: str) -> Any:
    row = sessions.one(_ROWS[noun], id)
    if row is None:
        raise NotFoundError(f"there is no {noun} {id!r}")
    return row


def _files(sessions: Sessions, noun: str, row: Any) -> list[str]:
    """Return the files of a movie, an episode, a season or a show, each once, in order."""
    if noun == "movie":
        return _files_of_movie(sessions, row)
    return list(dict.fromkeys(id for id, in sessions.all(_FILES[noun], row.id)))


def _files_of_movie(sessions: Sessions, movie: Movie) -> list[str]:
    """Return a file for each part of a movie: to mark one version of it is to mark all."""
    name = movie.identity
    files: list[MediaFile] = sessions.all(
        watching_queries.files_of_movie, name, f"{name}:", f"{name};"
    )
    files.sort(key=lambda file: file.id != movie.media_file_id)
    parts = {file.identity: file.id for file in reversed(files)}
    ids = [movie.media_file_id] if movie.media_file_id is not None else []
    return list(dict.fromkeys([*ids, *reversed(parts.values())]))


def _files_of_show(sessions: Sessions, identity: str) -> list[str]:
    """Return the files of a show in every library in which it lies."""
    rows = sessions.all(watching_queries.episodes_of_shows, [identity])
    return list({row[-1] for row in rows if row[-1] is not None})


def _known_file(sessions: Sessions, progress: Progress, user_id: str, id: str) -> Versions:
    """Return the versions of a file, perhaps a removed one; raises NotFoundError."""
    versions = Versions(sessions, [id])
    if id not in versions.identities and progress.of_file(user_id, id) is None:
        raise NotFoundError(f"there is no media file {id!r}")
    return versions


def _files_around(
    sessions: Sessions, progress: Progress, user_id: str, id: str
) -> list[str]:
    """Return the files of the show or the movie that a file belongs to, else the file."""
    versions = _known_file(sessions, progress, user_id, id)
    subject = subjects(sessions, versions).get(id)
    if subject is not None and subject.show is not None:
        return _files_of_show(sessions, subject.show.identity)
    if subject is not None and subject.movie is not None:
        return _files_of_movie(sessions, subject.movie)
    return [id]
