"""viewra_lite through its public surface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from viewra_lite import FileFacts, Store
from viewra_lite.media import queries

from . import rows
from .contender import PAGE, Contender
from .tables import names
from .template import config


class Ours(Contender):
    """The store, with every option at its default."""

    options: dict[str, str] = {}

    def __init__(self, path: str) -> None:
        super().__init__(path)
        given = config(path)
        given["database"].update(self.options)
        self.store = Store.open(given)

    def close(self) -> None:
        self.store.close()

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        return [FileFacts(*fact) for fact in facts]

    def scan(self, library_id: str, taken: Any) -> None:
        with self.store.media.reconcile(library_id) as files:
            for facts in taken:
                files.add(facts)
        assert files.result.added == len(taken), files.result

    def rescan(self, library_id: str, taken: Any) -> None:
        with self.store.media.reconcile(library_id) as files:
            for facts in taken:
                files.add(facts)
        assert files.result.unchanged == len(taken), files.result

    def file(self, id: str) -> Any:
        # The row alone, as the others read it: media.file(id) brings streams and chapters, too.
        return self.store.media.db.one(queries.file_by_id, id)

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        return self.store.media.movies(library_id=library_id, limit=limit).items

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        return self.store.playback.history(user_id, limit=limit).items

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        after = None
        while True:
            page = self.store.media.files(library_id, limit=PAGE, after=after)
            yield page.items
            after = page.next
            if after is None:
                return

    def sessions(self, numbers: Sequence[int]) -> list[str]:
        return [
            self.store.playback.start_session(
                rows.number_id("file", number), user_id=f"viewer-{number}", duration=1_000_000.0
            ).id
            for number in numbers
        ]

    def heartbeat(self, session_id: str, position: float) -> None:
        self.store.playback.heartbeat(session_id, position)

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        self.store.playback.set_progress(user_id, file_id, position)

    def mark_watched(self, user_id: str, file_id: str) -> None:
        """Mark a file as watched, on disk before it returns."""
        self.store.playback.mark_watched(user_id, file_id)

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        return {name: getattr(item, name) for name in names(table)}

    def file_of(self, movie: Any) -> Any:
        return movie.media_file


class OursCysqlite(Ours):
    """The store on cysqlite."""

    options = {"driver": "cysqlite"}

    def selected(self, sql: str, *params: Any) -> list[Any]:
        # Never sqlite3 here: a second SQLite library on the file would break the store's locks.
        import cysqlite

        connection = cysqlite.connect(self.path, row_factory=cysqlite.Row)
        try:
            return list(connection.execute(sql, params))
        finally:
            connection.close()
