"""Join two rows of a library that turn out to be one film or one show.

The older row stays. It gets the files of the other, its texts where the older has none, and its
watch state: their works are merged.
"""

from __future__ import annotations

from typing import Any, TypeVar

from ...database.transactions.database import Database
from .. import queries
from ..files import versions
from ..files.works import Works
from ..identities import movie_identity, show_identity
from ..models import Episode, MediaExtra, MediaLibrary, Movie, Season, TVShow
from . import events, matching, sources
from .cleared import cleared, known

_OWN = (
    "id",
    "library",
    "identity",
    "work",
    "media_file",
    "show",
    "season",
    "created_at",
    "updated_at",
    "cleared",
    "sources",
)
_FILLS_GAPS = sources.Speaker(lambda: False)
_IDENTITIES = {Movie: movie_identity, TVShow: show_identity}
_KINDS = {Movie: "movie", TVShow: "show"}
_Row = TypeVar("_Row", Movie, TVShow)


class Joining:
    """Joins rows of one library, inside one writer."""

    def __init__(
        self, db: Database, library: MediaLibrary, works: Works, dirty_ids: dict[str, set[str]]
    ) -> None:
        self._db = db
        self._library = library
        self._works = works
        self._dirty_ids = dirty_ids

    def joined(self, rows: list[_Row]) -> _Row | None:
        """Return the row that is left of some that are one, the oldest first; None of none."""
        for row in rows[1:]:
            model, id = type(row), rows[0].id
            self._join(model.get_by_id(id), row)
            rows[0] = model.get_by_id(id)
        return rows[0] if rows else None

    def _join(self, kept: _Row, gone: _Row) -> None:
        model = type(kept)
        self._works.merge(gone.work_id, kept.work_id)
        if isinstance(kept, TVShow) and isinstance(gone, TVShow):
            self._join_seasons(kept, gone)
        of_extras = MediaExtra.movie if model is Movie else MediaExtra.show
        MediaExtra.update({of_extras: kept.id}).where(of_extras == gone.id).execute()
        events.delete(self._db, [gone])
        self._fill(kept, gone)
        if known(kept, "year") is None and gone.year is not None:
            model.update(identity=gone.identity).where(model.id == kept.id).execute()
            self._works.rename(_KINDS[model], self._library.id, kept.work_id, gone.identity)
        model.update(updated_at=self._db.now()).where(model.id == kept.id).execute()
        self._dirty_ids[_KINDS[model]].add(kept.id)

    def _join_seasons(self, kept: TVShow, gone: TVShow) -> None:
        for season in list(Season.select().where(Season.show == gone.id)):
            own = Season.get_or_none(
                Season.show == kept.id, Season.season_number == season.season_number
            )
            for episode in list(Episode.select().where(Episode.season == season.id)):
                self._join_episode(kept, own or season, episode)
            if own is None:
                Season.update(show=kept.id).where(Season.id == season.id).execute()
            else:
                Season.delete().where(Season.id == season.id).execute()
                self._fill(own, season)

    def _join_episode(self, show: TVShow, season: Season, episode: Episode) -> None:
        own = Episode.get_or_none(matching.same_episode(show, episode))
        if own is None:
            Episode.update(show=show.id, season=season.id).where(Episode.id == episode.id).execute()
        else:
            events.delete(self._db, [episode])
            self._fill(own, episode)
        self._dirty_ids["episode"].add(episode.id if own is None else own.id)

    def _fill(self, kept: Any, gone: Any) -> None:
        """Give a row what it lacks and the other has: columns, the better file, a chosen title."""
        model = type(kept)
        before, of_gone = sources.sources_of(kept), sources.sources_of(gone)
        changes = sources.changes(kept, sources.read_of(gone), _FILLS_GAPS)
        after = changes.get("sources", before)
        for name in model._meta.fields:
            if name in _OWN or name in changes or getattr(gone, name) is None:
                continue
            if _lacks(kept, name):
                changes[name] = getattr(gone, name)
                if name in of_gone:
                    after = {**after, name: of_gone[name]}
        if model in _IDENTITIES and _is_retitled(gone) and not _is_retitled(kept):
            changes.update(title=gone.title, sort_title=gone.sort_title)
        if model is not TVShow and model is not Season and self._is_better(gone, kept):
            changes["media_file"] = gone.media_file_id
            if model is Episode:
                changes["episode_number_end"] = gone.episode_number_end
        lost = {name: value for name, value in cleared(gone).items() if known(kept, name) is None}
        if lost:
            changes["cleared"] = {**cleared(kept), **lost}
        if after != before:
            changes["sources"] = after
        if changes:
            model.update(**changes).where(model.id == kept.id).execute()

    def _is_better(self, gone: Movie | Episode, kept: Movie | Episode) -> bool:
        if gone.media_file_id is None:
            return False
        file = self._db.one(queries.file_by_id, gone.media_file_id)
        return versions.is_better(self._db, file, kept.media_file_id)


def _lacks(row: object, name: str) -> bool:
    value = known(row, name)
    return value is None or (name == "status" and value == "unknown")


def _is_retitled(row: Movie | TVShow) -> bool:
    """Whether a person has given a film or a show another title than its files have."""
    title = _IDENTITIES[type(row)](row.title, None)
    return not str(row.identity).startswith(title)
