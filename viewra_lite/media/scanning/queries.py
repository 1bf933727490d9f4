"""The queries of scans, reconciliations and purges: builders that run nothing."""

from __future__ import annotations

from collections import namedtuple
from operator import attrgetter
from typing import Any, NamedTuple

from peewee import ModelSelect, ColumnBase, JOIN, SQL, fn

from ...database.orm.nodes import OneOf, Placeholder, Together
from ...database.orm.statements import Query, Statement, statement
from ...database.transactions.inserts import Insert
from ..models import MediaFile, RemovedFile, WorkFile
from .facts import DETAILS, FACTS

# Literals: with a parameter neither engine uses the partial indexes.
_PRESENT, _MISSING = SQL("'present'"), SQL("'missing'")
_UNPROBED = (SQL("'pending'"), SQL("'partial'"))

# Scanning


StoredFacts = namedtuple("StoredFacts", FACTS)  # type: ignore[misc]


class KnownFile(NamedTuple):
    """The stored columns of the file at a path."""

    path: str
    id: str
    status: str
    values: tuple[object, ...]
    """Those of FACTS, in that order: nearly always only compared."""

    @property
    def facts(self) -> Any:
        """The values with their names."""
        return StoredFacts._make(self.values)


@statement
def known_files(library_id: Placeholder, paths: Placeholder) -> Query:
    facts = {name: getattr(MediaFile, name) for name in FACTS}
    facts["duration"] = fn.COALESCE(MediaFile.duration, MediaFile.disproved_duration)
    stored = Together(*facts.values())
    return (
        MediaFile.select(MediaFile.path, MediaFile.id, MediaFile.status, stored)
        .where(MediaFile.library == library_id, OneOf(MediaFile.path, paths))
        .objects(KnownFile)
    )


# mime_type and container are derived from the name if the caller does not supply them.
_KNOWN = tuple(name for name in FACTS if name not in ("mime_type", "container"))
known_of = attrgetter(*_KNOWN)
insert_files = Insert(
    MediaFile.id,
    MediaFile.library,
    MediaFile.path,
    MediaFile.filename,
    MediaFile.created_at,
    MediaFile.updated_at,
    MediaFile.mime_type,
    MediaFile.container,
    *(getattr(MediaFile, name) for name in _KNOWN),
)
"""Rows end with the values of known_of(); new files are present and pending by default."""


def _assignments(values: dict[str, Any]) -> dict[Any, Any]:
    """Return the assignments of supplied values; None keeps the stored value."""
    columns = {getattr(MediaFile, name): value for name, value in values.items()}
    return {column: fn.COALESCE(value, column) for column, value in columns.items()}


def _change_file(*, id: Placeholder, now: Placeholder, **supplied: ColumnBase) -> Query:
    """The content at a known path has changed; columns not supplied stay until the next probe.

    So does the fingerprint, which finds the old content at its new path.
    """
    return MediaFile.update(
        {
            **_assignments(supplied),
            MediaFile.disproved_duration: None,
            MediaFile.probe_state: "pending",
            MediaFile.status: "present",
            MediaFile.missing_since: None,
            MediaFile.updated_at: now,
        }
    ).where(MediaFile.id == id)


change_file = Statement(_change_file, names=("id", "now", *FACTS))


def _supply_details(*, id: Placeholder, now: Placeholder, **supplied: ColumnBase) -> Query:
    """Columns that a caller supplies for unchanged content."""
    supplied["duration"] = _unless_disproved(supplied["duration"])
    return MediaFile.update({**_assignments(supplied), MediaFile.updated_at: now}).where(
        MediaFile.id == id
    )


supply_details = Statement(_supply_details, names=("id", "now", *DETAILS))


def _unless_disproved(duration: ColumnBase) -> ColumnBase:
    """A duration, or NULL if playback has disproved it."""
    return fn.NULLIF(duration, MediaFile.disproved_duration)


