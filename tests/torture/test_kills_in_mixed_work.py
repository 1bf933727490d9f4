"""kill -9 at any moment of mixed work: no acknowledged write is lost, and the file is sound."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.support.forks import forks_of
from tests.support.torture import tries

pytestmark = pytest.mark.timeout(tries(120, 1800))

MOMENTS = tries(8, 200)
WRITES = tries(400, 100_000)


def test_no_acknowledged_write_is_lost_to_a_kill(tmp_path: Path) -> None:
    pytest.importorskip("cysqlite")
    path, acknowledged = tmp_path / "viewra.db", tmp_path / "acknowledged"
    acknowledged.write_text("")
    seed = random.Random(5)
    total = kills = 0
    lines: list[str] = []
    with forks_of("tests.torture.work") as forks:
        assert forks.call("make", str(path)).code == 0
        while kills < MOMENTS or total < WRITES:
            after = seed.randint(WRITES // MOMENTS // 2, WRITES // MOMENTS * 2)
            driver = ("sqlite3", "cysqlite")[kills % 2]
            ended = forks.call(
                "work", str(path), str(acknowledged), kills, driver, kill_after=after
            )
            assert ended.code == -9, ended.out[-3000:]
            found, *new = ended.out.splitlines(keepends=True)
            assert json.loads(found) == []
            new = [line.rstrip("\n") for line in new if line.endswith("\n")]
            assert not [line for line in new if line[:6] not in KINDS], new[:20]
            kills, total = kills + 1, total + len(new)
            lines = newest([*lines, *new])
            acknowledged.write_text("\n".join(lines), encoding="utf-8")
        ended = forks.call("work", str(path), str(acknowledged), kills, "sqlite3", kill_after=1)
        assert json.loads(ended.out.splitlines()[0]) == []
    print(f"{kills} kills, {total} acknowledged writes: 0 lost, 0 integrity failures")


KINDS = {"sessio", "progre", "movie ", "pair a", "pair b", "pair c", "watche"}


def newest(lines: list[str]) -> list[str]:
    """Return the last line of each thing: an older position says nothing more."""
    found = {}
    for line in lines:
        kind, *words = line.split(" ")
        found[(kind, *(words[:-1] if len(words) > 1 and kind != "watched" else words))] = line
    return list(found.values())
