"""Streams and chapters of probed files, written for the files of a batch together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ...database.transactions.database import Database
from ..models import MediaStream
from . import queries


class Streams:
    """Replaces the streams and chapters of probed files, inside one writer; finish() writes them.

    Subtitle files beside a file stay, and are numbered after the streams inside it.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._inside: dict[str, Sequence[Sequence[Any]]] = {}
        self._chapters: list[tuple[Any, ...]] = []

    def replace(
        self, file_id: str, streams: Sequence[Sequence[Any]], chapters: Sequence[Sequence[Any]]
    ) -> None:
        """Give a file the streams and chapters that its probe has found."""
        self._inside[file_id] = streams
        self._chapters += [(file_id, n, *chapter) for n, chapter in enumerate(chapters)]

    def finish(self) -> None:
        """Write them."""
        ids = list(self._inside)
        if not ids:
            return
        beside: dict[str, list[MediaStream]] = defaultdict(list)
        for stream in self._db.all(queries.streams_beside, ids):
            beside[stream.media_file_id].append(stream)
        self._db.run(queries.delete_streams, ids)
        self._db.run(queries.delete_chapters, ids)
        rows = [(id, *stream, None) for id, streams in self._inside.items() for stream in streams]
        for id, some in beside.items():
            first = 1 + max((stream[0] for stream in self._inside[id]), default=-1)
            rows += [_renumbered(stream, first + n) for n, stream in enumerate(some)]
        queries.insert_streams.run(self._db, rows)
        queries.insert_chapters.run(self._db, self._chapters)
        self._inside, self._chapters = {}, []


def _renumbered(stream: MediaStream, number: int) -> tuple[Any, ...]:
    kept = [getattr(stream, name) for name in queries.STREAM_COLUMNS[1:]]
    return (stream.media_file_id, number, *kept)
