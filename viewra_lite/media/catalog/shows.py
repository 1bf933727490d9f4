"""Shows, seasons and episodes of the catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...database.transactions.database import Database
from .. import identities, queries
from ..files import versions
from ..files.works import Works
from ..identities import show_identity
from ..models import Episode, MediaFile, MediaLibrary, Season, TVShow
from ..names.facts import EpisodeIds, EpisodeName, SeasonEpisodes
from . import events, matching, sources
from .cleared import known
from .joining import Joining
from .sources import Known, Read, Speaker


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
        own = self._db.all(queries.episodes_of_file, file.id)
        seasons = _numbers(own, name)
        placed: list[str] = []
        if seasons:
            show = self._show(file, name)
            left: list[Episode] = []
            for part, (season_number, numbers) in zip(_by_season(name), seasons):
                season = self._season(file, show, season_number, part)
                placed += [
                    self._episode(file, part, show, season, number, numbers[-1], left)
                    for number in numbers
                ]
            for episode in left:
                self._drop_empty(episode, show)
            rows = Episode.select(Episode.work).where(Episode.id.in_(placed))
            self._works.link(file.id, {row.work_id: 0 for row in rows})
        else:
            works = self._works.of_identity(name.identity)
            self._works.link(file.id, works)
            if name.season == 0 and _title(name):
                placed = [self._special(file, name, next(iter(works)))]
        if own:
            self.leave(file, placed)

    def leave(self, file: MediaFile, placed: list[str]) -> None:
        """Take a file out of all episodes but these.

        They get another version; one without is deleted, unless it is curated.
        """
        for episode in self._db.all(queries.episodes_of_file, file.id):
            if episode.id in placed:
                continue
            other = versions.other_version(self._db, episode, file)
            if other is not None or sources.is_curated(episode):
                Episode.update(media_file=other and other.id).where(
                    Episode.id == episode.id
                ).execute()
            else:
                events.delete(self._db, [episode])
                self._drop_empty(episode, None)

    # Inside

    def _show(self, file: MediaFile, name: EpisodeName) -> TVShow:
        rows, identity = matching.shows_of(self._db, self._library, file, name)
        found = self._joining.joined(rows)
        if found is None:
            return self._new_show(name, identity)
        show: TVShow = found
        speaker = Speaker(
            lambda: matching.names_show(self._library, show, file),
            lambda: matching.other_paths(self._library, show, file),
        )
        changes = sources.changes(show, _read_show(name), speaker, _implied(show))
        year = changes.get("year", known(show, "year"))
        if not changes.keys().isdisjoint(("title", "year")) and year == name.show_year:
            changes["identity"] = show.identity = identity
            self._works.rename("show", self._library.id, show.work_id, identity)
        self._update(show, changes)
        return show

    def _update(self, show: TVShow, changes: dict[str, Any]) -> None:
        if not changes.keys() <= {"sources"}:
            changes["updated_at"] = self._db.now()
            self._dirty_ids["show"].add(show.id)
        if changes:
            TVShow.update(**changes).where(TVShow.id == show.id).execute()

    def _new_show(self, name: EpisodeName, identity: str) -> TVShow:
        now = self._db.now()
        show = TVShow.create(
            id=self._db.new_id(),
            library=self._library.id,
            identity=identity,
            work=self._works.of_new_row(
                "show", self._library.id, identity, show_identity(name.show, None)
            ),
            status="unknown",
            created_at=now,
            updated_at=now,
            **sources.of_new_row(TVShow, _read_show(name)),
        )
        self._dirty_ids["show"].add(show.id)
        return show

    def _season(self, file: MediaFile, show: TVShow, number: int, name: EpisodeName) -> Season:
        season = Season.get_or_none(Season.show == show.id, Season.season_number == number)
        if season is None:
            season = Season.create(id=self._db.new_id(), show=show.id, season_number=number)
        if any(name.season_ids) or season.sources:
            speaker = Speaker(others=lambda: matching.other_paths(self._library, show, file))
            changes = sources.changes(season, {sources.NAME: name.season_ids._asdict()}, speaker)
            if changes:
                Season.update(**changes).where(Season.id == season.id).execute()
        return season

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
        self._read_episode(episode, file, name, number, end)
        return str(episode.id)

    def _special(self, file: MediaFile, name: EpisodeName, work: str) -> str:
        """Place a special that only its title identifies: "Christmas Special", "OVA 2"."""
        show = self._show(file, name)
        season = self._season(file, show, 0, name)
        special = Episode.get_or_none(Episode.show == show.id, Episode.work == work)
        if special is None:
            return self._new_episode(file, name, season, None, None, work)
        self._read_episode(special, file, name, None, None)
        return str(special.id)

    def _read_episode(
        self,
        episode: Episode,
        file: MediaFile,
        name: EpisodeName,
        number: int | None,
        end: int | None,
    ) -> None:
        """Give a known episode what a file says of it; the best file decides."""
        best = sources.best_file(self._db, episode, file)
        is_best = best == file.id
        changes: dict[str, Any] = {} if best == episode.media_file_id else {"media_file": best}
        speaker = Speaker(lambda: is_best, lambda: versions.other_paths(self._db, episode, file))
        changes.update(sources.changes(episode, _read(name, number), speaker))
        if "title" in changes:
            self._dirty_ids["episode"].add(episode.id)
        if is_best and episode.episode_number_end != end:
            changes["episode_number_end"] = end
        if changes:
            Episode.update(**changes).where(Episode.id == episode.id).execute()
        if not changes.keys() <= {"media_file", "sources"}:
            events.updated(self._db, "episode", [episode.id])

    def _new_episode(
        self,
        file: MediaFile,
        name: EpisodeName,
        season: Season,
        number: int | None,
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
            **sources.of_new_row(Episode, _read(name, number)),
        )
        events.added(self._db, episode)
        self._dirty_ids["episode"].add(episode.id)
        return str(episode.id)

    def _drop_empty(self, episode: Episode, new_show: TVShow | None) -> None:
        """Delete the season and the show that an episode has left, if they are empty.

        A show that all episodes left for new_show, which this scan inserted, was renamed: it
        stays.
        """
        season = Season.get_or_none(Season.id == episode.season_id)
        show = TVShow.get_or_none(TVShow.id == episode.show_id)
        if season and not sources.is_curated(season) and not _any(Episode, Episode.season, season):
            Season.delete().where(Season.id == season.id).execute()
        if show is None or _any(Season, Season.show, show):
            return
        if new_show is not None and versions.is_new(new_show, self._library, self._db.now()):
            self._merge_renamed(show, new_show)
        elif not sources.is_curated(show):
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
        known = Episode.get_or_none(matching.same_episode(show, episode))
        if known is None:
            Episode.update(show=show.id, season=season.id).where(Episode.id == episode.id).execute()
            return
        events.delete(self._db, [episode])
        Episode.update(
            media_file=episode.media_file_id, episode_number_end=episode.episode_number_end
        ).where(Episode.id == known.id).execute()

    def _merge_renamed(self, show: TVShow, new_show: TVShow) -> None:
        """Merge the row under a show's new name into the show, which is renamed."""
        for model in (Season, Episode):
            model.update(show=show.id).where(model.show == new_show.id).execute()
        TVShow.delete().where(TVShow.id == new_show.id).execute()
        changes = sources.changes(show, sources.read_of(new_show), implied=_implied(show))
        identity = str(new_show.identity)
        if identity.startswith(f"{show.identity}#"):
            identity = str(show.identity)  # needs no mark to be distinguished from itself
        changes.update(identity=identity, library=self._library.id)
        self._update(show, changes)
        self._works.merge(new_show.work_id, show.work_id)
        self._works.rename("show", self._library.id, show.work_id, identity)
        self._dirty_ids["episode"].update(
            row.id for row in Episode.select(Episode.id).where(Episode.show == show.id)
        )