@statement
def file_returned(now: Placeholder, id: Placeholder) -> Query:
    """A returned file is probed again, because it may be the best of its movie again."""
    return MediaFile.update(
        {
            MediaFile.probe_state: "pending",
            MediaFile.status: "present",
            MediaFile.missing_since: None,
            MediaFile.updated_at: now,
        }
    ).where(MediaFile.id == id)


@statement
def present_paths_between(
    library_id: Placeholder, path: Placeholder, end: Placeholder, limit: Placeholder
) -> Query:
    return (
        MediaFile.select(MediaFile.path, MediaFile.id)
        .where(
            MediaFile.library == library_id,
            MediaFile.path > path,
            MediaFile.path < end,
            MediaFile.status == _PRESENT,
        )
        .order_by(MediaFile.path)
        .limit(limit)
        .tuples()
    )


@statement
def mark_missing(now: Placeholder, ids: Placeholder) -> Query:
    return (
        MediaFile.update(
            {MediaFile.status: "missing", MediaFile.missing_since: now, MediaFile.updated_at: now}
        )
        .where(OneOf(MediaFile.id, ids), MediaFile.status == _PRESENT)
        .returning(MediaFile.id)
        .tuples()
    )


@statement
def count_missing(library_id: Placeholder) -> Query:
    return (
        MediaFile.select(fn.COUNT(SQL("*")))
        .where(MediaFile.library == library_id, MediaFile.status == _MISSING)
        .tuples()
    )


@statement
def count_files(library_id: Placeholder) -> Query:
    # COUNT(id) would read every row: the index of a library does not have the id.
    return MediaFile.select(fn.COUNT(SQL("*"))).where(MediaFile.library == library_id).tuples()


@statement
def count_below(library_id: Placeholder, path: Placeholder, end: Placeholder) -> Query:
    return (
        MediaFile.select(MediaFile.status, fn.COUNT(SQL("*")))
        .where(MediaFile.library == library_id, MediaFile.path > path, MediaFile.path < end)
        .group_by(MediaFile.status)
        .tuples()
    )


class Unprobed(NamedTuple):
    """A file to be probed."""

    id: str
    path: str
    probe_state: str


@statement
def unprobed(
    library_id: Placeholder, after_path: Placeholder, end: Placeholder, limit: Placeholder
) -> Query:
    return (
        MediaFile.select(MediaFile.id, MediaFile.path, MediaFile.probe_state)
        .where(
            MediaFile.library == library_id,
            MediaFile.probe_state.in_(_UNPROBED),
            MediaFile.status == _PRESENT,
            MediaFile.path > after_path,
            MediaFile.path < end,
        )
        .order_by(MediaFile.path)
        .limit(limit)
        .objects(Unprobed)
    )


@statement
def count_unprobed(library_id: Placeholder, path: Placeholder, end: Placeholder) -> Query:
    return (
        MediaFile.select(MediaFile.probe_state, fn.COUNT(MediaFile.id))
        .where(
            MediaFile.library == library_id,
            MediaFile.probe_state.in_(_UNPROBED),
            MediaFile.status == _PRESENT,
            MediaFile.path > path,
            MediaFile.path < end,
        )
        .group_by(MediaFile.probe_state)
        .tuples()
    )


_PROBED = (
    *(name for name in FACTS if name != "modified_ns"),
    "bit_rate",
    "hdr",
    "edition",
    "part",
    "source",
    "probe_state",
    "error",
    "updated_at",
)


def _save_probe(*, id: Placeholder, **probed: ColumnBase) -> Query:
    probed["duration"] = _unless_disproved(probed["duration"])
    return MediaFile.update(**probed).where(MediaFile.id == id)


def _save_error(*, id: Placeholder, **failed: ColumnBase) -> Query:
    return MediaFile.update(**failed).where(MediaFile.id == id)


save_probe = Statement(_save_probe, names=("id", *_PROBED))


_FAILED = ("error", "probe_state", "identity", "updated_at")
save_error = Statement(_save_error, names=("id", *_FAILED))


# Matches of gone files


