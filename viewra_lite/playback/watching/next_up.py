"""Next up: the next episode of each show that a user follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ...database.checks import checked_limit
from ...database.pages import readable
from ...database.transactions.database import Database
from ...media.models import MediaFile
from ..progress.state import Progress
from ..shared import empty_state
from ..versions import Versions, subjects
from . import queries as watching_queries
from .items import NEVER, WatchItem, recent_files
from .queries import EpisodeCopy

_FEWEST_SHOWS, _MOST_SHOWS = 10, 50  # per chunk


def next_up(db: Database, progress: Progress, user_id: str, limit: int) -> list[WatchItem]:
    """Return the next episode of each show that a user follows, the most recent show first."""
    checked_limit(limit)
    found: list[WatchItem] = []
    seen: set[str] = set()
    with db.reader():
        for ids in recent_files(db, watching_queries.files_recent, user_id):
            shows = [show for show in _shows_of(db, ids) if show.work_id not in seen]
            seen.update(show.work_id for show in shows)
            while shows and len(found) < limit:
                count = min(max(limit - len(found), _FEWEST_SHOWS), _MOST_SHOWS)
                found += _next_of(db, progress, user_id, shows[:count])
                del shows[:count]
            if len(found) >= limit:
                break
    return found[:limit]


@dataclass(slots=True)
class Step:
    """An episode in all libraries, and how often a user has watched it."""

    copies: list[EpisodeCopy] = field(default_factory=list)
    plays: int = 0
    is_seen: bool = False
    is_marked: bool = False
    played_at: datetime = NEVER

    @property
    def files(self) -> set[str]:
        """Return the ids of its files."""
        return {copy.file_id for copy in self.copies if copy.file_id is not None}


@dataclass(slots=True)
class _Show:
    """A show that a user follows, in all libraries."""

    work_id: str
    ids: list[str] = field(default_factory=list)
    """Its rows, first that of the library where it was watched last."""
    steps: dict[tuple[int, int], Step] = field(default_factory=lambda: defaultdict(Step))
    """Its episodes and specials, by season and number."""
    changed: tuple[datetime, bool] = (NEVER, False)
    """The time of its last progress, and whether that was to drop it."""

    def next_step(self) -> Step | None:
        """Return the next episode, or None; None for a dropped show."""
        if self.changed[1]:
            return None
        return next_step([self.steps[key] for key in sorted(self.steps) if key[0] > 0])


def next_step(steps: Sequence[Step]) -> Step | None:
    """Return the episode after the last watched one, of episodes in order, or None.

    When a show is rewatched, it is the first episode that was watched less often. A single
    rewatched episode does not change a user's place.
    """
    watched = [n for n, step in enumerate(steps) if step.plays]
    if not watched:
        return None
    last = _latest(steps, watched)
    plays = steps[last].plays
    if len(watched) < len(steps) and _plays_before(steps, last) < 2:
        plays = 1
        last = _latest(steps, [n for n in watched if steps[n].plays == 1] or watched)
    return next((step for step in steps[last + 1 :] if step.plays < plays), None)


def _latest(steps: Sequence[Step], numbers: list[int]) -> int:
    return max(numbers, key=lambda n: (steps[n].played_at, n))


def _plays_before(steps: Sequence[Step], last: int) -> int:
    """Return how often the episode before was watched, apart from those in the same file."""
    own = steps[last].files
    earlier = (step for step in reversed(steps[:last]) if own.isdisjoint(step.files))
    return next((step.plays for step in earlier), 0)


def _shows_of(db: Database, ids: list[str]) -> list[_Show]:
    """Return the shows that files belong to, in the order of the files."""
    order = {id: n for n, id in enumerate(ids)}
    shows: dict[str, _Show] = {}
    rows = db.all(watching_queries.shows_of_files, ids)
    rows.sort(key=lambda row: (order[row.file_id], not row.is_in_library, row.show_id))
    for row in rows:
        show = shows.setdefault(row.work_id, _Show(row.work_id))
        if row.show_id not in show.ids:
            show.ids.append(row.show_id)
    return list(shows.values())


def _next_of(db: Database, progress: Progress, user_id: str, shows: list[_Show]) -> list[WatchItem]:
    """Return the next episodes of a chunk of shows, in their order."""
    by_work = {show.work_id: show for show in shows}
    _load_episodes(db, by_work)
    _load_plays(db, user_id, by_work)
    steps = [step for show in shows if (step := show.next_step()) is not None]
    ids = {id for step in steps for id in step.files}
    versions = Versions(db, ids, for_list=True)
    found: dict[str, MediaFile] = {}
    for step in steps:
        for copy in step.copies:
            file = versions.playable(copy.file_id) if copy.file_id is not None else None
            if file is not None:
                found[copy.episode_id] = file
                break
    return _items(db, progress, user_id, found) if found else []


def _load_episodes(db: Database, shows: dict[str, _Show]) -> None:
    """Read the episodes of shows."""
    for copy in readable(db, watching_queries.episodes_of_shows, list(shows)):
        shows[copy.work_id].steps[copy.season, copy.number].copies.append(copy)
    for show in shows.values():
        order = {id: n for n, id in enumerate(show.ids)}
        for step in show.steps.values():
            step.copies.sort(key=lambda copy: (order.get(copy.show_id, len(order)), copy.show_id))


def _load_plays(db: Database, user_id: str, shows: dict[str, _Show]) -> None:
    """Read a user's plays of the episodes of shows."""
    # As state_of() merges whole rows: a show may have hundreds, and few columns count.
    for row in readable(db, watching_queries.plays_of_shows, user_id, list(shows)):
        show = shows[row.work_id]
        show.changed = max(show.changed, (row.updated_at, row.dropped))
        if row.completed:
            step = show.steps[row.season, row.number]
            step.is_seen = True
            step.plays += row.play_count
            step.is_marked = step.is_marked or row.marked
            step.played_at = max(step.played_at, row.last_played_at or NEVER)
    for show in shows.values():
        for step in show.steps.values():
            if step.is_seen:
                step.plays = max(step.plays + step.is_marked, 1)


def _items(
    db: Database, progress: Progress, user_id: str, found: dict[str, MediaFile]
) -> list[WatchItem]:
    """Return the entries of episodes, by id, with the files to play."""
    versions = Versions(db, [file.id for file in found.values()], for_list=True)
    known = subjects(db, versions)
    states = progress.of_files(user_id, versions.requested, versions, for_list=True)
    rows = readable(db, watching_queries.episodes_by_ids, list(found))
    episodes = {row.id: row for row in rows}
    items = []
    for episode_id, file in found.items():
        if episode_id not in episodes:
            continue  # it cannot be read
        episode, state = episodes[episode_id], states.get(file.id) or empty_state(user_id, file.id)
        progress.complete(state, is_music=versions.is_music(file.id), file=file)
        items.append(
            WatchItem(
                "episode", known[file.id].title, file, state, episode=episode, show=episode.show
            )
        )
    return items
