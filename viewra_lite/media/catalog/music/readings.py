"""What the name and the tags of a music file say of its track and its album, by column."""

from __future__ import annotations

from typing import Any

from ...models import Album, MediaFile
from ...names.facts import VARIOUS_ARTISTS, TrackName
from ...probing.tags import TagFacts
from .. import sources
from ..sources import Read

# Columns of a track that its name has as well, and their tags.
_TAGS = {
    "title": "title",
    "artist": "artist",
    "artists": "artists",
    "disc_number": "disc",
    "track_number": "track",
    "year": "year",
}


def track_reading(file: MediaFile, name: TrackName, tags: TagFacts | None) -> Read:
    """Return what a file says of its track."""
    by_name: dict[str, Any] = {
        "title": name.title,
        "artist": name.artist,
        "artists": [name.artist] if name.artist else None,
        "disc_number": name.disc or 1,
        "track_number": name.track or 0,
        "year": name.year,
        "duration": file.duration,
    }
    if tags is None:
        return {sources.NAME: by_name}
    by_tags = {
        "genres": list(tags.genres) or None,
        "composer": tags.composer,
        "lyrics": tags.lyrics,
        "replay_gain": tags.replay_gain,
        "replay_peak": tags.replay_peak,
        "musicbrainz_id": tags.musicbrainz_track_id,
        "musicbrainz_artist_ids": list(tags.musicbrainz_artist_ids) or None,
    }
    for column, tag in _TAGS.items():
        if getattr(tags, tag):
            by_tags[column] = by_name.pop(column)
    if tags.artists:
        by_tags["artists"] = list(tags.artists)
    return {sources.TAGS: by_tags, sources.NAME: by_name}


def album_reading(name: TrackName, tags: TagFacts | None) -> Read:
    """Return what a file says of its album, besides its name and artists."""
    is_various = True if name.album_artist == VARIOUS_ARTISTS else None
    by_name: dict[str, Any] = {"year": name.year, "is_compilation": is_various}
    if tags is None:
        return {sources.NAME: by_name}
    by_tags = {
        "year": by_name.pop("year") if tags.year is not None else None,
        "release_date": tags.release_date,
        "original_date": tags.original_date,
        "original_year": tags.original_year,
        "genres": list(tags.genres) or None,
        "label": tags.label,
        "album_type": tags.album_type,
        "is_compilation": tags.is_compilation,
        "replay_gain": tags.album_gain,
        "replay_peak": tags.album_peak,
        "musicbrainz_id": tags.musicbrainz_album_id,
        "musicbrainz_artist_ids": list(tags.musicbrainz_album_artist_ids) or None,
    }
    return {sources.TAGS: by_tags, sources.NAME: by_name}


def disc_titles(album: Album | None, name: TrackName, tags: TagFacts | None) -> Read:
    """Return a reading of an album's disc titles: the one of a file's disc, and the known ones."""
    if tags is None or tags.disc_title is None:
        return {}
    known = album.disc_titles if album is not None else None
    others = known if isinstance(known, dict) else {}
    return {sources.TAGS: {"disc_titles": {**others, str(name.disc or 1): tags.disc_title}}}


def with_names(read: Read, names: dict[str, Any]) -> Read:
    """Return a reading with the columns that name an album, of its highest source."""
    source = sources.TAGS if sources.TAGS in read else sources.NAME
    return {**read, source: {**read[source], **names}}
