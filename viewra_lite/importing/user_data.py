"""Export and restore of all watch data of a user, as JSON.

An item is a movie, an episode or a track with its titles and external ids, the user's progress and
every play. Restoring writes exactly the exported values, to the second, and derives nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from ..database import moments
from ..database.orm.reading import in_json
from ..database.orm.rows import values_of
from ..database.transactions.database import Database
from ..errors import InvalidValueError
from ..playback import queries as playback_queries
from ..playback.models import KINDS, METHODS, PlaybackHistory, UserMediaProgress
from ..playback.shared import merged
from ..playback.versions import Subject, Versions, subjects
from . import queries
from .applying import UNDATED, Change, image
from .matching import NotMatched
from .reading import Part, objects, pick
from .record import WatchedRecord, record_of
from .results import ImportResult
from .run import Run

NAME = "viewra"
VERSION = 1
_CHUNK = 500  # files
_ITEMS_AT_ONCE = 100  # in a transaction
_TIMES = ("updated_at", "last_played_at", "reported_at")
_KEPT = (
    "position",
    "duration",
    "completed",
    "play_count",
    "last_played_at",
    "updated_at",
    "reported_at",
    "dropped",
)
_OF_PLAY = (
    "played_at",
    "duration_watched",
    "completed",
    "kind",
    "title",
    "top_title",
    "device_id",
    "method",
)


# Export


def export(db: Database, user_id: str) -> dict[str, Any]:
    """Return the document of a user's items."""
    with db.reader():
        found = db.all(queries.files_of_user, user_id, user_id, user_id)
        ids = sorted(id for (id,) in found)
        items = [
            item
            for start in range(0, len(ids), _CHUNK)
            for item in _items(db, user_id, ids[start : start + _CHUNK])
        ]
    return {
        "viewra_watched": VERSION,
        "user_id": user_id,
        "exported_at": db.now().isoformat(),
        "items": items,
    }


def _items(db: Database, user_id: str, ids: list[str]) -> Iterator[dict[str, Any]]:
    versions = Versions(db, ids)
    known = subjects(db, versions)
    groups: dict[Any, list[str]] = {}
    for id in ids:
        groups.setdefault(versions.parts.get(id) or id, []).append(id)
    every = {id for group in groups.values() for id in group}
    rows = {row.media_file_id: row for row in db.all(queries.progress_rows, user_id, list(every))}
    plays: dict[str, list[Any]] = {}
    for statement in queries.plays_of_files:
        for play in db.all(statement, user_id, list(every)):
            plays.setdefault(play.media_file_id, []).append(play)
    for group in groups.values():
        state = merged([rows[id] for id in group if id in rows], group[0])
        yield {
            **_named(versions, known, group[0]),
            "progress": None if state is None else _progress(state),
            "plays": sorted(
                (_play(play) for id in group for play in plays.get(id, ())),
                key=lambda play: str(play["played_at"]),
            ),
        }


def _progress(state: UserMediaProgress) -> dict[str, Any]:
    values = image(state)
    return {name: values.get(name) for name in _KEPT}


def _play(play: object) -> dict[str, Any]:
    return in_json({name: getattr(play, name) for name in _OF_PLAY})


