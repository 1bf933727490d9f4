"""Django's ORM, without the rest of Django: bulk_create, models, select_related."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import django
from django.conf import settings

from . import rows
from .contender import BATCH, PAGE, WRITER_PRAGMAS, Contender
from .tables import FACTS, TABLES, key_of

settings.configure(
    USE_TZ=True,
    INSTALLED_APPS=[],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "init_command": ";".join(
                    f"PRAGMA {name}={value}" for name, value in WRITER_PRAGMAS.items()
                ),
            },
        }
    },
)
django.setup()

from django.db import connections, models, transaction  # noqa: E402  (needs the settings)

_FIELDS: dict[str, Any] = {
    "text": models.TextField,
    "integer": models.BigIntegerField,
    "real": models.FloatField,
    "boolean": models.BooleanField,
    "moment": models.DateTimeField,
    "date": models.DateField,
    "json": models.JSONField,
}


def _model(name: str, table: str, references: dict[str, Any]) -> Any:
    key = key_of(table)
    meta = type("Meta", (), {"managed": False, "db_table": table, "app_label": "benchmarks"})
    fields: dict[str, Any] = {"Meta": meta, "__module__": __name__}
    if len(key) > 1:
        fields["pk"] = models.CompositePrimaryKey(*key)
    for column, (kind, null) in TABLES[table].items():
        if column in references:
            fields[column.removesuffix("_id")] = models.ForeignKey(
                references[column], models.SET_NULL, null=null, related_name="+"
            )
        else:
            fields[column] = _FIELDS[kind](null=null, primary_key=key == (column,))
    return type(name, (models.Model,), fields)


File = _model("File", "media_files", {})
Movie = _model("Movie", "movies", {"media_file_id": File})
Session = _model("Session", "playback_sessions", {})
Progress = _model("Progress", "user_media_progress", {})
Play = _model("Play", "playback_history", {})


class Django(Contender):
    """Django's ORM on a connection for each thread, with a lock for all writers."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        settings.DATABASES["default"]["NAME"] = path
        self._lock = threading.Lock()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, transaction.atomic():
            yield

    def close(self) -> None:
        connections.close_all()

    def leave_thread(self) -> None:
        connections.close_all()

    # Scanning

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        return [dict(zip(FACTS, fact)) for fact in facts]

    def scan(self, library_id: str, taken: Any) -> None:
        self._write_files(library_id, taken, {})

    def rescan(self, library_id: str, taken: Any) -> None:
        self._write_files(
            library_id,
            taken,
            {
                "update_conflicts": True,
                "unique_fields": ["library_id", "path"],
                "update_fields": [*FACTS[1:], "updated_at", "status"],
            },
        )

    def _write_files(self, library_id: str, taken: Any, options: dict[str, Any]) -> None:
        for start in range(0, len(taken), BATCH):
            now = datetime.now(timezone.utc)
            batch = [
                File(
                    **fact,
                    id=rows.new_id(),
                    library_id=library_id,
                    filename=fact["path"].rpartition("/")[2],
                    created_at=now,
                    updated_at=now,
                    status="present",
                    probe_state="pending",
                )
                for fact in taken[start : start + BATCH]
            ]
            with self._writing():
                File.objects.bulk_create(batch, **options)

    # Reading

    def file(self, id: str) -> Any:
        return File.objects.get(pk=id)

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        return list(
            Movie.objects.select_related("media_file")
            .filter(library_id=library_id)
            .order_by("sort_title", "id")[:limit]
        )

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        return list(Play.objects.filter(user_id=user_id).order_by("-played_at", "-id")[:limit])

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        last = ""
        while page := list(
            File.objects.filter(library_id=library_id, path__gt=last).order_by("path")[:PAGE]
        ):
            last = page[-1].path
            yield page

    # Playing

    def heartbeat(self, session_id: str, position: float) -> None:
        with self._writing():
            session = Session.objects.get(pk=session_id)
            now = datetime.now(timezone.utc)
            passed = (now - (session.reported_at or session.start_time)).total_seconds()
            watched = session.watched + min(max(position - session.position, 0.0), passed)
            self._put(
                session.user_id, session.media_file_id, position, session.duration, now, session_id
            )
            Session.objects.filter(pk=session_id).update(
                state="playing",
                position=position,
                last_activity=now,
                reported_at=now,
                watched=watched,
            )

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        with self._writing():
            file = File.objects.get(pk=file_id)
            now = datetime.now(timezone.utc)
            self._put(user_id, file_id, position, file.duration, now, None)

    def _put(
        self,
        user_id: str,
        file_id: str,
        position: float,
        duration: float,
        now: datetime,
        session_id: str | None,
    ) -> None:
        same = Progress.objects.filter(user_id=user_id, media_file_id=file_id)
        known = same.first()
        changes = {
            "position": position,
            "duration": duration,
            "updated_at": now,
            "reported_at": now,
            "session_id": session_id,
            "previous": known.previous if known else rows.FIRST_STATE,
        }
        if known is not None:
            same.update(**changes)
        else:
            Progress.objects.create(
                user_id=user_id,
                media_file_id=file_id,
                completed=False,
                play_count=0,
                dropped=False,
                marked=False,
                **changes,
            )

    # For the checks

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        return {name: getattr(item, name) for name in TABLES[table]}

    def file_of(self, movie: Any) -> Any:
        return movie.media_file
