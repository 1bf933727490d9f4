"""What the files are: movies, shows with seasons and episodes, albums with tracks.

A scan writes here only what names and tags say: it adds what is new and points it at its best
file, and leaves alone what plugins and people wrote. Everything runs in the caller's writer.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..database.sessions import Sessions
from . import queries, search, versions
from .identity import absorb
from .models import (
    Album, Episode, MediaFile, MediaLibrary, Movie, RemovedFile, Season, Track, TVShow,
)
from .name_facts import EpisodeName, MovieName, NameFacts, TrackName, fold, sort_title
from .tags import TagFacts

UNKNOWN_ALBUM = "Unknown Album"
UNKNOWN_ARTIST = "Unknown Artist"

# What only plugins and people write: a row with any of it stays when its last file goes.
_CURATED = {
    TVShow: ("overview", "tagline", "tmdb_id", "first_air_date", "poster_path"),
    Season: ("title", "overview", "tmdb_id", "tvdb_id", "air_date", "poster_path"),
    Episode: ("overview", "tmdb_id", "tvdb_id", "imdb_id", "still_path"),
    Album: ("release_date", "album_type", "label", "cover_path"),
    Track: ("lyrics",),
}


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

    def place(
        self, file: MediaFile, name: NameFacts, tags: TagFacts | None = None,
        was: str | None = None,
    ) -> None:
        """Make a file's movie, episodes or track, and take it out of what it was before.

        was is the identity that the file had then: other versions of that take its place.
        """
        if isinstance(name, MovieName):
            self._place_movie(file, name)
        elif isinstance(name, EpisodeName):
            self._place_episodes(file, name, was)
        else:
            self._place_track(file, name, tags, was)

    def release(self, file: MediaFile) -> None:
        """Take a file that is about to be deleted out of the catalog.

        What it was passes to another version, or goes with its last file, unless a plugin or a
        person wrote about it.
        """
        for movie in list(Movie.select().where(Movie.media_file == file.id)):
            self._leave_movie(movie, file)
        self._leave_episodes(file, [], file.identity)
        self._leave_tracks(file, "", file.identity)

    def take_over(self, known: MediaFile | RemovedFile, newcomer: MediaFile) -> MediaFile | None:
        """Make a newcomer, which may be in the catalog already, the known file that it is."""
        was = known.identity
        name = self._give_up_movie(newcomer, known)
        episodes = _ids(Episode, newcomer)
        tracks = _ids(Track, newcomer)
        file = absorb(self._sessions, known, newcomer)
        if file is not None and name is not None:
            self._place_movie(file, name)
        if file is not None and episodes:
            self._leave_episodes(file, episodes, was)
        if file is not None and tracks:
            self._leave_tracks(file, tracks[0], was)
        return file

    def prefer_present(self, ids: list[str]) -> None:
        """Point what stood on files that are missing now at another version, where there is one."""
        models: tuple[Any, ...] = (Movie, Episode, Track)
        for model in models:
            for row in list(model.select().where(model.media_file.in_(ids))):
                gone = self._sessions.one(queries.file_by_id, row.media_file_id)
                other = self._other_version(row, gone, gone.identity)
                if other is not None and other.status == "present":
                    model.update(media_file=other.id).where(model.id == row.id).execute()

    def finish(self) -> None:
        """Count albums anew and bring the search index in step."""
        for album_id in self._albums:
            _count_album(album_id)
        for kind, ids in self._touched.items():
            search.index(self._sessions, kind, sorted(ids))
        self._touched.clear()
        self._albums.clear()

    def _other_version(self, row: Any, file: MediaFile, was: str | None) -> MediaFile | None:
        if isinstance(row, Movie):
            files = files_of_movie(self._sessions, row)
        elif isinstance(row, Episode):
            files = versions.of_episode(
                self._sessions, self._library.id, was, row.episode_number
            )
        else:
            files = versions.alike(self._sessions, self._library.id, was)
        return max((one for one in files if one.id != file.id), key=versions.rank, default=None)

    # Movies

    def _place_movie(self, file: MediaFile, name: MovieName) -> None:
        identity = movie_identity(name.title, name.year)
        movie = Movie.get_or_none(Movie.library == self._library.id, Movie.identity == identity)
        for before in list(Movie.select().where(Movie.media_file == file.id)):
            if movie is None and self._other_version(before, file, None) is None:
                self._rename_movie(before, name, identity)
                movie = before  # renamed or moved: the movie keeps its id
            elif movie is None or before.id != movie.id:
                self._leave_movie(before, file)
        if movie is None:
            self._new_movie(file, name, identity)
        elif versions.is_better(self._sessions, file, movie.media_file_id):
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
        changes: dict[str, Any] = {"identity": identity, "library": self._library.id}
        if movie.identity != identity and movie.identity == movie_identity(
            movie.title, movie.year
        ):  # else somebody has given it another title
            changes.update(
                title=name.title, sort_title=sort_title(name.title), year=name.year
            )
        Movie.update(**changes, updated_at=self._sessions.now()).where(
            Movie.id == movie.id
        ).execute()
        self._touched["movie"].add(movie.id)

    def _give_up_movie(self, newcomer: MediaFile, known: Any) -> MovieName | None:
        """Delete a newcomer's movie where the known file has one of its own to be renamed."""
        movie = Movie.get_or_none(Movie.media_file == newcomer.id)
        own = Movie.get_or_none(Movie.media_file == known.id)
        if movie is None or own is None:
            return None
        if self._other_version(movie, newcomer, None) is None:
            Movie.delete().where(Movie.id == movie.id).execute()
        return MovieName(movie.title, movie.year)

    def _leave_movie(self, movie: Movie, file: MediaFile) -> None:
        other = self._other_version(movie, file, None)
        if other is not None:
            Movie.update(media_file=other.id).where(Movie.id == movie.id).execute()
        else:
            Movie.delete().where(Movie.id == movie.id).execute()

    # Shows

    def _place_episodes(self, file: MediaFile, name: EpisodeName, was: str | None) -> None:
        season_number, numbers = versions.numbers(name)
        placed = []
        if numbers:
            show = self._show(name)
            season = self._season(show, season_number)
            placed = [
                self._episode(file, name, season, number, numbers[-1]) for number in numbers
            ]
        self._leave_episodes(file, placed, was)

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
        season = Season.get_or_none(Season.show == show.id, Season.season_number == number)
        return season or Season.create(
            id=self._sessions.new_id(), show=show.id, season_number=number
        )

    def _episode(
        self, file: MediaFile, name: EpisodeName, season: Season, number: int, last: int
    ) -> str:
        of_number = (Episode.season_number == season.season_number) & (
            Episode.episode_number == number
        )
        end = last if last > number else None
        episode = Episode.get_or_none(of_number, Episode.show == season.show_id)
        if episode is None:
            # The same number of another show: the show was renamed, or moved to this library.
            episode = Episode.get_or_none(of_number, Episode.media_file == file.id)
            if episode is None:
                return self._new_episode(file, name, season, number, end)
            Episode.update(show=season.show_id, season=season.id).where(
                Episode.id == episode.id
            ).execute()
            self._touched["episode"].add(episode.id)
            _drop_empty_show(episode)
        elif versions.is_better(self._sessions, file, episode.media_file_id):
            Episode.update(media_file=file.id, episode_number_end=end).where(
                Episode.id == episode.id
            ).execute()
        return str(episode.id)

    def _new_episode(
        self, file: MediaFile, name: EpisodeName, season: Season, number: int, end: int | None
    ) -> str:
        episode = Episode.create(
            id=self._sessions.new_id(), show=season.show_id, season=season.id,
            media_file=file.id, season_number=season.season_number, episode_number=number,
            episode_number_end=end, absolute_number=name.absolute,
            title=name.title if len(name.episodes) < 2 else None, air_date=name.air_date,
        )
        self._touched["episode"].add(episode.id)
        return str(episode.id)

    def _leave_episodes(self, file: MediaFile, placed: list[str], was: str | None) -> None:
        """Take the file out of episodes that it no longer is."""
        stale = Episode.select().where(
            Episode.media_file == file.id, Episode.id.not_in(placed)
        )
        for episode in list(stale):
            other = self._other_version(episode, file, was)
            if other is not None or _is_curated(episode):
                Episode.update(media_file=other and other.id).where(
                    Episode.id == episode.id
                ).execute()
            else:
                Episode.delete().where(Episode.id == episode.id).execute()
                _drop_empty_show(episode)

    # Music

    def _place_track(
        self, file: MediaFile, name: TrackName, tags: TagFacts | None, was: str | None
    ) -> None:
        album = self._album(name, tags)
        facts = {
            "album": album.id, "title": name.title, "disc_number": name.disc or 1,
            "track_number": name.track or 0,
        }
        track = Track.get_or_none(*(getattr(Track, key) == facts[key] for key in facts))
        if track is None:
            track = self._renamed_track(file, name, facts, was)
            track = track or self._new_track(file, name, tags, facts)
        elif versions.is_better(self._sessions, file, track.media_file_id):
            Track.update(media_file=file.id, duration=file.duration).where(
                Track.id == track.id
            ).execute()
        self._albums.add(album.id)
        self._leave_tracks(file, track.id, was)

    def _renamed_track(
        self, file: MediaFile, name: TrackName, facts: dict[str, Any], was: str | None
    ) -> Track | None:
        """Return the track that the file was, under its new name and on its new album."""
        track: Track | None = Track.get_or_none(Track.media_file == file.id)
        if track is None or self._other_version(track, file, was) is not None:
            return None
        Track.update(**facts, artist=name.artist, year=name.year, duration=file.duration).where(
            Track.id == track.id
        ).execute()
        self._albums.add(track.album_id)
        self._touched["track"].add(track.id)
        return track

    def _leave_tracks(self, file: MediaFile, placed: str, was: str | None) -> None:
        for old in list(Track.select().where(Track.media_file == file.id, Track.id != placed)):
            other = self._other_version(old, file, was)
            if other is not None or _is_curated(old):
                Track.update(media_file=other and other.id).where(Track.id == old.id).execute()
            else:
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
        self, file: MediaFile, name: TrackName, tags: TagFacts | None, facts: dict[str, Any]
    ) -> Track:
        track = Track.create(
            id=self._sessions.new_id(), media_file=file.id, artist=name.artist,
            duration=file.duration, year=name.year,
            genres=[tags.genre] if tags and tags.genre else None,
            musicbrainz_id=getattr(tags, "musicbrainz_track_id", None), **facts,
        )
        self._touched["track"].add(track.id)
        return track


