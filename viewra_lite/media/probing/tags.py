"""The tags of music files: what they say of a track and of its album."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from ..names.facts import VARIOUS_ARTISTS, TrackName
from ..names.keys import fold
from . import tag_values
from .parser import Track
from .tag_readers import Fields, read_fields


@dataclass(frozen=True, slots=True)
class TagFacts:
    """A music file's tags: gains in dB, peaks of 1.0 at full scale."""

    title: str | None = None
    artist: str | None = None
    """As shown; of several, "A & B"."""
    artists: tuple[str, ...] = ()
    album: str | None = None
    album_artist: str | None = None
    album_artists: tuple[str, ...] = ()
    disc: int | None = None
    disc_total: int | None = None
    disc_title: str | None = None
    track: int | None = None
    track_total: int | None = None
    """Tracks on this disc."""
    year: int | None = None
    release_date: date | None = None
    original_date: date | None = None
    original_year: int | None = None
    genres: tuple[str, ...] = ()
    composer: str | None = None
    label: str | None = None
    album_type: str | None = None
    is_compilation: bool | None = None
    lyrics: str | None = None
    replay_gain: float | None = None
    replay_peak: float | None = None
    album_gain: float | None = None
    album_peak: float | None = None
    musicbrainz_track_id: str | None = None
    """Of the recording."""
    musicbrainz_album_id: str | None = None
    musicbrainz_artist_ids: tuple[str, ...] = ()
    musicbrainz_album_artist_ids: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Make a mapping of the known values that json.dumps takes; from_json reverses it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in values.items()
            if value not in (None, ())
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> TagFacts:
        """Rebuild tags; unknown keys raise TypeError."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in plain.items()
        }
        for name in _DATES & values.keys():
            values[name] = date.fromisoformat(values[name])
        return cls(**values)


_DATES = {"release_date", "original_date"}


def tags(path: str, general: Track) -> TagFacts:
    """Read a music file's tags; the fields that it does not have are None or empty.

    general is libmediainfo's General track of it, {} if that is unknown. Raises ProbeUnavailable
    without tinytag, OSError if the file cannot be read.
    """
    return _facts(read_fields(path, general))


def _facts(read: Fields) -> TagFacts:
    def of(*names: str) -> list[str]:
        return [value for name in names for value in read.get(name, ())]

    artist_ids = tag_values.uuids(of("musicbrainzartistid"))
    album_artist_ids = tag_values.uuids(of("musicbrainzalbumartistid"))
    artist, artists = tag_values.credited(of("artist"), of("artists"), len(artist_ids))
    album_artist, album_artists = tag_values.credited(
        of("albumartist"), of("albumartists"), len(album_artist_ids)
    )
    disc, discs = tag_values.pair(of("disc", "discnumber", "wmpartofset"))
    track, tracks = tag_values.pair(of("track", "tracknumber"))
    original = of(*_ORIGINAL)
    released = [*_released(read), *of(*_RELEASED)]
    return TagFacts(
        title=tag_values.first(of("title")),
        artist=artist,
        artists=artists,
        album=tag_values.first(of("album")),
        album_artist=album_artist,
        album_artists=album_artists,
        disc=disc,
        disc_total=discs or tag_values.pair(of("disctotal", "totaldiscs"))[0],
        disc_title=tag_values.first(of("setsubtitle", "discsubtitle", "tsst")),
        track=track,
        track_total=tracks or tag_values.pair(of("tracktotal", "totaltracks"))[0],
        year=tag_values.year(of(*_YEARS)),
        release_date=tag_values.day(released),
        original_date=tag_values.day(original),
        original_year=tag_values.year(original),
        genres=tag_values.genres(of("genre")),
        composer=_names(of("composer")),
        label=_names(of("label") or of("organization") or of("publisher")),
        album_type=_album_type(of("releasetype", "musicbrainzalbumtype")),
        is_compilation=tag_values.flag(of(*_COMPILATION)),
        lyrics=tag_values.lyrics(of("lyrics", "unsyncedlyrics", "uslt")),
        replay_gain=tag_values.gain(of("replaygaintrackgain"), of("r128trackgain")),
        replay_peak=tag_values.peak(of("replaygaintrackpeak")),
        album_gain=tag_values.gain(of("replaygainalbumgain"), of("r128albumgain")),
        album_peak=tag_values.peak(of("replaygainalbumpeak")),
        musicbrainz_track_id=_id(of("musicbrainztrackid") or _recordings(of("ufid", "ufi"))),
        musicbrainz_album_id=_id(of("musicbrainzalbumid")),
        musicbrainz_artist_ids=artist_ids,
        musicbrainz_album_artist_ids=album_artist_ids,
    )


# The names of fields in Vorbis comments, APEv2, MP4, ID3, ASF and libmediainfo.
_YEARS = ("year", "date", "recordeddate", "releasedate", "tdrl", "releaseddate")
_RELEASED = ("releasedate", "tdrl", "releaseddate", "year", "date", "recordeddate")
_ORIGINAL = (
    "originaldate",
    "tdor",
    "originalreleasedate",
    "originalreleasetime",
    "originalreleaseddate",
    "originalyear",
    "originalreleaseyear",
    "tory",
    "tor",
)
_COMPILATION = ("compilation", "tcmp", "tcp", "cpil", "iscompilation")


def _released(read: Fields) -> list[str]:
    """Return the date that ID3v2.3 divides into a year and DDMM."""
    (years, days) = (read.get(name, [""])[0].strip() for name in ("year", "tdat"))
    if len(years) == 4 and len(days) == 4:
        return [f"{years}-{days[2:]}-{days[:2]}"]
    return []


def _names(values: Iterable[str]) -> str | None:
    return ", ".join(tag_values.texts(values))[: tag_values.LONGEST_TAG] or None


def _album_type(values: Iterable[str]) -> str | None:
    """Return types as MusicBrainz shows them: "album", "album + live"."""
    types = tag_values.divided(values, ";", "/", "+", ",")
    return " + ".join(types).lower()[: tag_values.LONGEST_TAG] or None


def _recordings(values: Iterable[str]) -> list[str]:
    return [value for value in values if "musicbrainz.org" in value]


def _id(values: Iterable[str]) -> str | None:
    return next(iter(tag_values.uuids(values)), None)


def tagged_name(tag: TagFacts | None, name: TrackName) -> TrackName:
    """Name a track by its tags; the names of file and folders fill the gaps."""
    if tag is None:
        return name
    return TrackName(
        artist=tag.artist or name.artist,
        album=tag.album or name.album,
        title=tag.title or name.title,
        disc=tag.disc or name.disc,
        track=tag.track or name.track,
        year=tag.year or name.year,
        album_artist=_album_artist(tag, name),
    )


def _album_artist(tag: TagFacts, name: TrackName) -> str | None:
    """Return whose album a track is on; None if it is just the track's artist's.

    "Queen feat. Bowie" is on Queen's album also when only the folder says whose it is.
    """
    if tag.album_artist:
        is_various = fold(tag.album_artist) in ("various-artists", "various", "va", "v-a")
        return VARIOUS_ARTISTS if is_various else tag.album_artist
    if tag.is_compilation and (tag.album or name.album):
        return VARIOUS_ARTISTS
    if name.album_artist or not name.artist or not tag.artist:
        return name.album_artist
    return name.artist if fold(tag.artist).startswith(fold(name.artist) + "-") else None