@statement
def files_with_fingerprints(fingerprints: Placeholder) -> Query:
    return (
        MediaFile.select()
        .where(OneOf(MediaFile.fingerprint, fingerprints), MediaFile.status == _PRESENT)
        .order_by(MediaFile.id)
    )


@statement
def files_with_works(work_ids: Placeholder) -> Query:
    linked = WorkFile.select(WorkFile.media_file_id).where(OneOf(WorkFile.work, work_ids))
    return (
        MediaFile.select()
        .where(MediaFile.id.in_(linked), MediaFile.status == _PRESENT)
        .order_by(MediaFile.id)
    )


class PartOfWork(NamedTuple):
    """A file, and a work that it holds."""

    file_id: str
    work_id: str
    part: int


@statement
def works_of_files(ids: Placeholder) -> Query:
    return (
        WorkFile.select(WorkFile.media_file_id, WorkFile.work, WorkFile.part)
        .where(OneOf(WorkFile.media_file_id, ids))
        .objects(PartOfWork)
    )


def _gone_and_new(removed: bool, same_content: bool) -> Statement:
    """Return the statement for gone files (removed, or missing) and newer ones of a library.

    A missing file is matched by content in any library, by works in this library only. The cost
    depends on the number of gone files, not on the size of the library.
    """
    old: Any = RemovedFile if removed else MediaFile.alias("old")
    latest = (old.removed_at if removed else old.missing_since).desc()

    def build(library_id: Placeholder, since: Placeholder) -> Query:
        # CROSS fixes SQLite's join order, and COALESCE hides the indexes that it must not use: it
        # would read the whole library, or all files with a key.
        pairs: ModelSelect[Any] = old.select(old.id, MediaFile.id)
        if same_content:
            pairs = pairs.join(MediaFile, JOIN.CROSS).where(
                MediaFile.fingerprint == fn.COALESCE(old.fingerprint, SQL("NULL"))
            )
        else:
            link, other = WorkFile.alias(), WorkFile.alias()
            pairs = (
                pairs.join(link, JOIN.CROSS)
                .join(other, JOIN.CROSS)
                .join(MediaFile, JOIN.CROSS)
                .where(
                    link.media_file_id == old.id,
                    other.work == link.work,
                    other.part == link.part,
                    MediaFile.id == other.media_file_id,
                )
            )
        of_library = fn.COALESCE(MediaFile.library, SQL("NULL")) == library_id
        pairs = pairs.where(of_library, MediaFile.status == _PRESENT, MediaFile.created_at >= since)
        if not removed:
            pairs = pairs.where(old.status == _MISSING)
            if not same_content:
                pairs = pairs.where(old.library == library_id)
        return pairs.order_by(latest, old.id, MediaFile.id).tuples()

    return Statement(build, arity=2)


missing_moved = _gone_and_new(removed=False, same_content=True)
removed_moved = _gone_and_new(removed=True, same_content=True)
missing_replaced = _gone_and_new(removed=False, same_content=False)
removed_replaced = _gone_and_new(removed=True, same_content=False)


@statement
def missing_of_the_future(library_id: Placeholder, now: Placeholder) -> Query:
    return (
        MediaFile.select(MediaFile.id)
        .where(
            MediaFile.library == library_id,
            MediaFile.status == _MISSING,
            MediaFile.missing_since > now,
        )
        .limit(1)
        .tuples()
    )


@statement
def missing_from_now(now: Placeholder, library_id: Placeholder) -> Query:
    return MediaFile.update({MediaFile.missing_since: now}).where(
        MediaFile.library == library_id, MediaFile.status == _MISSING, MediaFile.missing_since > now
    )


@statement
def missing_before(library_id: Placeholder, moment: Placeholder, limit: Placeholder) -> Query:
    return (
        MediaFile.select(MediaFile.id)
        .where(
            MediaFile.library == library_id,
            MediaFile.status == _MISSING,
            MediaFile.missing_since < moment,
        )
        .limit(limit)
        .tuples()
    )
