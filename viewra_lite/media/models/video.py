"""The tables of movies and of shows with seasons and episodes."""

from __future__ import annotations

from typing import Any

from ...database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import DoubleField, IntegerField, SQL, TextField

from ...database.orm.fields import ChoiceField, DateField, JSONField, TimestampField
from ...database.orm.models import StoreModel, index, reference, unique
from .files import MediaFile, MediaLibrary
from .works import Work

SHOW_STATUSES = ("continuing", "ended", "canceled", "unknown")
EXTRA_KINDS = (
    "trailer",
    "featurette",
    "behind_the_scenes",
    "deleted_scene",
    "interview",
    "scene",
    "short",
    "clip",
    "sample",
    "theme",
    "other",
)
SOURCES = (
    "JSON object: column to [source, value], as the last scan or save wrote it; source is name, "
    "tags, sidecar, plugin or person; then the plugin, and [source, value] of what it hides"
)


def index_orders(model: Any) -> None:
    """Add the indexes of the orders of its pages: title and added, of one library or of all."""
    table = model._meta.table_name
    index(model, f"idx_{table}_title", model.sort_title, model.id)
    index(model, f"idx_{table}_library_title", model.library, model.sort_title, model.id)
    index(model, f"idx_{table}_library_added", model.library, model.id)


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
    tagline = TextField(null=True, help_text="slogan")
    content_rating = TextField(null=True, help_text="PG-13, FSK 12, ...")
    logo_path = TextField(null=True, help_text="file or URL")
    thumb_path = TextField(null=True, help_text="file or URL, a wide picture")
    sources = JSONField(null=True, help_text=SOURCES)

    library_id: str
    media_file_id: str | None
    work_id: str
    files: list[MediaFile]  # set by movie(): every version and part
    extras: list[MediaExtra]  # set by movie()

    class Meta:
        table_name = "movies"
        constraints = [unique("library_id", "identity")]


index_orders(Movie)


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
    logo_path = TextField(null=True, help_text="file or URL")
    thumb_path = TextField(null=True, help_text="file or URL, a wide picture")
    sources = JSONField(null=True, help_text=SOURCES)

    library_id: str
    work_id: str
    season_count: int  # set by shows()
    episode_count: int
    seasons: list[Season]  # set by show()
    extras: list[MediaExtra]

    class Meta:
        table_name = "tv_shows"
        constraints = [unique("library_id", "identity")]


index_orders(TVShow)


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
    sources = JSONField(null=True, help_text=SOURCES)

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
    episode_number = IntegerField(
        null=True, help_text="within the season; NULL: a special without a number"
    )
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
    sources = JSONField(null=True, help_text=SOURCES)

    show_id: str
    season_id: str
    media_file_id: str | None
    work_id: str
    files: list[MediaFile]  # set by episode() and show(): every version

    class Meta:
        table_name = "episodes"
        constraints = [unique("show_id", "season_number", "episode_number")]


class MediaExtra(StoreModel):
    """Trailers, featurettes and other extras, which are never versions of a movie."""

    media_file = reference(
        MediaFile, primary_key=True, on_delete="CASCADE", help_text="the file itself"
    )
    kind = ChoiceField(EXTRA_KINDS, help_text="trailer, featurette, ...")
    title = TextField(help_text="shown to people, from the file's name")
    identity = TextField(
        null=True, help_text="of what it belongs to: movie:amelie:2001; its row may come later"
    )
    movie = reference(Movie, null=True, on_delete="SET NULL", help_text="the movie it belongs to")
    show = reference(TVShow, null=True, on_delete="SET NULL", help_text="the show it belongs to")
    season_number = IntegerField(null=True, help_text="of the show, if it belongs to one season")

    media_file_id: str
    movie_id: str | None
    show_id: str | None

    class Meta:
        table_name = "media_extras"


index(MediaExtra, "idx_media_extras_identity", MediaExtra.identity)
