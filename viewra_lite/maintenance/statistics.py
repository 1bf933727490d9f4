"""Numbers of records in a store and the size of its database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..database.backend import DatabaseFacts
from ..database.transactions.database import Database
from ..media.models import Album, Episode, MediaFile, MediaLibrary, Movie, Track, TVShow
from . import queries


@dataclass(frozen=True, slots=True)
class LibraryStatistics:
    """The files of one library."""

    files: int
    """Files that are present."""
    missing: int
    """Files that the last scan did not find."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """A store as of one snapshot."""

    database: DatabaseFacts
    """The engine and the size of the database."""
    counts: Mapping[str, int]
    """libraries, files, missing, failed_probes, movies, shows, episodes, albums and tracks."""
    libraries: Mapping[str, LibraryStatistics]
    """By library id."""


def counts(db: Database) -> dict[str, int]:
    """Count the records of each kind; call it inside a reader."""
    models: dict[str, Any] = {
        "libraries": MediaLibrary,
        "files": MediaFile,
        "movies": Movie,
        "shows": TVShow,
        "episodes": Episode,
        "albums": Album,
        "tracks": Track,
    }
    found = {name: int(db.one(queries.rows_of(model))[0]) for name, model in models.items()}
    found["missing"], found["failed_probes"] = (
        int(db.one(count)[0]) for count in (queries.missing_files, queries.failed_probes)
    )
    return {name: found[name] for name in _IN_ORDER}


_IN_ORDER: Sequence[str] = (
    "libraries",
    "files",
    "missing",
    "failed_probes",
    "movies",
    "shows",
    "episodes",
    "albums",
    "tracks",
)


def by_library(db: Database) -> dict[str, LibraryStatistics]:
    """Count the files of each library; call it inside a reader."""
    found = {id: LibraryStatistics(0, 0) for (id,) in db.all(queries.library_ids)}
    for row in db.all(queries.files_by_library):
        found[row.library_id] = LibraryStatistics(row.files - row.missing, row.missing)
    return found
