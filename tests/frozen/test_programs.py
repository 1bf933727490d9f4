"""Other programs that a frozen program starts do not load the libraries that it brings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from viewra_lite import PostgresConfig
from viewra_lite.database.postgres.backup import run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")


@pytest.mark.parametrize(
    ("is_frozen", "before", "seen"),
    [
        (False, None, "/packed\n"),
        (True, None, "none\n"),
        (True, "/usr/local/lib", "/usr/local/lib\n"),
    ],
)
def test_a_program_of_postgres_sees_the_library_path_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_frozen: bool, before: str | None, seen: str
) -> None:
    script = tmp_path / "pg_dump"
    script.write_text('#!/bin/sh\necho "${LD_LIBRARY_PATH-none}" > "$SEEN"\n')
    script.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("LD_LIBRARY_PATH", "/packed")
    if before is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    if is_frozen:
        monkeypatch.setattr(sys, "_MEIPASS", "/packed", raising=False)
    run(PostgresConfig(database="viewra"), "pg_dump")
    assert (tmp_path / "seen").read_text() == seen
