"""Files to transcode, and what came of them."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from viewra_lite import Store
from viewra_lite.media.models import MediaFile
from viewra_lite.transcoding.models import TranscodeCache, TranscodeSession

NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


def add_files(store: Store, folder: Path, count: int) -> list[str]:
    """Make a library of files that have been looked into; return their ids."""
    folder.mkdir(parents=True)
    library = store.media.add_library("Movies", folder, "movie")
    ids = [f"file-{number}" for number in range(count)]
    with store.writer():
        MediaFile.insert_many(
            [
                {
                    "id": id,
                    "library": library.id,
                    "path": str(folder / f"{id}.mkv"),
                    "filename": f"{id}.mkv",
                    "size": 1000,
                    "modified_ns": 7,
                    "fingerprint": f"content {number}",
                    "status": "present",
                    "probe_state": "done",
                    "created_at": NOON,
                    "updated_at": NOON,
                }
                for number, id in enumerate(ids)
            ]
        ).execute()
    return ids


def made(store: Store, file_id: str, output: Path, profile: Any = None, size: int = 100) -> Any:
    """Let a worker make something of a file, and return its entry of the cache."""
    session = store.transcoding.request(file_id, profile or {})
    store.transcoding.claim_next("maker")
    output.write_bytes(b"x")
    done = store.transcoding.complete(session.id, output_path=output, file_size=size)
    assert done.status == "completed"
    return entries(store)[done.content_hash]


def entries(store: Store) -> dict[str, Any]:
    """Return the cache's entries by content hash, without counting a use of them."""
    with store.reader():
        return {entry.content_hash: entry for entry in TranscodeCache.select()}


def count_sessions(store: Store) -> int:
    """Return how many sessions there are, ended ones included."""
    with store.reader():
        return int(TranscodeSession.select().count())