def _named(versions: Versions, known: dict[str, Subject], id: str) -> dict[str, Any]:
    """Return the names and ids of a file, in the columns of an import's row."""
    file, subject = versions.files.get(id), known.get(id)
    path = None if file is None else file.path.encode("utf-8", "replace").decode()
    names: dict[str, Any] = {"path": path}
    if subject is None or any(part for _, part in versions.parts.get(id, ())):
        return _without_none({**names, "name": versions.removed_names.get(id)})
    if subject.movie is not None:
        movie = subject.movie
        names |= {
            "kind": "movie",
            "title": movie.title,
            "year": movie.year,
            "tmdb_id": movie.tmdb_id,
            "imdb_id": movie.imdb_id,
        }
    elif subject.episodes:
        episode = subject.episodes[0]
        show = episode.show
        names |= {
            "kind": "episode",
            "show": show.title,
            "year": show.year,
            "title": episode.title,
            "season": episode.season_number,
            "episode": episode.episode_number,
            "tmdb_id": episode.tmdb_id,
            "imdb_id": episode.imdb_id,
            "tvdb_id": episode.tvdb_id,
            "show_tmdb_id": show.tmdb_id,
            "show_imdb_id": show.imdb_id,
            "show_tvdb_id": show.tvdb_id,
        }
    elif subject.track is not None:
        track = subject.track
        names |= {
            "kind": "track",
            "title": track.title,
            "album": track.album.title,
            "artist": track.artist or track.album.album_artist,
            "musicbrainz_id": track.musicbrainz_id,
        }
    return _without_none(names)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


# Restore


def recognised(parts: Sequence[Part]) -> dict[str, Any] | None:
    """Return the document of our own export, or None; raises InvalidValueError for a newer one."""
    if len(parts) != 1 or parts[0].kind != "json":
        return None
    document = parts[0].document
    if not isinstance(document, dict) or "viewra_watched" not in document:
        return None
    if document["viewra_watched"] != VERSION:
        raise InvalidValueError(
            f"{parts[0].label}: was exported by another version of viewra_lite: this one reads "
            f"version {VERSION}"
        )
    return document


def restore(
    db: Database,
    run: Run,
    document: dict[str, Any],
    source: str,
    user_id: str | None,
    dry_run: bool,
) -> ImportResult:
    """Restore an export; items without a match wait, like rows of an import."""
    owner = user_id if user_id is not None else record_of({"user": document.get("user_id")}, 0).user
    if owner is None:
        raise InvalidValueError(f"{source}: has no user: import it for one (--user)")
    items = objects(document.get("items"))
    import_id = None if dry_run else run.begin(source, NAME)
    rest: list[WatchedRecord] = []
    for start in range(0, len(items), _ITEMS_AT_ONCE):
        with db.reader() if dry_run else db.writer():
            changes = []
            for number, item in enumerate(items[start : start + _ITEMS_AT_ONCE], start + 1):
                file_id = _file(run, item, number)
                if file_id is None:
                    rest += _records(item, number)
                    continue
                changed = _restored(db, owner, file_id, item)
                changes += [] if dry_run else _written(db, changed)
                run.count("imported" if changed else "already")
            if import_id is not None:
                run.log(import_id, changes)
        db.yield_to_writers()
    return run.all(rest, source, NAME, dry_run, import_id)


def _file(run: Run, item: dict[str, Any], number: int) -> str | None:
    record = record_of(_names(item), number)
    try:
        run.matcher.prefetch([record])
        return run.matcher.file(record)
    except NotMatched:
        return None


def _names(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("progress", "plays")}


def _restored(
    db: Database, user_id: str, file_id: str, item: dict[str, Any]
) -> list[tuple[Any, dict[str, Any] | None]]:
    """Return the plays and progress to write for an item, each with its previous state."""
    ids = list(Versions(db, [file_id]).ids_of(file_id))
    known = {
        play.played_at
        for statement in queries.plays_of_files
        for play in db.all(statement, user_id, ids)
    }
    plays = [
        play
        for play in map(_new_play, objects(item.get("plays")))
        if play is not None and play.played_at not in known
    ]
    for play in plays:
        play.id, play.user_id, play.media_file_id = db.new_id(), user_id, file_id
    rows: list[tuple[Any, dict[str, Any] | None]] = [(play, None) for play in plays]
    exported = _progress_of(item.get("progress"))
    state = merged(db.all(queries.progress_rows, user_id, ids), file_id)
    before = None if state is None else image(state)
    if exported is not None:
        if state is None:
            state = UserMediaProgress(user_id=user_id, media_file_id=file_id, **exported)
        else:
            _merge(state, exported, sum(1 for play in plays if play.completed))
        if image(state) != before:
            rows.append((state, before))
    return rows


