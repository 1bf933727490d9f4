"""Applying: what plugins answer becomes values of movies, shows and music.

An answer whose applied_at is NULL has not been merged yet. All answers about a row are merged each
time, so the result depends neither on the order in which they came nor on what was merged before.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...database.transactions.database import Database
from ...database.transactions.slices import in_slices
from ...media.catalog import answered
from ...media.catalog.answered import Said
from ...media.models import Episode, Track
from . import merge_queries as queries
from .merge_queries import Answer
from .merging import Candidate, Order, merged, ranked

_BATCH = 50  # files that are read at once; each is a transaction of its own, or several one
_SUBJECTS = ("movie", "episode", "track")
_OF_EPISODES = ("show", "season", "episode")
_PARENTS = {"episode": ("season", "show"), "track": ("album",)}

Row = tuple[str, str]
"""Kind and id."""


class Applying:
    """Merges the answers of plugins into the catalog."""

    def __init__(self, db: Database, plugin_order: str) -> None:
        self._db = db
        self._order = Order(plugin_order)

    def apply(self) -> int:
        """Merge all answers that are not merged yet; return about how many files they are."""
        count = 0
        while True:
            ids = dict.fromkeys(id for (id,) in self._db.all(queries.unapplied, _BATCH))
            if not ids:
                return count
            in_slices(self._db, (partial(self._apply_to, id) for id in ids))
            count += len(ids)

    def merge(self, kind: str, id: str) -> bool:
        """Merge all answers about a row, inside a writer; return whether that changed a value."""
        model = answered.MODELS[kind]
        row = model.get_or_none(model.id == id)
        if row is None:
            return False
        said = {
            name: Said(str(some[0].plugin), merged(name, some))
            for name, some in self.candidates(kind, row).items()
        }
        left = answered.take(self._db, kind, row, said)
        if left is not None and left != id:  # it was joined with another row, whose files it has
            self.merge(kind, left)
        return left is not None

    def candidates(self, kind: str, row: Any) -> dict[str, list[Candidate]]:
        """Return what plugins say of the fields of a row, the one that decides first."""
        answers: list[Answer] = self._db.all(queries.ANSWERS[kind], row.id)
        found: dict[str, list[Candidate]] = {}
        fields = answered.fields_of(kind)
        for answer, facts in self._facts(kind, row.id, answers):
            for name in fields:
                if facts.get(name) is not None:
                    one = Candidate(
                        "plugin",
                        answer.plugin_id,
                        facts[name],
                        answer.confidence,
                        answer.answered_at,
                    )
                    found.setdefault(name, []).append(one)
        return {name: ranked(name, some, self._order) for name, some in found.items()}

    def rows_of(self, file_id: str) -> list[Row]:
        """Return the movies, episodes and tracks of a file, with what these belong to."""
        rows: list[Row] = [("movie", id) for (id,) in self._db.all(queries.movies_of, file_id)]
        episodes = self._db.all(queries.episodes_of, [file_id])
        rows += [("episode", one.episode_id) for one in episodes]
        rows += [("track", id) for (id,) in self._db.all(queries.tracks_of, file_id)]
        parents: dict[Row, None] = {}
        for kind, id in rows:
            for parent in _PARENTS.get(kind, ()):
                row = answered.MODELS[kind].get_by_id(id)
                parents[parent, getattr(row, f"{parent}_id")] = None
        return [*rows, *parents]

    # Inside

    def _apply_to(self, file_id: str) -> None:
        self._db.run(queries.was_applied, self._db.now(), file_id)
        changed = [self.merge(kind, id) for kind, id in self.rows_of(file_id)]
        if any(changed):
            self._db.events.record("metadata.applied", media_file_id=file_id)

    def _facts(
        self, kind: str, id: str, answers: list[Answer]
    ) -> Iterator[tuple[Answer, dict[str, Any]]]:
        """Yield the answers about a row, each with its facts about it; those about others not."""
        of_files = self._episodes_of(answers) if kind in _OF_EPISODES else {}
        tracks = [one.id for one in Track.select(Track.id).where(Track.album == id)]
        subjects = {"album": tracks}.get(kind, [id])
        for answer in answers:
            episodes = of_files.get(answer.media_file_id, [])
            if self._is_about_another(kind, answer, episodes or subjects):
                continue
            facts: Any
            if kind == "episode":
                facts = _of_episode(answer.facts, episodes.index(id))
            else:
                facts = answer.facts if kind in _SUBJECTS else answer.facts.get(kind)
            if isinstance(facts, dict):
                yield answer, facts

    def _is_about_another(self, kind: str, answer: Answer, subjects: list[str]) -> bool:
        """Whether an answer is about a row that its file had before, and that is still there."""
        if answer.subject_id is None or answer.subject_id in subjects:
            return False
        model = (
            Episode
            if kind in _OF_EPISODES
            else answered.MODELS["track" if kind == "album" else kind]
        )
        return bool(model.select().where(model.id == answer.subject_id).exists())

    def _episodes_of(self, answers: list[Answer]) -> dict[str, list[str]]:
        files = list({one.media_file_id for one in answers})
        found: dict[str, list[str]] = {}
        for file_id, episode_id in self._db.all(queries.episodes_of, files):
            found.setdefault(file_id, []).append(episode_id)
        return found


def _of_episode(facts: dict[str, Any], place: int) -> dict[str, Any]:
    """Return the facts about one of the episodes of a file; the others are about the first."""
    of_all = facts.get("episodes") or []
    own = of_all[place] if place < len(of_all) else {}
    return {**facts, **own} if place == 0 else own
