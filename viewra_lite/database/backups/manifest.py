"""Backup: the facts of one, and the manifest beside its file that stores them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ...errors import BackupError
from ..files import why_unreadable

KINDS = ("manual", "daily", "upgrade")
SUFFIX = ".json"  # of a manifest, after the name of the backup


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup of a store: a file that needs no other one, and what was counted in it."""

    path: str
    created_at: datetime
    """Aware, UTC; of a backup without a manifest the time of its file."""
    size: int
    """Bytes of the file."""
    engine: str
    """sqlite or postgres."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Rows by table; empty if the backup was never checked."""
    schema: Mapping[str, str] = field(default_factory=dict)
    """The last migration of each module."""
    sha256: str = ""
    """Of the file, hexadecimal."""
    verified: bool = False
    """Whether it was read back, checked and counted after it had been written."""
    kind: str = "manual"
    """manual, daily, or upgrade: created before one."""
    findings: tuple[str, ...] = ()
    """What its owner should look at, although the backup itself is sound."""


def manifest_of(path: Path) -> Path:
    """Return the path of a backup's manifest."""
    return path.with_name(path.name + SUFFIX)


def to_json(backup: Backup) -> str:
    """Return the text of a manifest."""
    facts = {**asdict(backup), "created_at": backup.created_at.isoformat()}
    del facts["path"]  # the file may be moved, together with its manifest
    return json.dumps(facts, indent=1) + "\n"


def read(path: Path) -> Backup:
    """Return what the manifest says of a backup, or the little that the file itself says.

    Raises BackupError if the file does not exist.
    """
    try:
        facts = os.stat(path)
    except OSError as exc:
        raise BackupError(f"{path} cannot be read: {why_unreadable(exc)}") from exc
    bare = Backup(
        path=str(path),
        created_at=datetime.fromtimestamp(facts.st_mtime, timezone.utc),
        size=facts.st_size,
        engine="postgres" if path.suffix == ".dump" else "sqlite",
    )
    try:
        said = json.loads(manifest_of(path).read_bytes())
        return _filled(bare, said)
    except (OSError, ValueError, TypeError, KeyError):
        return bare  # without a manifest, or with a damaged one, the file has to be checked


def _filled(bare: Backup, said: Any) -> Backup:
    known = {one.name for one in fields(Backup)} - {"path"}
    values = {name: said[name] for name in known}
    created = datetime.fromisoformat(values["created_at"]).astimezone(timezone.utc)
    backup = replace(
        bare, **{**values, "created_at": created, "findings": tuple(values["findings"])}
    )
    texts = (backup.engine, backup.sha256, backup.kind, *backup.schema.values())
    if not (all(isinstance(text, str) for text in texts) and backup.kind in KINDS):
        raise ValueError("not a manifest")
    if not all(isinstance(number, int) for number in (backup.size, *backup.counts.values())):
        raise ValueError("not a manifest")
    return backup
