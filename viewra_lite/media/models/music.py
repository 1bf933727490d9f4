"""The tables of music: albums and tracks."""

from __future__ import annotations

from ...database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import BooleanField, DoubleField, IntegerField, SQL, TextField

from ...database.orm.fields import DateField, JSONField, TimestampField
from ...database.orm.models import StoreModel, reference, unique
from .files import MediaFile, MediaLibrary
from .video import SOURCES, index_orders
from .works import Work


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
    album_type = TextField(null=True, help_text="album, single, ep, album + live, ...")
    genres = JSONField(null=True, help_text="JSON array")
    label = TextField(null=True, help_text="record company")
    disc_count = IntegerField(null=True, help_text="total of its tags, or the discs there are")
    track_count = IntegerField(null=True, help_text="totals of its tags, or the tracks there are")
    duration = DoubleField(null=True, help_text="seconds")
    cover_path = TextField(null=True, help_text="file or URL")
    musicbrainz_id = TextField(null=True, help_text="release at musicbrainz.org")
    cleared = JSONField(
        null=True, help_text="JSON object: what a person has cleared; scans leave that empty"
    )
    created_at = TimestampField(help_text="when it was added, UTC")
    updated_at = TimestampField(help_text="last change of this row, UTC")
    original_date = DateField(null=True, help_text="of the first release")
    original_year = IntegerField(null=True, help_text="of the first release")
    is_compilation = BooleanField(null=True, help_text="whether its tracks are by various artists")
    disc_titles = JSONField(null=True, help_text="JSON object: disc number to title")
    musicbrainz_artist_ids = JSONField(null=True, help_text="JSON array, of the album artists")
    replay_gain = DoubleField(null=True, help_text="dB, of the whole album")
    replay_peak = DoubleField(null=True, help_text="1.0 is full scale")
    sources = JSONField(null=True, help_text=SOURCES)

    library_id: str
    tracks: list[Track]  # set by album()

    class Meta:
        table_name = "albums"
        constraints = [unique("library_id", "identity")]


index_orders(Album)


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
    lyrics = TextField(null=True, help_text="plain text, or lines with times as in .lrc files")
    musicbrainz_id = TextField(null=True, help_text="recording at musicbrainz.org")
    composer = TextField(null=True, help_text="name, or names with commas")
    musicbrainz_artist_ids = JSONField(null=True, help_text="JSON array, of the artists")
    replay_gain = DoubleField(null=True, help_text="dB")
    replay_peak = DoubleField(null=True, help_text="1.0 is full scale")
    sources = JSONField(null=True, help_text=SOURCES)

    album_id: str
    media_file_id: str | None
    work_id: str
    files: list[MediaFile]  # set by track() and album(): every version

    class Meta:
        table_name = "tracks"
        constraints = [unique("album_id", "disc_number", "track_number", "title", "work_id")]
