"""The tables of the media module: libraries, files, movies, shows and music."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import BigIntegerField, Check, DoubleField, IntegerField, SQL, TextField

from ..database.orm.fields import ChoiceField, DateField, JSONField, PathField, TimestampField
from ..database.orm.models import StoreModel, index, reference, unique
from .work_models import Work

LIBRARY_TYPES = ("movie", "tv", "music")
SHOW_STATUSES = ("continuing", "ended", "canceled", "unknown")


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
        help_text="partial: probed without an optional package",
    )
    error = TextField(null=True, help_text="why probing failed")
    disproved_duration = DoubleField(
        null=True, help_text="seconds, of its header; playback went beyond it, so it is wrong"
    )

    library_id: str

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
    by_path = sorted(files, key=lambda file: os.fsencode(file.path))
    return max(
        by_path,
        key=lambda file: (
            file.status == "present",
            file.error is None,
            file.height or 0,
            file.size or 0,
        ),
    )


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


class Movie(StoreModel):
    """Movies, one row for each movie of a library, however many files it has."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    library = reference(MediaLibrary, on_delete="CASCADE", index=False, help_text="its library")
    media_file = reference(
        MediaFile, null=True, on_delete="SET NULL", help_text="its best file; work_files has all"
    )
    work = reference(Work, help_text="holds its watch state, shared with other libraries' rows")
    identity = TextField(help_text="folded title and year")
    title = TextField(help_text="shown to people")
    sort_title = TextField(help_text="the title to sort by")
    year = IntegerField(null=True, help_text="of the first release")
    original_title = TextField(null=True, help_text="in the original language")
    overview = TextField(null=True, help_text="summary")
    release_date = DateField(null=True, help_text="first release")
    runtime = IntegerField(null=True, help_text="minutes")
    genres = JSONField(null=True, help_text="JSON array")
    director = TextField(null=True, help_text="name, or names with commas")
    cast = JSONField(null=True, help_text="JSON array")
    rating = DoubleField(null=True, help_text="0 to 10")
    poster_path = TextField(null=True, help_text="file or URL")
    backdrop_path = TextField(null=True, help_text="file or URL")
    tmdb_id = IntegerField(null=True, help_text="id at themoviedb.org")
    imdb_id = TextField(null=True, help_text="id at imdb.com, tt...")
    cleared = JSONField(
        null=True, help_text="JSON object: what a person has cleared; scans leave that empty"
    )
    created_at = TimestampField(help_text="when it was added, UTC")
    updated_at = TimestampField(help_text="last change of this row, UTC")

    library_id: str
    media_file_id: str | None
    work_id: str
    files: list[MediaFile]  # set by movie(): every version and part

    class Meta:
        table_name = "movies"
        constraints = [unique("library_id", "identity")]


class TVShow(StoreModel):
    """TV shows."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    library = reference(MediaLibrary, on_delete="CASCADE", index=False, help_text="its library")
    work = reference(Work, help_text="the parent of its episodes' works")
    identity = TextField(help_text="folded title and year")
    title = TextField(help_text="shown to people")
    sort_title = TextField(help_text="the title to sort by")
    year = IntegerField(null=True, help_text="of its first episode")
    original_title = TextField(null=True, help_text="in the original language")
    overview = TextField(null=True, help_text="summary")
    tagline = TextField(null=True, help_text="slogan")
    first_air_date = DateField(null=True, help_text="of the first episode")
    last_air_date = DateField(null=True, help_text="of the latest episode")
    status = ChoiceField(
        SHOW_STATUSES,
        default="unknown",
        constraints=[SQL("DEFAULT 'unknown'")],
        help_text="whether more episodes are expected",
    )
    network = TextField(null=True, help_text="broadcaster")
    content_rating = TextField(null=True, help_text="TV-MA, FSK 12, ...")
    rating = DoubleField(null=True, help_text="0 to 10")
    runtime = IntegerField(null=True, help_text="minutes of an episode")
    genres = JSONField(null=True, help_text="JSON array")
    cast = JSONField(null=True, help_text="JSON array")
    creators = JSONField(null=True, help_text="JSON array")
    poster_path = TextField(null=True, help_text="file or URL")
    backdrop_path = TextField(null=True, help_text="file or URL")
    tmdb_id = IntegerField(null=True, help_text="id at themoviedb.org")
    tvdb_id = IntegerField(null=True, help_text="id at thetvdb.com")
    imdb_id = TextField(null=True, help_text="id at imdb.com, tt...")
    cleared = JSONField(
        null=True, help_text="JSON object: what a person has cleared; scans leave that empty"
    )
    created_at = TimestampField(help_text="when it was added, UTC")
    updated_at = TimestampField(help_text="last change of this row, UTC")

    library_id: str
    work_id: str
    season_count: int  # set by shows()
    episode_count: int
    seasons: list[Season]  # set by show()

    class Meta:
        table_name = "tv_shows"
        constraints = [unique("library_id", "identity")]


class Season(StoreModel):
    """Seasons of TV shows."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    show = reference(TVShow, on_delete="CASCADE", index=False, help_text="the show it belongs to")
    season_number = IntegerField(help_text="0 = specials")
    title = TextField(null=True, help_text="if it has its own name")
    overview = TextField(null=True, help_text="summary")
    air_date = DateField(null=True, help_text="of its first episode")
    poster_path = TextField(null=True, help_text="file or URL")
    tmdb_id = IntegerField(null=True, help_text="id at themoviedb.org")
    tvdb_id = IntegerField(null=True, help_text="id at thetvdb.com")

    show_id: str
    episodes: list[Episode]  # set by show()

    class Meta:
        table_name = "seasons"
        constraints = [unique("show_id", "season_number")]


