"""A store with one of everything, and the arguments that its verbs take."""

from __future__ import annotations

import inspect
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from viewra_lite import FileFacts, Store
from viewra_lite.media.module import MediaModule
from viewra_lite.playback.module import PlaybackModule
from viewra_lite.transcoding.module import TranscodingModule

NOT_VERBS = {"attach", "detach", "recover"}
ROOMS = {"media": MediaModule, "playback": PlaybackModule, "transcoding": TranscodingModule}


class Home:
    """A store with one of everything, and what a verb may rightly be called with."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        folder.mkdir()
        library = store.media.add_library("m", folder, "movie").id
        with store.media.reconcile(library) as files:
            files.add(FileFacts(str(folder / "Film (1999).mkv"), 100, 5, fingerprint="f"))
        file = store.media.files(library).items[0].id
        now = datetime(2024, 5, 1, tzinfo=timezone.utc)
        self.right: dict[str, Any] = {
            "library_id": library,
            "media_file_id": file,
            "user_id": "ann",
            "show_id": store.media.save_show(library, title="S").id,
            "title": "D",
            "show": "S",
            "album_id": store.media.save_album(library, title="A").id,
            "path": folder,
            "name": "m",
            "type": "movie",
            "position": 1.0,
            "profile": {"height": 720},
            "provider": "w",
            "progress": 0.5,
            "output_path": folder / "o",
            "file_size": 5,
            "max_bytes": 10**12,
            "error_message": "e",
            "now": now,
            "older_than": now,
            "played_at": now,
            "media_file_ids": [file],
            "text": "d",
            "season_number": 1,
            "episode_number": 1,
            "movie_id": store.media.save_movie(library, title="D", media_file_id=file).id,
        }

    def arguments(self, verb: Any, target: str, value: Any) -> dict[str, Any]:
        given = {
            name: self.right.get(name, "x")
            for name, parameter in inspect.signature(verb).parameters.items()
            if parameter.default is parameter.empty and parameter.kind != parameter.VAR_KEYWORD
        }
        if "session_id" in given:
            playback = self.store.playback
            given["session_id"] = playback.start_session(
                self.right["media_file_id"], user_id="ann", duration=3600
            ).id
        return {**given, target: value}
