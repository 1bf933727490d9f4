"""Shows, seasons and episodes of the catalog."""

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
from .cleared import known
from .joining import Joining


class Shows:
    """The shows of one library, inside one writer."""

    def __init__(
        self,
        db: Database,
        library: MediaLibrary,
        works: Works,
        joining: Joining,
        dirty_ids: dict[str, set[str]],
    ) -> None:
        self._db = db
        self._library = library
        self._works = works
        self._joining = joining
        self._dirty_ids = dirty_ids

    def place(self, file: MediaFile, name: EpisodeName) -> None:
        """Link a file to its episodes, inserting them if needed, and to no others."""
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
        """Take a file out of all episodes but these.

        They get another version; one without is deleted, unless it is curated.
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
        rows, identity = matching.shows_of(self._library, file, name)
        show: TVShow | None = self._joining.joined(rows)
        if show is None:
            return self._new_show(name, identity)
        if known(show, "year") is None and name.show_year is not None:
            self._give_year(show, name.show_year, identity)
        matching.learn_ids(show, name)
        return show

    def _give_year(self, show: TVShow, year: int, identity: str) -> None:
        TVShow.update(year=year, identity=identity).where(TVShow.id == show.id).execute()
        self._works.rename("show", self._library.id, show.work_id, identity)
        show.year, show.identity = year, identity
        self._dirty_ids["show"].add(show.id)

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
        self._dirty_ids["show"].add(show.id)
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
            self._dirty_ids["episode"].add(episode.id)
            left.append(episode)
        elif versions.is_better(self._db, file, episode.media_file_id):
            Episode.update(media_file=file.id, episode_number_end=end).where(
                Episode.id == episode.id
            ).execute()
        self._fill_title(episode, name)
        return str(episode.id)

    def _fill_title(self, episode: Episode, name: EpisodeName) -> None:
        """Set the title of an episode that has none."""
        title = _title(name)
        if known(episode, "title") is None and title is not None:
            Episode.update(title=title).where(Episode.id == episode.id).execute()
            self._dirty_ids["episode"].add(episode.id)

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
            absolute_number=_absolute(name, number),
            title=_title(name),
            air_date=name.air_date,
        )
        self._dirty_ids["episode"].add(episode.id)
        return str(episode.id)

    def _drop_empty(self, episode: Episode, new_show: TVShow | None) -> None:
        """Delete the season and the show that an episode has left, if they are empty.

        A show that all episodes left for new_show, which this scan inserted, was renamed: it
        stays.
        """
        season = Season.get_or_none(Season.id == episode.season_id)
        show = TVShow.get_or_none(TVShow.id == episode.show_id)
        if season and not versions.is_curated(season) and not _any(Episode, Episode.season, season):
            Season.delete().where(Season.id == season.id).execute()
        if show is None or _any(Season, Season.show, show):
            return
        if new_show is not None and versions.is_new(new_show, self._library, self._db.now()):
            self._merge_renamed(show, new_show)
        elif not versions.is_curated(show):
            TVShow.delete().where(TVShow.id == show.id).execute()

    def replace(self, show: TVShow, new_show: TVShow) -> None:
        """Move the seasons and episodes of a new show to the show that it replaces."""
        for season in list(Season.select().where(Season.show == new_show.id)):
            own = Season.get_or_none(
                Season.show == show.id, Season.season_number == season.season_number
            )
            for episode in list(Episode.select().where(Episode.season == season.id)):
                self._replace_episode(show, own or season, episode)
            if own is not None:
                Season.delete().where(Season.id == season.id).execute()
        self._merge_renamed(show, new_show)

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

    def _merge_renamed(self, show: TVShow, new_show: TVShow) -> None:
        """Merge the row under a show's new name into the show, which is renamed."""
        for model in (Season, Episode):
            model.update(show=show.id).where(model.show == new_show.id).execute()
        TVShow.delete().where(TVShow.id == new_show.id).execute()
        changes: dict[str, Any] = {"identity": new_show.identity, "library": self._library.id}
        if show.identity == show_identity(show.title, _year(show)):
            changes.update(title=new_show.title, sort_title=new_show.sort_title, year=new_show.year)
        TVShow.update(**changes, updated_at=self._db.now()).where(TVShow.id == show.id).execute()
        self._works.rename("show", self._library.id, show.work_id, new_show.identity)
        self._dirty_ids["show"].add(show.id)
        self._dirty_ids["episode"].update(
            row.id for row in Episode.select(Episode.id).where(Episode.show == show.id)
        )


def _title(name: EpisodeName) -> str | None:
    """Return an episode's title; the name of a file of several episodes titles none of them."""
    return name.title if len(name.episodes) < 2 else None


def _absolute(name: EpisodeName, number: int) -> int | None:
    """Return the absolute number of one episode of a file that may hold several."""
    if name.absolute is None:
        return None
    first = name.episodes[0] if name.episodes else name.absolute
    return name.absolute + number - first


def _year(show: TVShow) -> int | None:
    year = str(show.identity).rpartition(":")[2]
    return int(year) if year.isdecimal() else None


def _any(model: Any, field: Any, parent: Any) -> bool:
    return bool(model.select().where(field == parent.id).exists())
