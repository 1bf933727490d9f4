"""Files into shows, seasons and episodes."""

from __future__ import annotations

from typing import Any

from ...database.transactions.database import Database
from .. import identities
from ..files import versions
from ..files.works import Works
from ..identities import show_identity
from ..models import Episode, MediaFile, MediaLibrary, Season, TVShow
from ..names.facts import EpisodeName
from ..names.keys import sort_title
from . import matching


class Shows:
    """The shows of one library, inside one writer."""

    def __init__(
        self, db: Database, library: MediaLibrary, works: Works, touched: dict[str, set[str]]
    ) -> None:
        self._db = db
        self._library = library
        self._works = works
        self._touched = touched

    def place(self, file: MediaFile, name: EpisodeName) -> None:
        """Make a file's episodes, and take it out of those that it was before."""
        season_number, numbers = identities.numbers(name)
        placed: list[str] = []
        if numbers:
            show = self._show(file, name)
            season = self._season(show, season_number)
            left: list[Episode] = []
            placed = [
                self._episode(file, name, show, season, number, numbers[-1], left)
                for number in numbers
            ]
            for episode in left:
                self._drop_empty(episode, show)
            rows = Episode.select(Episode.work).where(Episode.id.in_(placed))
            self._works.link(file.id, {row.work_id: 0 for row in rows})
        else:
            self._works.link(file.id, self._works.of_identity(name.identity))
        self.leave(file, placed)

    def leave(self, file: MediaFile, placed: list[str]) -> None:
        """Take a file out of the episodes that it no longer is.

        Another version takes its place; without one the episode goes, unless it is curated.
        """
        stale = Episode.select().where(Episode.media_file == file.id, Episode.id.not_in(placed))
        for episode in list(stale):
            other = versions.other_version(self._db, episode, file)
            if other is not None or versions.is_curated(episode):
                Episode.update(media_file=other and other.id).where(
                    Episode.id == episode.id
                ).execute()
            else:
                Episode.delete().where(Episode.id == episode.id).execute()
                self._drop_empty(episode, None)

    # Inside

    def _show(self, file: MediaFile, name: EpisodeName) -> TVShow:
        show, identity = matching.show_of(self._library, file, name)
        if show is None:
            return self._new_show(name, identity)
        if show.year is None and name.show_year is not None:
            self._give_year(show, name.show_year, identity)
        matching.learn_ids(show, name)
        return show

    def _give_year(self, show: TVShow, year: int, identity: str) -> None:
        TVShow.update(year=year, identity=identity).where(TVShow.id == show.id).execute()
        self._works.rename("show", self._library.id, show.work_id, identity)
        show.year, show.identity = year, identity
        self._touched["show"].add(show.id)

    def _new_show(self, name: EpisodeName, identity: str) -> TVShow:
        now = self._db.now()
        show = TVShow.create(
            id=self._db.new_id(),
            library=self._library.id,
            identity=identity,
            work=self._works.of_new_row(
                "show", self._library.id, identity, show_identity(name.show, None)
            ),
            title=name.show,
            sort_title=sort_title(name.show),
            year=name.show_year,
            status="unknown",
            tmdb_id=name.tmdb_id,
            tvdb_id=name.tvdb_id,
            imdb_id=name.imdb_id,
            created_at=now,
            updated_at=now,
        )
        self._touched["show"].add(show.id)
        return show

    def _season(self, show: TVShow, number: int) -> Season:
        season = Season.get_or_none(Season.show == show.id, Season.season_number == number)
        return season or Season.create(id=self._db.new_id(), show=show.id, season_number=number)

    def _episode(
        self,
        file: MediaFile,
        name: EpisodeName,
        show: TVShow,
        season: Season,
        number: int,
        last: int,
        left: list[Episode],
    ) -> str:
        of_number = (Episode.season_number == season.season_number) & (
            Episode.episode_number == number
        )
        end = last if last > number else None
        work = self._works.of_episode(show.work_id, season.season_number, number)
        episode = Episode.get_or_none(of_number, Episode.show == show.id)
        if episode is None:
            # The same number of another show: the show was renamed, or moved to this library.
            episode = Episode.get_or_none(of_number, Episode.media_file == file.id)
            if episode is None:
                return self._new_episode(file, name, season, number, end, work)
            Episode.update(show=show.id, season=season.id, work=work).where(
                Episode.id == episode.id
            ).execute()
            self._touched["episode"].add(episode.id)
            left.append(episode)
        elif versions.is_better(self._db, file, episode.media_file_id):
            Episode.update(media_file=file.id, episode_number_end=end).where(
                Episode.id == episode.id
            ).execute()
        self._fill_title(episode, name)
        return str(episode.id)

    def _fill_title(self, episode: Episode, name: EpisodeName) -> None:
        """Give an episode without a title the one that its file has got; never change one."""
        title = _title(name)
        if episode.title is None and title is not None:
            Episode.update(title=title).where(Episode.id == episode.id).execute()
            self._touched["episode"].add(episode.id)

    def _new_episode(
        self,
        file: MediaFile,
        name: EpisodeName,
        season: Season,
        number: int,
        end: int | None,
        work: str,
    ) -> str:
        episode = Episode.create(
            id=self._db.new_id(),
            show=season.show_id,
            season=season.id,
            media_file=file.id,
            work=work,
            season_number=season.season_number,
            episode_number=number,
            episode_number_end=end,
            absolute_number=name.absolute,
            title=_title(name),
            air_date=name.air_date,
        )
        self._touched["episode"].add(episode.id)
        return str(episode.id)

    def _drop_empty(self, episode: Episode, successor: TVShow | None) -> None:
        """Delete the season and the show that an episode has left, where nothing else is in them.

        A show that all episodes left for a successor, new by this scan, was renamed: it stays.
        """
        season = Season.get_or_none(Season.id == episode.season_id)
        show = TVShow.get_or_none(TVShow.id == episode.show_id)
        if season and not versions.is_curated(season) and not _any(Episode, Episode.season, season):
            Season.delete().where(Season.id == season.id).execute()
        if show is None or _any(Season, Season.show, show):
            return
        if successor is not None and versions.is_new(successor, self._library, self._db.now()):
            self._succeed(show, successor)
        elif not versions.is_curated(show):
            TVShow.delete().where(TVShow.id == show.id).execute()

    def replace(self, show: TVShow, successor: TVShow) -> None:
        """Give a show, whose files are gone, the seasons and episodes of the one that came."""
        for season in list(Season.select().where(Season.show == successor.id)):
            own = Season.get_or_none(
                Season.show == show.id, Season.season_number == season.season_number
            )
            for episode in list(Episode.select().where(Episode.season == season.id)):
                self._replace_episode(show, own or season, episode)
            if own is not None:
                Season.delete().where(Season.id == season.id).execute()
        self._succeed(show, successor)

    def _replace_episode(self, show: TVShow, season: Season, episode: Episode) -> None:
        known = Episode.get_or_none(
            Episode.show == show.id,
            Episode.season_number == episode.season_number,
            Episode.episode_number == episode.episode_number,
        )
        if known is None:
            Episode.update(show=show.id, season=season.id).where(Episode.id == episode.id).execute()
            return
        Episode.delete().where(Episode.id == episode.id).execute()
        Episode.update(
            media_file=episode.media_file_id, episode_number_end=episode.episode_number_end
        ).where(Episode.id == known.id).execute()

    def _succeed(self, show: TVShow, successor: TVShow) -> None:
        """Give a renamed show what was made anew under its new name."""
        for model in (Season, Episode):
            model.update(show=show.id).where(model.show == successor.id).execute()
        TVShow.delete().where(TVShow.id == successor.id).execute()
        changes: dict[str, Any] = {"identity": successor.identity, "library": self._library.id}
        if show.identity == show_identity(show.title, _year(show)):
            changes.update(
                title=successor.title, sort_title=successor.sort_title, year=successor.year
            )
        TVShow.update(**changes, updated_at=self._db.now()).where(TVShow.id == show.id).execute()
        self._works.rename("show", self._library.id, show.work_id, successor.identity)
        self._touched["show"].add(show.id)
        self._touched["episode"].update(
            row.id for row in Episode.select(Episode.id).where(Episode.show == show.id)
        )


def _title(name: EpisodeName) -> str | None:
    """Return an episode's title; what a file of several is called is the title of none."""
    return name.title if len(name.episodes) < 2 else None


def _year(show: TVShow) -> int | None:
    year = str(show.identity).rpartition(":")[2]
    return int(year) if year.isdecimal() else None


def _any(model: Any, field: Any, parent: Any) -> bool:
    return bool(model.select().where(field == parent.id).exists())
