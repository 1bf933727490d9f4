"""The tables of the media module: libraries, files, works, movies, shows and music."""

from .files import (
    LIBRARY_TYPES,
    STREAM_KINDS,
    MediaChapter,
    MediaFile,
    MediaFolder,
    MediaLibrary,
    MediaScan,
    MediaStream,
    RemovedFile,
    best_of,
    quality_of,
)
from .music import Album, Track
from .video import EXTRA_KINDS, SHOW_STATUSES, Episode, MediaExtra, Movie, Season, TVShow
from .works import WORK_KINDS, Work, WorkFile

__all__ = [
    "EXTRA_KINDS",
    "LIBRARY_TYPES",
    "SHOW_STATUSES",
    "STREAM_KINDS",
    "WORK_KINDS",
    "Album",
    "Episode",
    "MediaChapter",
    "MediaExtra",
    "MediaFile",
    "MediaFolder",
    "MediaLibrary",
    "MediaScan",
    "MediaStream",
    "Movie",
    "RemovedFile",
    "Season",
    "TVShow",
    "Track",
    "Work",
    "WorkFile",
    "best_of",
    "quality_of",
]
