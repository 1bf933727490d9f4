"""What the files are: movies, shows with seasons and episodes, albums with tracks.

A scan writes here only what names and tags say: it adds what is new and points it at its best
file, and leaves alone what plugins and people wrote. Everything runs in the caller's writer.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from peewee import fn

from ..database.sessions import Sessions
from . import queries, search
from .models import Album, Episode, MediaFile, MediaLibrary, Movie, Season, Track, TVShow
from .name_facts import EpisodeName, MovieName, NameFacts, TrackName, fold, sort_title
from .tags import TagFacts

UNKNOWN_ALBUM = "Unknown Album"
UNKNOWN_ARTIST = "Unknown Artist"


def movie_identity(title: str, year: int | None) -> str:
    """Return what makes a movie one in a library; its files' identities start with it."""
    return f"movie:{fold(title)}:{year or ''}"


def show_identity(title: str, year: int | None) -> str:
    """Return what makes a show one in a library."""
    return f"show:{fold(title)}:{year or ''}"


def album_identity(title: str, album_artist: str | None) -> str:
    """Return what makes an album one in a library."""
    return f"album:{fold(album_artist or UNKNOWN_ARTIST)}:{fold(title)}"


class Catalog:
    """Files into movies, episodes and tracks, inside one writer; finish() ends each batch."""

    def __init__(self, sessions: Sessions, library: MediaLibrary) -> None:
        self._sessions = sessions
        self._library = library
        self._touched: dict[str, set[str]] = defaultdict(set)
        self._albums: set[str] = set()

    def place(self, file: MediaFile, name: NameFacts, tags: TagFacts | None) -> None:
        """Make a file's movie, episodes or track, and take it out of what it was before."""
        if isinstance(name, MovieName):
            self._place_movie(file, name)
        elif isinstance(name, EpisodeName):
            self._place_episodes(file, name)
        else:
            self._place_track(file, name, tags)

    def finish(self) -> None:
        """Count albums anew and bring the search index in step."""
        for album_id in self._albums:
            _count_album(album_id)
        for kind, ids in self._touched.items():
            search.index(self._sessions, kind, sorted(ids))
        self._touched.clear()
        self._albums.clear()

    # Movies

    def _place_movie(self, file: MediaFile, name: MovieName) -> None:
        identity = movie_identity(name.title, name.year)
        movie = Movie.get_or_none(Movie.library == self._library.id, Movie.identity == identity)
        before = Movie.get_or_none(Movie.media_file == file.id)
        if movie is None and before is not None and not self._other_file(before, file):
            movie = before  # renamed: the movie keeps its id
        elif before is not None and (movie is None or before.id != movie.id):
            self._leave_movie(before, file)
        if movie is None:
            self._new_movie(file, name, identity)
        elif movie.identity != identity:
            self._rename_movie(movie, name, identity)
        elif _is_better(file, movie.media_file_id):
            Movie.update(media_file=file.id).where(Movie.id == movie.id).execute()

    def _new_movie(self, file: MediaFile, name: MovieName, identity: str) -> None:
        now = self._sessions.now()
        movie = Movie.create(
            id=self._sessions.new_id(), library=self._library.id, media_file=file.id,
            identity=identity, title=name.title, sort_title=sort_title(name.title),
            year=name.year, tmdb_id=name.tmdb_id, imdb_id=name.imdb_id,
            created_at=now, updated_at=now,
        )
        self._touched["movie"].add(movie.id)

    def _rename_movie(self, movie: Movie, name: MovieName, identity: str) -> None:
        Movie.update(
            identity=identity, title=name.title, sort_title=sort_title(name.title),
            year=name.year, updated_at=self._sessions.now(),
        ).where(Movie.id == movie.id).execute()
        self._touched["movie"].add(movie.id)

    def _other_file(self, movie: Movie, file: MediaFile) -> MediaFile | None:
        files = files_of_movie(self._sessions, movie)
        return next((other for other in files if other.id != file.id), None)

    def _leave_movie(self, movie: Movie, file: MediaFile) -> None:
        other = self._other_file(movie, file)
        if other is not None:
            Movie.update(media_file=other.id).where(Movie.id == movie.id).execute()
        else:
            Movie.delete().where(Movie.id == movie.id).execute()

    # Shows

    def _place_episodes(self, file: MediaFile, name: EpisodeName) -> None:
        season_number, numbers = _numbers(name)
        if not numbers:
            return
        show = self._show(name)
        season = self._season(show, season_number)
        placed = [
            self._episode(file, name, show, season, number, numbers[-1]) for number in numbers
        ]
        self._leave_episodes(file, placed)

    def _show(self, name: EpisodeName) -> TVShow:
        identity = show_identity(name.show, name.show_year)
        of_library = TVShow.library == self._library.id
        show = TVShow.get_or_none(of_library, TVShow.identity == identity)
        if show is None:
            # "Show (2005)/…" and "Show/…" are one show, unless there are several of that title.
            stem = show_identity(name.show, None)
            alike = list(TVShow.select().where(of_library, TVShow.identity.between(
                stem, stem + "9999"
            )))
            if len(alike) == 1 and (name.show_year is None or alike[0].identity == stem):
                show = alike[0]
        return show or self._new_show(name, identity)

    def _new_show(self, name: EpisodeName, identity: str) -> TVShow:
        now = self._sessions.now()
        show = TVShow.create(
            id=self._sessions.new_id(), library=self._library.id, identity=identity,
            title=name.show, sort_title=sort_title(name.show), status="unknown",
            tmdb_id=name.tmdb_id, tvdb_id=name.tvdb_id, imdb_id=name.imdb_id,
            created_at=now, updated_at=now,
        )
        self._touched["show"].add(show.id)
        return show

    def _season(self, show: TVShow, number: int) -> Season:
        season, _ = Season.get_or_create(
            show=show.id, season_number=number, defaults={"id": self._sessions.new_id()}
        )
        return season

    def _episode(
        self, file: MediaFile, name: EpisodeName, show: TVShow, season: Season, number: int,
        last: int,
    ) -> str:
        episode = Episode.get_or_none(
            Episode.show == show.id, Episode.season_number == season.season_number,
            Episode.episode_number == number,
        )
        end = last if last > number else None
        if episode is None:
            episode = Episode.create(
                id=self._sessions.new_id(), show=show.id, season=season.id, media_file=file.id,
                season_number=season.season_number, episode_number=number,
                episode_number_end=end, absolute_number=name.absolute,
                title=name.title if len(name.episodes) < 2 else None, air_date=name.air_date,
            )
            self._touched["episode"].add(episode.id)
        elif _is_better(file, episode.media_file_id):
            Episode.update(media_file=file.id, episode_number_end=end).where(
                Episode.id == episode.id
            ).execute()
        return str(episode.id)

    def _leave_episodes(self, file: MediaFile, placed: list[str]) -> None:
        """Take the file out of episodes that it no longer is; one with nothing else known goes."""
        stale = Episode.select().where(
            Episode.media_file == file.id, Episode.id.not_in(placed)
        )
        for episode in list(stale):
            if episode.overview or episode.tvdb_id or episode.tmdb_id:
                Episode.update(media_file=None).where(Episode.id == episode.id).execute()
            else:
                Episode.delete().where(Episode.id == episode.id).execute()
                _drop_empty_show(episode)

    # Music

    def _place_track(self, file: MediaFile, name: TrackName, tags: TagFacts | None) -> None:
        album = self._album(name, tags)
        disc, number = name.disc or 1, name.track or 0
        track = Track.get_or_none(
            Track.album == album.id, Track.disc_number == disc,
            Track.track_number == number, Track.title == name.title,
        )
        if track is None:
            track = self._new_track(file, name, tags, album, disc, number)
        elif _is_better(file, track.media_file_id):
            Track.update(media_file=file.id, duration=file.duration).where(
                Track.id == track.id
            ).execute()
        self._albums.add(album.id)
        self._leave_tracks(file, track.id)

    def _leave_tracks(self, file: MediaFile, placed: str) -> None:
        for old in list(Track.select().where(Track.media_file == file.id, Track.id != placed)):
            Track.delete().where(Track.id == old.id).execute()
            self._albums.add(old.album_id)

    def _album(self, name: TrackName, tags: TagFacts | None) -> Album:
        title = name.album or UNKNOWN_ALBUM
        artist = name.album_artist or name.artist
        identity = album_identity(title, artist)
        album = Album.get_or_none(Album.library == self._library.id, Album.identity == identity)
        if album is not None:
            return album
        now = self._sessions.now()
        album = Album.create(
            id=self._sessions.new_id(), library=self._library.id, identity=identity,
            title=title, sort_title=sort_title(title), album_artist=artist, year=name.year,
            genres=[tags.genre] if tags and tags.genre else None,
            musicbrainz_id=getattr(tags, "musicbrainz_album_id", None),
            created_at=now, updated_at=now,
        )
        self._touched["album"].add(album.id)
        return album

    def _new_track(
        self, file: MediaFile, name: TrackName, tags: TagFacts | None, album: Album, disc: int,
        number: int,
    ) -> Track:
        track = Track.create(
            id=self._sessions.new_id(), album=album.id, media_file=file.id, title=name.title,
            artist=name.artist, disc_number=disc, track_number=number, duration=file.duration,
            year=name.year, genres=[tags.genre] if tags and tags.genre else None,
            musicbrainz_id=getattr(tags, "musicbrainz_track_id", None),
        )
        self._touched["track"].add(track.id)
        return track


