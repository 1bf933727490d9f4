"""The events module as the store attaches it: listeners and the feed of changes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ..database.checks import checked_limit, checked_moment, refused, unknown_name
from ..database.orm.fields import with_paths, with_stored_paths
from ..database.pages import Page, cursor_of, start_after
from ..database.transactions.events import Event
from ..errors import ConflictError, InvalidValueError, shown
from ..module import Module
from . import queries
from .catalogue import EVENTS, PATHS
from .models import MODELS, Change

KEPT = timedelta(days=30)
_CURSOR = "changes"
_BATCH = 500  # changes deleted per transaction
_NOW = "now"


class EventsModule(Module):
    """Changes of the last 30 days, for listeners and for programs that were away."""

    name = "events"
    models = MODELS
    migrations = "viewra_lite.events.migrations"

    def on(self, event: str, listener: Callable[..., Any]) -> Callable[[], None]:
        """Call listener after each event of this name, and return a function that ends it."""
        if event not in EVENTS:
            raise unknown_name("a store", event, EVENTS)
        if not callable(listener):
            raise refused("listener", "a function", listener)
        names = _names_of(listener, event)

        def call(facts: Mapping[str, Any]) -> None:
            listener(**{name: facts[name] for name in names})

        self.db.events.listen(event, call)
        return lambda: self.db.events.ignore(event, call)

    def changes(self, since: str | None, limit: int) -> Page[Change]:
        """Return the changes after a cursor, oldest first, with the cursor for the next call."""
        count = checked_limit(limit)
        with self.db.reader():
            last = self._start(since)
            changes: list[Change] = self.db.all(queries.changes_after, last.id, count)
        last = changes[-1] if changes else last
        for change in changes:
            change.facts = with_paths(change.facts, PATHS)
        return Page(changes, cursor_of(_CURSOR, (str(last.id), last.created_at)))

    def write(self, events: Sequence[Event]) -> None:
        """Store events in the open writer, as its last statement."""
        now = self.db.now()
        rows = [(event.name, with_stored_paths(event.facts, PATHS), now) for event in events]
        queries.insert_changes.run(self.db, rows)

    def tidy(self, now: datetime) -> None:
        """Delete the changes of more than 30 days ago, batch by batch. Raises InvalidValueError.

        The newest of them stays, so that ids ascend and the cursor after it remains valid.
        """
        limit = checked_moment("now", now) - KEPT
        while True:
            oldest = self.db.all(queries.oldest_changes, _BATCH + 1)
            old = [id for id, created_at in oldest if created_at < limit]
            if len(old) < 2:
                return
            self.db.run(queries.delete_changes_before, old[-1])

    def _start(self, since: str | None) -> Change:
        """Return the change of a cursor; raises InvalidValueError, ConflictError."""
        if since == _NOW:
            newest: Change | None = self.db.one(queries.newest_change)
            return newest or _BEGINNING
        key = start_after(since, _CURSOR, int, datetime, argument="since")
        if key is None or key == [_BEGINNING.id, _BEGINNING.created_at]:
            return _BEGINNING
        change: Change | None = self.db.one(queries.change_by_id, key[0])
        if change is None or change.created_at != key[1]:
            raise ConflictError(
                "the changes after this cursor are not all in the store: they are kept for "
                f"{KEPT.days} days, or a backup was restored. Read what you need as a whole, and "
                'continue with since="now"'
            )
        return change


_BEGINNING = Change(id=0, event="", facts={}, created_at=datetime(1970, 1, 1, tzinfo=timezone.utc))


def _names_of(listener: Callable[..., Any], event: str) -> Sequence[str]:
    """Return the facts that a listener takes; raises InvalidValueError for one that is unknown."""
    known = EVENTS[event]
    try:
        parameters = inspect.signature(listener).parameters.values()
    except (TypeError, ValueError):  # a built-in function
        raise refused("listener", "a function whose arguments have names", listener) from None
    named = [one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    for one in parameters:
        is_filled = one.default is not one.empty or one.kind in (
            one.VAR_KEYWORD,
            one.VAR_POSITIONAL,
        )
        if not is_filled and (one not in named or one.name not in known):
            raise InvalidValueError(
                f"{event} has no {shown(one.name)} for a listener: it has {', '.join(known)}"
            )
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return known
    return [one.name for one in named if one.name in known]
