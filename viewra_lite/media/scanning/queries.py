"""The questions of a scan: what is known, what is new, and which known file a new one is."""

from __future__ import annotations

from typing import Any

from peewee import JOIN, SQL, fn

from ...database.orm.nodes import OneOf
from ...database.orm.statements import Statement, statement
from ...database.transactions.inserts import Insert
from ..models import MediaFile, RemovedFile
from ..work_models import WorkFile

# Written out: with a parameter neither engine uses the indexes over some rows only.
_PRESENT, _MISSING = SQL("'present'"), SQL("'missing'")
_UNPROBED = (SQL("'pending'"), SQL("'partial'"))

# Scanning


@statement
def known_files(library_id: Any, paths: Any) -> Any:
    return (
        MediaFile.select(
            MediaFile.path,
            MediaFile.id,
            MediaFile.status,
            MediaFile.size,
            MediaFile.modified_ns,
            MediaFile.fingerprint,
            MediaFile.mime_type,
            MediaFile.container,
            fn.COALESCE(MediaFile.duration, MediaFile.disproved_duration),
            MediaFile.width,
            MediaFile.height,
            MediaFile.video_codec,
            MediaFile.audio_codec,
            MediaFile.identity,
        )
        .where(MediaFile.library == library_id, OneOf(MediaFile.path, paths))
        .tuples()
    )


insert_files = Insert(
    MediaFile.id,
    MediaFile.library,
    MediaFile.path,
    MediaFile.filename,
    MediaFile.size,
    MediaFile.mime_type,
    MediaFile.container,
    MediaFile.duration,
    MediaFile.width,
    MediaFile.height,
    MediaFile.video_codec,
    MediaFile.audio_codec,
    MediaFile.created_at,
    MediaFile.updated_at,
    MediaFile.modified_ns,
    MediaFile.fingerprint,
    MediaFile.identity,
    MediaFile.status,
    MediaFile.probe_state,
)


@statement
def change_file(
    size: Any,
    modified_ns: Any,
    fingerprint: Any,
    mime_type: Any,
    container: Any,
    duration: Any,
    width: Any,
    height: Any,
    video_codec: Any,
    audio_codec: Any,
    identity: Any,
    now: Any,
    id: Any,
) -> Any:
    """Other content under a known path; what is not told stays until it is looked into.

    So does the fingerprint: by it the old content is known where it lies now.
    """
    told = {
        MediaFile.size: size,
        MediaFile.modified_ns: modified_ns,
        MediaFile.mime_type: mime_type,
        MediaFile.container: container,
        MediaFile.duration: duration,
        MediaFile.width: width,
        MediaFile.height: height,
        MediaFile.video_codec: video_codec,
        MediaFile.audio_codec: audio_codec,
        MediaFile.fingerprint: fingerprint,
        MediaFile.identity: identity,
    }
    return MediaFile.update(
        {
            **{field: fn.COALESCE(value, field) for field, value in told.items()},
            MediaFile.disproved_duration: None,
            MediaFile.probe_state: "pending",
            MediaFile.status: "present",
            MediaFile.missing_since: None,
            MediaFile.updated_at: now,
        }
    ).where(MediaFile.id == id)


@statement
def tell_file(
    mime_type: Any,
    container: Any,
    duration: Any,
    width: Any,
    height: Any,
    video_codec: Any,
    audio_codec: Any,
    identity: Any,
    now: Any,
    id: Any,
) -> Any:
    """What a caller says of content that has not changed."""
    told = {
        MediaFile.mime_type: mime_type,
        MediaFile.container: container,
        MediaFile.duration: _unless_disproved(duration),
        MediaFile.width: width,
        MediaFile.height: height,
        MediaFile.video_codec: video_codec,
        MediaFile.audio_codec: audio_codec,
        MediaFile.identity: identity,
    }
    return MediaFile.update(
        {
            **{field: fn.COALESCE(value, field) for field, value in told.items()},
            MediaFile.updated_at: now,
        }
    ).where(MediaFile.id == id)


def _unless_disproved(duration: Any) -> Any:
    """Say that a duration is unknown where a play has shown that it is wrong."""
    return fn.NULLIF(duration, MediaFile.disproved_duration)


@statement
def file_returned(now: Any, id: Any) -> Any:
    """It is looked into anew: it may be the best of its movie again."""
    return MediaFile.update(
        {
            MediaFile.probe_state: "pending",
            MediaFile.status: "present",
            MediaFile.missing_since: None,
            MediaFile.updated_at: now,
        }
    ).where(MediaFile.id == id)


@statement
def present_paths_after(library_id: Any, path: Any, limit: Any) -> Any:
    return (
        MediaFile.select(MediaFile.path, MediaFile.id)
        .where(MediaFile.library == library_id, MediaFile.path > path, MediaFile.status == _PRESENT)
        .order_by(MediaFile.path)
        .limit(limit)
        .tuples()
    )


