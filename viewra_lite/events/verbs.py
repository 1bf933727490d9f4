"""The verbs of a store for events and the feed of changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..database.pages import Page
    from ..database.transactions.database import Database
    from .models import Change
    from .module import EventsModule


class EventVerbs:
    """The part of Store that listens to events and reads the feed; imports the module when used."""

    _db: Database

    def _attach(self, name: str) -> Any:
        raise NotImplementedError

    @property
    def _events(self) -> EventsModule:
        module: EventsModule = self._attach("events")
        return module

    def after_commit(self, action: Callable[[], Any]) -> None:
        """Call action after the outermost writer has committed, and never after a rollback.

        Outside a writer it is called at once. Raises InvalidValueError if action cannot be called,
        and TransactionError in another asyncio task than the writer's.
        """
        self._db.after_commit(action)

    def on(self, event: str, listener: Callable[..., Any]) -> Callable[[], None]:
        """Call listener after each event of this name, and return a function that ends it.

        It is called in the thread that committed, in the order of its commits, with the facts that
        its arguments name. Events of other processes do not arrive: see changes(). An error of a
        listener is logged, and the others are called. Raises InvalidValueError, which names the
        known events or facts.

            store.on("movie.added", lambda movie_id: print(store.media.movie(movie_id).title))
        """
        stop: Callable[[], None] = self._events.on(event, listener)
        return stop

    def changes(self, since: str | None = None, limit: int = 100) -> Page[Change]:
        """Return what happened in any process after a cursor, oldest first, at most limit (1000).

        since is the `next` of an earlier page, which is never None, "now", or None for all that
        is kept: 30 days. Raises InvalidValueError, ConflictError if changes after the cursor are
        gone, StoreBusyError, StoreClosedError, StoreUnavailableError and CorruptStoreError.

            page = store.changes()
            while page.items:
                page = store.changes(page.next)
        """
        page: Page[Change] = self._events.changes(since, limit)
        return page