def _merge(state: UserMediaProgress, exported: dict[str, Any], new_plays: int) -> None:
    """Merge an exported state into the known one: the later position, and every play."""
    state.completed = state.completed or exported["completed"]
    state.play_count += new_plays
    plays = [
        each for each in (state.last_played_at, exported["last_played_at"]) if each is not None
    ]
    state.last_played_at = max(plays, default=None)
    if exported["updated_at"] > state.updated_at:
        for name in ("position", "duration", "updated_at", "reported_at", "dropped"):
            setattr(state, name, exported[name])


def _written(db: Database, rows: list[tuple[Any, dict[str, Any] | None]]) -> list[Change]:
    changes = []
    for row, before in rows:
        is_play = isinstance(row, PlaybackHistory)
        statement = queries.insert_play if is_play else playback_queries.put_progress
        db.run(statement, **values_of(row))
        changes.append(
            Change(
                row.user_id,
                row.media_file_id,
                row.id if is_play else None,
                before,
                None if is_play else image(row),
            )
        )
    return changes


def _new_play(values: dict[str, Any]) -> PlaybackHistory | None:
    """Return a play of an export, or None if it is not valid."""
    record = record_of(
        {
            "watched_at": values.get("played_at"),
            "watched_s": values.get("duration_watched"),
            "completed": values.get("completed"),
            "title": values.get("title"),
            "show": values.get("top_title"),
            "artist": values.get("device_id"),
        },
        0,
    )
    if record.watched_at is None or record.problem is not None:
        return None
    kind, method = values.get("kind"), values.get("method")
    return PlaybackHistory(
        played_at=record.watched_at,
        completed=bool(record.completed),
        title=record.title,
        duration_watched=None if record.watched_s is None else round(record.watched_s),
        top_title=record.show,
        device_id=record.artist,
        kind=kind if kind in KINDS else "other",
        method=method if method in METHODS else None,
    )


def _progress_of(progress: object) -> dict[str, Any] | None:
    """Return the progress of an export, or None if it is not valid."""
    if not isinstance(progress, dict):
        return None
    exported: dict[str, Any] = {name: _moment(progress.get(name)) for name in _TIMES}
    numbers = record_of(
        {
            "position": progress.get("position"),
            "watched_s": progress.get("duration"),
            "play_count": progress.get("play_count"),
            "completed": progress.get("completed"),
        },
        0,
    )
    if numbers.problem is not None:
        return None
    return {
        **exported,
        "updated_at": exported["updated_at"] or UNDATED,
        "position": numbers.position or 0.0,
        "duration": numbers.watched_s,
        "completed": bool(numbers.completed),
        "play_count": numbers.play_count or 0,
        "dropped": progress.get("dropped") is True,
    }


def _moment(text: object) -> datetime | None:
    try:
        found = moments.written(text) if isinstance(text, str) else None
        if found is None or found.moment.tzinfo is None:
            return None
        return found.moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _records(item: dict[str, Any], number: int) -> Iterator[WatchedRecord]:
    """Yield rows that are as close to an item as rows can be."""
    names, progress, plays = _names(item), item.get("progress"), objects(item.get("plays"))
    for play in plays:
        yield record_of(
            {
                **names,
                "watched_at": play.get("played_at"),
                "completed": play.get("completed"),
                "watched_s": play.get("duration_watched"),
            },
            number,
        )
    if pick(progress, "completed") and not any(play.get("completed") for play in plays):
        yield record_of({**names, "completed": True}, number)
    if pick(progress, "position"):
        yield record_of(
            {
                **names,
                "position": pick(progress, "position"),
                "completed": False,
                "watched_at": pick(progress, "reported_at"),
            },
            number,
        )
