"""The feed of changes, held against the tables."""

from __future__ import annotations

from typing import Any

from viewra_lite import Store
from viewra_lite.events.catalogue import EVENTS
from viewra_lite.media.models import Episode, MediaFile, Movie, Track

_MODELS: dict[str, Any] = {"file": MediaFile, "movie": Movie, "episode": Episode, "track": Track}
_IDS = {"file": "media_file_id", "movie": "movie_id", "episode": "episode_id", "track": "track_id"}


def assert_feed_is_whole(store: Store) -> None:
    """Replay the feed: what was added and not removed must be the rows that there are."""
    live: dict[str, set[str]] = {kind: set() for kind in _MODELS}
    page = store.changes(limit=1000)
    while page.items:
        for change in page.items:
            assert sorted(change.facts) == sorted(EVENTS[change.event])
            kind, _, what = change.event.partition(".")
            if kind not in _MODELS:
                continue
            id = change.facts[_IDS[kind]]
            assert (id in live[kind]) == (what != "added"), f"{change.event} of {id}"
            if what == "added":
                live[kind].add(id)
            elif what == "removed":
                live[kind].remove(id)
        page = store.changes(page.next, limit=1000)
    with store.reader():
        rows = {kind: {row.id for row in model.select(model.id)} for kind, model in _MODELS.items()}
    assert live == rows
