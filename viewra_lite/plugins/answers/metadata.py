"""What metadata_for() returns: the fields of a file's rows, and what each source says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...database.checks import known_id, no_such
from ...database.transactions.database import Database
from ...media.catalog import answered
from ...media.models import MediaFile
from . import merge_queries as queries
from .applying import Applying
from .merging import Candidate


@dataclass(frozen=True, slots=True)
class MergedField:
    """A field of a row, and who said its value."""

    value: Any
    """As the row has it."""
    source: str | None
    """person, plugin, sidecar, tags or name; None: not known, as after your own SQL."""
    plugin: str | None
    """The plugin that decided it."""
    is_locked: bool
    """Whether neither scans nor plugins change it."""
    candidates: tuple[Candidate, ...]
    """What plugins, then the files, say; the first one decides unless the field is locked."""


@dataclass(frozen=True, slots=True)
class MergedRow:
    """A movie, show, season, episode, album or track of a file."""

    kind: str
    id: str
    fields: Mapping[str, MergedField]
    """By name of the column: those with a value or a candidate, and the locked ones."""


@dataclass(frozen=True, slots=True)
class PluginAnswer:
    """The latest answer of a plugin about a file."""

    plugin: str
    type: str
    """movie, episode, track or file."""
    facts: Mapping[str, Any] | None
    """All of them, also those that are not columns; None: it knows nothing."""
    confidence: float
    answered_at: datetime
    applied_at: datetime | None
    """When it was merged into the rows; None: not yet."""


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """The metadata of a file."""

    media_file_id: str
    rows: tuple[MergedRow, ...]
    """The movie; or the episodes, then their seasons and show; or the track, then its album."""
    answers: tuple[PluginAnswer, ...]
    """By plugin."""


def metadata_for(db: Database, applying: Applying, media_file_id: str) -> FileMetadata:
    """Return the metadata of a file."""
    with db.reader():
        file = MediaFile.get_or_none(MediaFile.id == known_id("media file", media_file_id))
        if file is None:
            raise no_such("media file", media_file_id)
        rows = [_row(applying, kind, id) for kind, id in applying.rows_of(file.id)]
        answers = [
            PluginAnswer(
                one.plugin_id,
                one.metadata_type,
                one.metadata,
                one.confidence,
                one.answered_at,
                one.applied_at,
            )
            for one in db.all(queries.answers_about, file.id)
        ]
    return FileMetadata(file.id, tuple(rows), tuple(answers))


def _row(applying: Applying, kind: str, id: str) -> MergedRow:
    row = answered.found(kind, id)
    answers = applying.candidates(kind, row)
    fields = {}
    for name in answered.fields_of(kind):
        origin, candidates = answered.origin(row, name), answers.get(name, [])
        of_files = origin.of_files
        if of_files is not None:
            candidates = [*candidates, Candidate(of_files.source, None, of_files.value)]
        if candidates or origin.value is not None or origin.is_locked:
            fields[name] = MergedField(
                origin.value, origin.source, origin.plugin, origin.is_locked, tuple(candidates)
            )
    return MergedRow(kind, id, fields)