class Episode(StoreModel):
    """Episodes of TV shows; several may share a file."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    show = reference(TVShow, on_delete="CASCADE", index=False, help_text="the show it belongs to")
    season = reference(Season, on_delete="CASCADE", help_text="the season it belongs to")
    media_file = reference(MediaFile, null=True, on_delete="SET NULL", help_text="its best file")
    work = reference(Work, help_text="holds its watch state")
    season_number = IntegerField(help_text="0 = specials")
    episode_number = IntegerField(help_text="within the season")
    episode_number_end = IntegerField(
        null=True, help_text="last episode in the file, if it holds several"
    )
    absolute_number = IntegerField(null=True, help_text="counted across all seasons")
    title = TextField(null=True, help_text="shown to people")
    overview = TextField(null=True, help_text="summary")
    air_date = DateField(null=True, help_text="first broadcast")
    runtime = IntegerField(null=True, help_text="minutes")
    rating = DoubleField(null=True, help_text="0 to 10")
    director = TextField(null=True, help_text="name, or names with commas")
    cast = JSONField(null=True, help_text="JSON array")
    still_path = TextField(null=True, help_text="picture, file or URL")
    tmdb_id = IntegerField(null=True, help_text="id at themoviedb.org")
    tvdb_id = IntegerField(null=True, help_text="id at thetvdb.com")
    imdb_id = TextField(null=True, help_text="id at imdb.com, tt...")
    cleared = JSONField(
        null=True, help_text="JSON object: what a person has cleared; scans leave that empty"
    )

    show_id: str
    season_id: str
    media_file_id: str | None
    work_id: str

    class Meta:
        table_name = "episodes"
        constraints = [unique("show_id", "season_number", "episode_number")]


class Album(StoreModel):
    """Music albums."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    library = reference(MediaLibrary, on_delete="CASCADE", index=False, help_text="its library")
    identity = TextField(help_text="folded album artist and title")
    title = TextField(help_text="shown to people")
    sort_title = TextField(help_text="the title to sort by")
    album_artist = TextField(null=True, help_text="the name on the cover")
    artists = JSONField(null=True, help_text="JSON array")
    release_date = DateField(null=True, help_text="of this release")
    year = IntegerField(null=True, help_text="of this release")
    album_type = TextField(null=True, help_text="album, single, compilation, ...")
    genres = JSONField(null=True, help_text="JSON array")
    label = TextField(null=True, help_text="record company")
    disc_count = IntegerField(null=True, help_text="number of discs")
    track_count = IntegerField(null=True, help_text="number of tracks")
    duration = DoubleField(null=True, help_text="seconds")
    cover_path = TextField(null=True, help_text="file or URL")
    musicbrainz_id = TextField(null=True, help_text="id at musicbrainz.org")
    cleared = JSONField(
        null=True, help_text="JSON object: what a person has cleared; scans leave that empty"
    )
    created_at = TimestampField(help_text="when it was added, UTC")
    updated_at = TimestampField(help_text="last change of this row, UTC")

    library_id: str
    tracks: list[Track]  # set by album()

    class Meta:
        table_name = "albums"
        constraints = [unique("library_id", "identity")]


# The orders of movies(), shows() and albums().
for sorted_model in (Movie, TVShow, Album):
    table = sorted_model._meta.table_name
    index(sorted_model, f"idx_{table}_title", sorted_model.sort_title, sorted_model.id)
    index(
        sorted_model,
        f"idx_{table}_library_title",
        sorted_model.library,
        sorted_model.sort_title,
        sorted_model.id,
    )
    index(sorted_model, f"idx_{table}_library_added", sorted_model.library, sorted_model.id)


class Track(StoreModel):
    """Tracks of music albums."""

    id = TextField(primary_key=True, help_text="UUIDv7")
    album = reference(Album, on_delete="CASCADE", index=False, help_text="the album it is on")
    media_file = reference(MediaFile, null=True, on_delete="SET NULL", help_text="its best file")
    work = reference(Work, help_text="holds its watch state")
    title = TextField(help_text="shown to people")
    artist = TextField(null=True, help_text="performer")
    artists = JSONField(null=True, help_text="JSON array")
    disc_number = IntegerField(default=1, constraints=[SQL("DEFAULT 1")], help_text="from 1")
    track_number = IntegerField(default=0, constraints=[SQL("DEFAULT 0")], help_text="0 = unknown")
    duration = DoubleField(null=True, help_text="seconds")
    year = IntegerField(null=True, help_text="of the recording")
    genres = JSONField(null=True, help_text="JSON array")
    lyrics = TextField(null=True, help_text="plain text")
    musicbrainz_id = TextField(null=True, help_text="id at musicbrainz.org")

    album_id: str
    media_file_id: str | None
    work_id: str

    class Meta:
        table_name = "tracks"
        constraints = [unique("album_id", "disc_number", "track_number", "title", "work_id")]