def release(sessions: Sessions, library: MediaLibrary, file_ids: list[str]) -> None:
    """Take files that are about to be deleted out of the catalog, inside a writer.

    A movie passes to another of its files, or goes with its last; so do episodes and tracks.
    """
    catalog = Catalog(sessions, library)
    for file_id in file_ids:
        file = MediaFile(id=file_id)
        for movie in list(Movie.select().where(Movie.media_file == file_id)):
            catalog._leave_movie(movie, file)
        catalog._leave_episodes(file, [])
        catalog._leave_tracks(file, "")
    catalog.finish()


def files_of_movie(sessions: Sessions, movie: Movie) -> list[MediaFile]:
    """Return a movie's files: every version, and every part of one."""
    identity = movie.identity
    return sessions.all(
        queries.files_of_movie, movie.library_id, identity, f"{identity}:", f"{identity};"
    )


def _numbers(name: EpisodeName) -> tuple[int, tuple[int, ...]]:
    """Return season and episode numbers; absolute numbers are season 1, dates year and month-day.
    """
    if name.episodes:
        return (1 if name.season is None else name.season), name.episodes
    if name.absolute is not None:
        return (1 if name.season is None else name.season), (name.absolute,)
    if name.air_date is not None:
        return name.air_date.year, (name.air_date.month * 100 + name.air_date.day,)
    return 1, ()