@statement
def mark_missing(now: Any, ids: Any) -> Any:
    return MediaFile.update(
        {MediaFile.status: "missing", MediaFile.missing_since: now, MediaFile.updated_at: now}
    ).where(OneOf(MediaFile.id, ids), MediaFile.status == _PRESENT)


@statement
def count_missing(library_id: Any) -> Any:
    return (
        MediaFile.select(fn.COUNT(SQL("*")))
        .where(MediaFile.library == library_id, MediaFile.status == _MISSING)
        .tuples()
    )


@statement
def count_files(library_id: Any) -> Any:
    # Of ids, which the index of a library does not hold, it would read every row.
    return MediaFile.select(fn.COUNT(SQL("*"))).where(MediaFile.library == library_id).tuples()


@statement
def unprobed(library_id: Any, after_path: Any, limit: Any) -> Any:
    return (
        MediaFile.select(MediaFile.id, MediaFile.path, MediaFile.probe_state)
        .where(
            MediaFile.library == library_id,
            MediaFile.probe_state.in_(_UNPROBED),
            MediaFile.status == _PRESENT,
            MediaFile.path > after_path,
        )
        .order_by(MediaFile.path)
        .limit(limit)
        .tuples()
    )


@statement
def count_unprobed(library_id: Any) -> Any:
    return (
        MediaFile.select(MediaFile.probe_state, fn.COUNT(MediaFile.id))
        .where(
            MediaFile.library == library_id,
            MediaFile.probe_state.in_(_UNPROBED),
            MediaFile.status == _PRESENT,
        )
        .group_by(MediaFile.probe_state)
        .tuples()
    )


PROBED = (
    MediaFile.size,
    MediaFile.mime_type,
    MediaFile.container,
    MediaFile.duration,
    MediaFile.width,
    MediaFile.height,
    MediaFile.video_codec,
    MediaFile.audio_codec,
    MediaFile.fingerprint,
    MediaFile.identity,
    MediaFile.probe_state,
    MediaFile.error,
    MediaFile.updated_at,
)


def _save_probe(*values: Any) -> Any:
    probed = dict(zip(PROBED, values))
    probed[MediaFile.duration] = _unless_disproved(probed[MediaFile.duration])
    return MediaFile.update(probed).where(MediaFile.id == values[-1])


save_probe = Statement(_save_probe, arity=len(PROBED) + 1)


@statement
def save_error(error: Any, probe_state: Any, now: Any, id: Any) -> Any:
    return MediaFile.update(
        {MediaFile.error: error, MediaFile.probe_state: probe_state, MediaFile.updated_at: now}
    ).where(MediaFile.id == id)


# What has become of what is gone


@statement
def files_with_fingerprints(fingerprints: Any) -> Any:
    return (
        MediaFile.select()
        .where(OneOf(MediaFile.fingerprint, fingerprints), MediaFile.status == _PRESENT)
        .order_by(MediaFile.id)
    )


@statement
def files_with_works(work_ids: Any) -> Any:
    linked = WorkFile.select(WorkFile.media_file_id).where(OneOf(WorkFile.work, work_ids))
    return (
        MediaFile.select()
        .where(MediaFile.id.in_(linked), MediaFile.status == _PRESENT)
        .order_by(MediaFile.id)
    )


@statement
def works_of_files(ids: Any) -> Any:
    return (
        WorkFile.select(WorkFile.media_file_id, WorkFile.work, WorkFile.part)
        .where(OneOf(WorkFile.media_file_id, ids))
        .tuples()
    )


def _gone_and_new(removed: bool, same_content: bool) -> Statement:
    """Return the statement for gone files (removed, or missing) and newer ones of a library.

    A missing file is found by its content wherever it was, by its works in this library only. It
    costs what the gone files cost, however many there are in the library.
    """
    old: Any = RemovedFile if removed else MediaFile.alias("old")
    latest = (old.removed_at if removed else old.missing_since).desc()

    def build(library_id: Any, since: Any) -> Any:
        # SQLite would go through the library, or all files with a key. It takes a cross join in
        # the order it is written, and an expression for nothing that it has an index of.
        pairs = old.select(old.id, MediaFile.id)
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
def missing_of_the_future(library_id: Any, now: Any) -> Any:
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
def missing_from_now(now: Any, library_id: Any) -> Any:
    return MediaFile.update({MediaFile.missing_since: now}).where(
        MediaFile.library == library_id, MediaFile.status == _MISSING, MediaFile.missing_since > now
    )


@statement
def missing_before(library_id: Any, moment: Any, limit: Any) -> Any:
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
