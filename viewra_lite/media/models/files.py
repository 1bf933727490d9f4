"""The tables of libraries and their files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from ...database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import (
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    DoubleField,
    IntegerField,
    SQL,
    TextField,
)

from ...database.orm.fields import ChoiceField, PathField, TimestampField
from ...database.orm.models import StoreModel, index, reference, unique

LIBRARY_TYPES = ("movie", "tv", "music")
STREAM_KINDS = ("video", "audio", "subtitle", "image")


class MediaLibrary(StoreModel):
    """Folders that are scanned for media."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    name = TextField(help_text="shown to people")
    path = PathField(unique=True, help_text="absolute path of the root folder")
    type = ChoiceField(LIBRARY_TYPES, help_text="movie, tv or music")
    scan_interval = IntegerField(
        default=3600,
        constraints=[SQL("DEFAULT 3600"), Check('"scan_interval" >= 0')],
        help_text="seconds between scans, 0 = only on request",
    )
    last_scan = TimestampField(null=True, help_text="end of the last completed scan, UTC")
    created_at = TimestampField(help_text="when it was added, UTC")
    updated_at = TimestampField(help_text="last change of this row, UTC")

    class Meta:
        table_name = "media_libraries"


class MediaFile(StoreModel):
    """Media files, one row for each path; the id stays when a file is renamed or moved."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    library = reference(MediaLibrary, on_delete="CASCADE", index=False, help_text="its library")
    path = PathField(help_text="absolute path")
    filename = PathField(help_text="last part of the path")
    size = BigIntegerField(null=True, help_text="bytes")
    mime_type = TextField(null=True, help_text="video/x-matroska, audio/flac, ...")
    container = TextField(null=True, help_text="matroska, mp4, webm, flac, ...")
    duration = DoubleField(null=True, help_text="seconds")
    width = IntegerField(null=True, help_text="pixels")
    height = IntegerField(null=True, help_text="pixels")
    video_codec = TextField(null=True, help_text="h264, hevc, av1, ...")
    audio_codec = TextField(null=True, help_text="aac, ac3, flac, ...")
    created_at = TimestampField(help_text="first seen, UTC")
    updated_at = TimestampField(help_text="last change of this row, UTC")
    modified_ns = BigIntegerField(
        null=True, help_text="modification time of the file, nanoseconds since 1970"
    )
    fingerprint = TextField(
        null=True, help_text="SHA-256 of size, first and last 64 KiB: finds a moved file"
    )
    identity = TextField(null=True, help_text="read from its name: movie:amelie:2001")
    status = ChoiceField(
        ("present", "missing"),
        default="present",
        constraints=[SQL("DEFAULT 'present'")],
        help_text="missing: not found by a scan, kept until it is purged",
    )
    missing_since = TimestampField(null=True, help_text="when a scan first missed it, UTC")
    probe_state = ChoiceField(
        ("pending", "partial", "done", "failed"),
        default="pending",
        constraints=[SQL("DEFAULT 'pending'")],
        help_text="partial: probed without an optional package, or by an older version",
    )
    error = TextField(null=True, help_text="why probing failed")
    disproved_duration = DoubleField(
        null=True, help_text="seconds, of its header; playback went beyond it, so it is wrong"
    )
    bit_rate = BigIntegerField(null=True, help_text="bits per second, of all streams")
    hdr = TextField(null=True, help_text="HDR10, HDR10+, HLG, Dolby Vision; NULL: none")
    edition = TextField(null=True, help_text="Director's Cut, Extended, ...; from its name")
    part = IntegerField(null=True, help_text="number of a part of a movie, from 1")
    source = TextField(null=True, help_text="Blu-ray, DVD, Web, TV, ...; from its name")

    library_id: str
    streams: list[MediaStream]  # set by file(), and in what movie(), episode() and track() return
    chapters: list[MediaChapter]

    @property
    def is_extra(self) -> bool:
        """Whether it is a trailer, a featurette or another extra, by its name."""
        return str(self.identity).startswith("extra:")

    class Meta:
        table_name = "media_files"
        constraints = [unique("library_id", "path")]


index(MediaFile, "idx_media_files_library", MediaFile.library)
index(MediaFile, "idx_media_files_type", MediaFile.mime_type)
index(
    MediaFile,
    "idx_media_files_unprobed",
    MediaFile.library,
    MediaFile.path,
    where=MediaFile.probe_state.in_(["pending", "partial"]),
)
index(
    MediaFile,
    "idx_media_files_missing",
    MediaFile.library,
    MediaFile.missing_since,
    where=MediaFile.status == "missing",
)


def best_of(files: Iterable[MediaFile]) -> MediaFile:
    """Return the best of several versions.

    A file that is present and readable, then the tallest picture, then the largest; of equals the
    first by path, so that the choice is stable.
    """
    return max(sorted(files, key=lambda file: os.fsencode(file.path)), key=quality_of)


def quality_of(file: MediaFile) -> tuple[Any, ...]:
    """Return what versions are compared by, the better the greater."""
    return file.status == "present", file.error is None, file.height or 0, file.size or 0


class RemovedFile(StoreModel):
    """Ids of removed files, so that a file gets its id back when it returns."""

    id = TextField(primary_key=True, help_text="the id it had in media_files")
    filename = PathField(help_text="last part of its path")
    fingerprint = TextField(null=True, help_text="as in media_files")
    disproved_duration = DoubleField(null=True, help_text="as in media_files")
    removed_at = TimestampField(help_text="when it was purged, UTC")

    class Meta:
        table_name = "removed_files"


for each in (MediaFile, RemovedFile):
    name = f"idx_{each._meta.table_name}_fingerprint"
    index(each, name, each.fingerprint, where=each.fingerprint.is_null(False))


class MediaStream(StoreModel):
    """Streams of media files, and the subtitle files beside them."""

    media_file = reference(MediaFile, on_delete="CASCADE", index=False, help_text="its file")
    stream_index = IntegerField(help_text="in the file, from 0; files beside it count on")
    kind = ChoiceField(STREAM_KINDS, help_text="video, audio, subtitle or image")
    codec = TextField(null=True, help_text="h264, aac, subrip, ...; as ffprobe names it")
    profile = TextField(null=True, help_text="High, Main 10, LC, ...")
    level = TextField(null=True, help_text="4.1, 5.1, ...")
    language = TextField(null=True, help_text="BCP 47: en, pt-BR")
    title = TextField(null=True, help_text="as the file names it")
    width = IntegerField(null=True, help_text="pixels")
    height = IntegerField(null=True, help_text="pixels")
    frame_rate = DoubleField(null=True, help_text="frames per second")
    bit_depth = IntegerField(null=True, help_text="bits per sample")
    hdr = TextField(null=True, help_text="as in media_files")
    channels = IntegerField(null=True, help_text="6 is 5.1")
    sample_rate = IntegerField(null=True, help_text="Hz")
    bit_rate = BigIntegerField(null=True, help_text="bits per second")
    is_default = BooleanField(
        default=False, constraints=[SQL("DEFAULT FALSE")], help_text="played unless another is"
    )
    is_forced = BooleanField(
        default=False, constraints=[SQL("DEFAULT FALSE")], help_text="only for foreign speech"
    )
    external_path = PathField(null=True, help_text="of a file beside it; NULL: inside the file")

    media_file_id: str

    class Meta:
        table_name = "media_streams"
        primary_key = CompositeKey("media_file", "stream_index")


class MediaChapter(StoreModel):
    """Chapters of media files."""

    media_file = reference(MediaFile, on_delete="CASCADE", index=False, help_text="its file")
    chapter_index = IntegerField(help_text="from 0")
    start = DoubleField(help_text="seconds")
    title = TextField(null=True, help_text="as the file names it")

    media_file_id: str

    class Meta:
        table_name = "media_chapters"
        primary_key = CompositeKey("media_file", "chapter_index")


class MediaFolder(StoreModel):
    """Folders with files beside the media, and what they held when they were last read."""

    library = reference(MediaLibrary, on_delete="CASCADE", index=False, help_text="its library")
    path = PathField(help_text="absolute path")
    signature = TextField(help_text="hash of its names, sizes and times; empty: nothing is beside")
    is_pending = BooleanField(
        default=True, constraints=[SQL("DEFAULT TRUE")], help_text="whether it is to be read again"
    )

    library_id: str

    class Meta:
        table_name = "media_folders"
        primary_key = CompositeKey("library", "path")


index(
    MediaFolder,
    "idx_media_folders_pending",
    MediaFolder.library,
    MediaFolder.path,
    where=MediaFolder.is_pending,
)


class MediaScan(StoreModel):
    """The running or last scan of each library, for other processes to read and to cancel."""

    library = reference(
        MediaLibrary, primary_key=True, on_delete="CASCADE", help_text="its library"
    )
    folder = PathField(null=True, help_text="the part that is scanned; NULL: the whole library")
    phase = TextField(help_text="walk, probe, finish, done, cancelled or failed")
    done = IntegerField(help_text="files of this phase that are done")
    total = IntegerField(help_text="files of this phase; 0: not known yet")
    errors = IntegerField(help_text="files that could not be read")
    unplaced = IntegerField(
        null=True, help_text="files of the library that belong to nothing, when it ended"
    )
    started_at = TimestampField(help_text="UTC")
    updated_at = TimestampField(help_text="last sign of life, UTC")
    ended_at = TimestampField(null=True, help_text="UTC; NULL: it runs, or its process ended")
    is_cancelled = BooleanField(
        default=False, constraints=[SQL("DEFAULT FALSE")], help_text="whether it was asked to end"
    )

    library_id: str
    running: bool  # set by scans(): whether it has not ended, and its process lives

    class Meta:
        table_name = "media_scans"
