"""The queries of marks: builders that run nothing."""

from __future__ import annotations

from typing import Any

from ...database.orm.statements import Statement
from ...media.models import Episode, Movie, Season, TVShow


def _row_by_id(model: Any) -> Statement:
    return Statement(lambda id: model.select().where(model.id == id))


movie_by_id, episode_by_id, season_by_id, show_by_id = map(
    _row_by_id, (Movie, Episode, Season, TVShow)
)