def _is_better(file: MediaFile, current_id: str | None) -> bool:
    """Whether a file should stand for its movie, episode or track instead of the current one."""
    if current_id is None:
        return True
    if current_id == file.id:
        return False
    current = MediaFile.get_or_none(MediaFile.id == current_id)
    return current is None or _rank(file) > _rank(current)


def _rank(file: MediaFile) -> tuple[bool, int, int]:
    return file.status == "present", file.height or 0, file.size or 0


def _drop_empty_show(episode: Episode) -> None:
    """Delete the season and the show of a deleted episode where it was their last."""
    if not Episode.select().where(Episode.season == episode.season_id).exists():
        Season.delete().where(Season.id == episode.season_id).execute()
    if not Episode.select().where(Episode.show == episode.show_id).exists():
        TVShow.delete().where(TVShow.id == episode.show_id).execute()


def _count_album(album_id: str) -> None:
    """Set an album's counts and length from its tracks; an album without tracks goes."""
    tracks, discs, seconds = Track.select(
        fn.COUNT(Track.id), fn.MAX(Track.disc_number), fn.SUM(Track.duration)
    ).where(Track.album == album_id).tuples().get()
    if tracks:
        Album.update(track_count=tracks, disc_count=discs, duration=seconds).where(
            Album.id == album_id
        ).execute()
    else:
        Album.delete().where(Album.id == album_id).execute()