def files_of_movie(sessions: Sessions, movie: Movie) -> list[MediaFile]:
    """Return a movie's files: every version, and every part of one."""
    identity = movie.identity
    return sessions.all(
        queries.files_of_movie, movie.library_id, identity, f"{identity}:", f"{identity};",
        movie.media_file_id or "",
    )


def _ids(model: Any, file: MediaFile) -> list[str]:
    return [row.id for row in model.select(model.id).where(model.media_file == file.id)]


def _is_curated(row: Any) -> bool:
    return any(getattr(row, name) is not None for name in _CURATED[type(row)])


def _drop_empty_show(episode: Episode) -> None:
    """Delete the season and the show that an episode has left, where nothing else is in them."""
    season = Season.get_or_none(Season.id == episode.season_id)
    show = TVShow.get_or_none(TVShow.id == episode.show_id)
    if season and not _is_curated(season) and not _any(Episode, Episode.season, season):
        Season.delete().where(Season.id == season.id).execute()
    if show and not _is_curated(show) and not _any(Season, Season.show, show):
        TVShow.delete().where(TVShow.id == show.id).execute()


def _any(model: Any, field: Any, parent: Any) -> bool:
    return bool(model.select().where(field == parent.id).exists())


def _count_album(album_id: str) -> None:
    """Set an album's counts and length from its tracks; an album without tracks goes."""
    tracks = list(Track.select().where(Track.album == album_id))
    if tracks:
        Album.update(
            track_count=len(tracks),
            disc_count=max(track.disc_number for track in tracks),
            duration=sum(track.duration or 0.0 for track in tracks),
        ).where(Album.id == album_id).execute()
        return
    album = Album.get_or_none(Album.id == album_id)
    if album is not None and not _is_curated(album):
        Album.delete().where(Album.id == album_id).execute()
