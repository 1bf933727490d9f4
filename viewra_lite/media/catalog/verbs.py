"""The verbs of the catalog: pages of movies, shows and music, and saving them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar

from ...database.checks import (
    NOT_GIVEN,
    checked_choice,
    checked_id,
    checked_limit,
    checked_text,
    checked_truth,
    known_id,
    no_such,
    or_none,
)
from ...database.orm.statements import Statement
from ...database.pages import page_of, readable, rows_or_none, start_after, Page
from ...module import Module
from .. import queries
from ..models import Album, Episode, MediaFile, Movie, Season, Track, TVShow

Row = TypeVar("Row")


class CatalogVerbs(Module):
    """The verbs of MediaModule that read and write movies, shows and music."""

    # Movies, shows, music

    def movies(
        self,
        *,
        library_id: str | None = None,
        sort: str = "title",
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Movie]:
        """Return a page of movies with their best files, of one library or of all.

        sort is title, or added (newest first); limit is 1 to 1000; after is the `next` of the
        page before. Raises InvalidValueError.
        """
        return self._sorted(Movie, "movies", library_id, sort, limit, after)

    def movie(self, id: str) -> Movie:
        """Return a movie with its best file, all its `files`, and its `extras` with their files.

        The files but those of extras have `streams` and `chapters`. Raises NotFoundError.
        """
        movie: Movie = self._found("movie", id, queries.movie_by_id)
        self._give_files(movie, movie.library_id)
        movie.extras = self.db.all(queries.extras_of_movie, id)
        return movie

    def shows(
        self,
        *,
        library_id: str | None = None,
        sort: str = "title",
        limit: int = 50,
        after: str | None = None,
    ) -> Page[TVShow]:
        """Return a page of shows with `season_count` and `episode_count`, as movies() does.

        Raises InvalidValueError.
        """
        page: Page[TVShow] = self._sorted(TVShow, "shows", library_id, sort, limit, after)
        ids = [show.id for show in page.items]
        seasons = dict(self.db.all(queries.season_counts, ids))
        episodes = dict(self.db.all(queries.episode_counts, ids))
        for show in page.items:
            show.season_count = seasons.get(show.id, 0)
            show.episode_count = episodes.get(show.id, 0)
        return page

    def show(self, id: str) -> TVShow:
        """Return a show with `seasons`, each with `episodes`, and with `extras`.

        Episodes have their best file and all their `files`, without streams: episode() brings
        those. Raises NotFoundError.
        """
        show: TVShow = self._found("show", id, queries.show_by_id)
        show.seasons = self.db.all(queries.seasons_of_show, id)
        show.extras = self.db.all(queries.extras_of_show, id)
        by_season: dict[str, list[Episode]] = {season.id: [] for season in show.seasons}
        from ..files import versions, work_queries

        episodes = self.db.all(queries.episodes_of_show, id)
        links = self.db.all(work_queries.links_of_show, id, show.library_id)
        versions.give_files(self.db, episodes, links)
        for episode in episodes:
            by_season.setdefault(episode.season_id, []).append(episode)
        for season in show.seasons:
            season.episodes = by_season[season.id]
        return show

    def episode(self, id: str) -> Episode:
        """Return an episode with its `show` and `season`, its best file and all its `files`.

        The files have `streams` and `chapters`. Raises NotFoundError.
        """
        episode: Episode = self._found("episode", id, queries.episode_by_id)
        self._give_files(episode, episode.show.library_id)
        return episode

    def albums(
        self,
        *,
        library_id: str | None = None,
        sort: str = "title",
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Album]:
        """Return a page of albums, as movies() does. Raises InvalidValueError."""
        return self._sorted(Album, "albums", library_id, sort, limit, after)

    def album(self, id: str) -> Album:
        """Return an album with its `tracks`, each with its best file and all its `files`.

        The files are without streams: track() brings those. Raises NotFoundError.
        """
        from ..files import versions, work_queries

        album: Album = self._found("album", id, queries.album_by_id)
        album.tracks = self.db.all(queries.tracks_of_album, id)
        links = self.db.all(work_queries.links_of_album, id, album.library_id)
        versions.give_files(self.db, album.tracks, links)
        return album

    def track(self, id: str) -> Track:
        """Return a track with its `album`, its best file and all its `files`.

        The files have `streams` and `chapters`. Raises NotFoundError.
        """
        track: Track = self._found("track", id, queries.track_by_id)
        self._give_files(track, track.album.library_id)
        return track

    # Saving

    def save_movie(
        self,
        library_id: str,
        *,
        title: str = NOT_GIVEN,
        year: int | None = NOT_GIVEN,
        id: str | None = None,
        lock: bool = True,
        **columns: object,
    ) -> Movie:
        """Insert a movie, or update the one with this id, or with this title and year.

        columns are those of the table (media_file_id, overview, cast, ...): an omitted one stays,
        None clears it. Columns that are set are locked: neither scans nor plugins change them. With
        lock=False plugins may, and locked ones stay. A new movie needs its title. Raises
        InvalidValueError, NotFoundError for an unknown library, movie or file, and ConflictError if
        another movie has the title and year, or several have and no external id in columns decides.

            store.media.save_movie(library.id, title="Heat", year=1995, rating=8.3)
        """
        values = {"title": title, "year": year, **columns}
        return self.movie(self._save(Movie, library_id, values, id, lock))

    def save_show(
        self,
        library_id: str,
        *,
        title: str = NOT_GIVEN,
        year: int | None = NOT_GIVEN,
        id: str | None = None,
        lock: bool = True,
        **columns: object,
    ) -> TVShow:
        """Insert a show, or update the one with this id, or with this title and year.

        columns are as in save_movie(). Raises InvalidValueError, NotFoundError, ConflictError.
        """
        values = {"title": title, "year": year, **columns}
        return self.show(self._save(TVShow, library_id, values, id, lock))

    def save_season(
        self,
        show_id: str,
        *,
        season_number: int = NOT_GIVEN,
        id: str | None = None,
        lock: bool = True,
        **columns: object,
    ) -> Season:
        """Insert a season of a show, or update the one with this id or number; 0 is specials.

        A new season needs its number; columns are as in save_movie(). Raises InvalidValueError,
        NotFoundError, ConflictError.
        """
        with self.db.writer():
            saved = self._save(
                Season, show_id, {"season_number": season_number, **columns}, id, lock
            )
            return _with_id(self.show(show_id).seasons, saved)

    def save_episode(
        self,
        show_id: str,
        *,
        season_number: int = NOT_GIVEN,
        episode_number: int = NOT_GIVEN,
        id: str | None = None,
        lock: bool = True,
        **columns: object,
    ) -> Episode:
        """Insert an episode of a show, or update the one with this id or these numbers.

        A new episode needs both numbers, and inserts its season if needed; columns are as in
        save_movie(). Raises InvalidValueError, NotFoundError, ConflictError.
        """
        values = {"season_number": season_number, "episode_number": episode_number, **columns}
        with self.db.writer():
            return self.episode(self._save(Episode, show_id, values, id, lock))

    def save_album(
        self,
        library_id: str,
        *,
        title: str = NOT_GIVEN,
        album_artist: str | None = NOT_GIVEN,
        id: str | None = None,
        lock: bool = True,
        **columns: object,
    ) -> Album:
        """Insert an album, or update the one with this id, or with this title and artist.

        year or musicbrainz_id decides if several have that title and artist.
        columns are as in save_movie(). Raises InvalidValueError, NotFoundError, ConflictError.
        """
        values = {"title": title, "album_artist": album_artist, **columns}
        return self.album(self._save(Album, library_id, values, id, lock))

    def save_track(
        self,
        album_id: str,
        *,
        title: str = NOT_GIVEN,
        disc_number: int = NOT_GIVEN,
        track_number: int = NOT_GIVEN,
        id: str | None = None,
        lock: bool = True,
        **columns: object,
    ) -> Track:
        """Insert a track of an album, or update the one with this id, or with title and numbers.

        Without numbers the title alone finds it, and a new track gets disc 1 and number 0
        (unknown). columns are as in save_movie(). Raises InvalidValueError, NotFoundError, and
        ConflictError if several tracks have the title, or another has title and numbers.
        """
        numbers = {"disc_number": disc_number, "track_number": track_number}
        with self.db.writer():
            return self.track(
                self._save(Track, album_id, {"title": title, **numbers, **columns}, id, lock)
            )

    # Inside

    def _give_files(self, row: Any, library_id: str) -> None:
        """Set `files` of a movie, an episode or a track, with their streams and chapters."""
        from ..files import versions

        row.files = versions.files_in(self.db, row.work_id, library_id)
        best = [row.media_file] if row.media_file_id else []
        self._load_streams([*row.files, *best])

    def _load_streams(self, files: Sequence[MediaFile]) -> None:
        """Set `streams` and `chapters` of files, in two statements."""
        ids = list({file.id for file in files})
        streams, chapters = defaultdict(list), defaultdict(list)
        for stream in readable(self.db, queries.streams_of, ids) if ids else ():
            streams[stream.media_file_id].append(stream)
        for chapter in readable(self.db, queries.chapters_of, ids) if ids else ():
            chapters[chapter.media_file_id].append(chapter)
        for file in files:
            file.streams, file.chapters = streams[file.id], chapters[file.id]

    def _save(
        self, model: object, parent_id: str, values: dict[str, Any], id: str | None, lock: bool
    ) -> str:
        from .save import save
        from .sources import PERSON, PLUGIN

        source = PERSON if checked_truth("lock", lock) else PLUGIN
        with self.db.writer():
            return save(self.db, model, parent_id, values, id, source)

    def _sorted(
        self,
        model: object,
        kind: str,
        library_id: str | None,
        sort: str,
        limit: int,
        after: str | None,
    ) -> Page[Any]:
        checked_choice("sort", sort, queries.SORTS)
        or_none(checked_id, "library_id", library_id)
        cursor = f"{kind}-{sort}"
        start = start_after(after, cursor, *[str] * (2 if sort == "title" else 1))
        for part in start or ():
            checked_text("after", part)
        statement = queries.page_statement(model, sort, library_id is not None, start is not None)
        count = checked_limit(limit) + 1
        rows = rows_or_none(self.db, statement, library_id, count, *(start or ()))
        if sort == "title":
            return self._page(rows, limit, cursor, lambda row: (row.sort_title, row.id))
        return self._page(rows, limit, cursor, lambda row: (row.id,))

    def _page(self, rows: list[Any], limit: int, kind: str, key: Any) -> Page[Any]:
        page: Page[Any] = page_of(rows, limit, kind, key)
        return page

    def _found(self, noun: str, id: str, by_id: Statement) -> Any:
        row = self.db.one(by_id, known_id(noun, id))
        if row is None:
            raise no_such(noun, id)
        return row


def _with_id(rows: list[Row], id: str) -> Row:
    return next(row for row in rows if row.id == id)  # type: ignore[attr-defined]