def _numbers(own: list[Episode], name: EpisodeName) -> tuple[SeasonEpisodes, ...]:
    """Return a file's episodes by season, or the numbers that a person gave its only episode."""
    seasons = identities.numbers(name)
    if sum(len(some.episodes) for some in seasons) < 2:
        for episode in own:
            number = episode.episode_number
            known = sources.sources_of(episode).get("episode_number")
            if number is not None and known == Known(sources.PERSON, number):
                return (SeasonEpisodes(episode.season_number, (number,)),)
    return seasons


def _by_season(name: EpisodeName) -> list[EpisodeName]:
    """Split the name of a file with several seasons: its ids are those of the first one."""
    if not name.later:
        return [name]
    rest = [
        EpisodeName(
            name.show,
            name.show_year,
            season,
            episodes,
            tvdb_id=name.tvdb_id,
            tmdb_id=name.tmdb_id,
            imdb_id=name.imdb_id,
        )
        for season, episodes in name.later
    ]
    return [replace(name, title=None, later=()), *rest]


def _read_show(name: EpisodeName) -> Read:
    """Return what the name of a file says of its show."""
    return {
        sources.NAME: {
            "title": name.show,
            "year": name.show_year,
            "tmdb_id": name.tmdb_id,
            "tvdb_id": name.tvdb_id,
            "imdb_id": name.imdb_id,
        }
    }


def _read(name: EpisodeName, number: int | None) -> Read:
    """Return what the name of a file says of its episode, or of each of several."""
    is_first = number is None or number == identities.numbers(name)[0].episodes[0]
    ids = name.episode_ids if is_first else EpisodeIds()
    return {
        sources.NAME: {
            "title": _title(name),
            "absolute_number": _absolute(name, number),
            "air_date": name.air_date,
            **ids._asdict(),
        }
    }


def _implied(show: TVShow) -> tuple[str, ...]:
    """Return the columns that are those of a show's name, unless a person has changed them."""
    is_named = show.identity == show_identity(show.title, _year(show))
    return ("title", "year") if is_named else ()


def _title(name: EpisodeName) -> str | None:
    """Return an episode's title; the name of a file of several episodes titles none of them."""
    if name.series is not None:
        return name.title or " ".join([name.series, *map(str, name.episodes)])
    return name.title if len(name.episodes) < 2 else None


def _absolute(name: EpisodeName, number: int | None) -> int | None:
    """Return the absolute number of one episode of a file that may hold several."""
    if name.absolute is None or number is None:
        return None
    first = name.episodes[0] if name.episodes else name.absolute
    return name.absolute + number - first


def _year(show: TVShow) -> int | None:
    year = str(show.identity).rpartition(":")[2]
    return int(year) if year.isdecimal() else None


def _any(model: Any, field: Any, parent: Any) -> bool:
    return bool(model.select().where(field == parent.id).exists())
