"""Backups compressed by zstd: read back, named when damaged, and usable where zstd is missing."""

from __future__ import annotations

import hashlib
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.rows import add, ids
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.database.backups.compression import unpack
from viewra_lite.errors import BackupError, StoreFullError


@pytest.fixture
def without_zstd(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A call after which zstd is not installed."""

    def remove() -> None:
        for name in ("compression.zstd", "backports.zstd"):
            monkeypatch.setitem(sys.modules, name, None)

    return remove


@pytest.fixture
def url(tmp_path: Path, clock: Clock) -> str:
    """The URL of a closed store with one library."""
    url = f"sqlite:///{tmp_path / 'viewra.db'}"
    with Store.open(url, clock=clock) as store:
        add(store, "a")
    return url


def created(url: str, clock: Clock, path: Path | None = None) -> Any:
    with Store.open(url, clock=clock) as store:
        return store.backups.create(path)


def test_where_zstd_is_installed_a_backup_is_smaller_and_as_good(
    url: str, clock: Clock, tmp_path: Path
) -> None:
    backup = created(url, clock)
    data = Path(backup.path).read_bytes()
    assert backup.path.endswith(".db.zst") and data[:4] == b"\x28\xb5\x2f\xfd"
    assert (backup.sha256, backup.size) == (hashlib.sha256(data).hexdigest(), len(data))
    plain = created(url, clock, tmp_path / "plain.db")
    assert backup.size < plain.size / 4 and backup.counts == plain.counts
    assert not plain.path.endswith(".zst") and Path(plain.path).read_bytes()[:6] == b"SQLite"
    assert os.stat(backup.path).st_mode & 0o077 == 0
    assert sorted(path.name for path in Path(backup.path).parent.iterdir()) == [
        Path(backup.path).name,
        Path(backup.path).name + ".json",
    ]
    for one in (backup, plain):
        Store.restore(url, one.path, clock=clock)
        with Store.open(url, clock=clock) as store:
            assert ids(store) == ["a"] and store.backups.verify(one.path).counts == backup.counts
        clock.advance(1)


def test_a_path_that_ends_in_zst_is_compressed(url: str, clock: Clock, tmp_path: Path) -> None:
    backup = created(url, clock, tmp_path / "usb" / "mine.zst")
    assert sorted(path.name for path in tmp_path.joinpath("usb").iterdir()) == [
        "mine.zst",
        "mine.zst.json",
    ]
    os.rename(backup.path, tmp_path / "renamed")
    Store.restore(url, tmp_path / "renamed", clock=clock)


def test_without_zstd_backups_are_plain(url: str, clock: Clock, without_zstd: Any) -> None:
    without_zstd()
    backup = created(url, clock)
    assert backup.path.endswith(".db")
    assert Store.restore(url, clock=clock).backup.sha256 == backup.sha256


def test_without_zstd_a_compressed_one_names_the_package(
    url: str, clock: Clock, without_zstd: Any, tmp_path: Path
) -> None:
    path = created(url, clock).path
    without_zstd()
    for use in (
        lambda: Store.restore(url, clock=clock),
        lambda: created(url, clock, tmp_path / "x.zst"),
    ):
        with pytest.raises(BackupError, match="pip install backports.zstd"):
            use()
    with Store.open(url, clock=clock) as store:
        assert [one.path for one in store.backups.list()] == [path]
    Path(url.removeprefix("sqlite:///")).write_bytes(bytes(100))
    recovered = Store.recover(url, clock=clock)
    assert recovered.backup is None and "pip install backports.zstd" in recovered.findings[0]


@pytest.mark.parametrize("manifest", [True, False])
def test_a_damaged_or_truncated_one_is_named(
    url: str, clock: Clock, tmp_path: Path, manifest: bool
) -> None:
    backup = created(url, clock)
    path = Path(backup.path)
    sound = path.read_bytes()
    if not manifest:
        path.with_name(path.name + ".json").unlink()
    with Store.open(url, clock=clock) as store:
        for seed in range(tries(20, 1000)):
            chance = random.Random(seed)
            data = bytearray(sound)
            if seed % 2:
                del data[chance.randrange(len(data)) :]
            else:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
            with pytest.raises(BackupError) as caught:
                store.backups.verify()
            assert str(path) in str(caught.value), seed
        path.write_bytes(sound)
        assert store.backups.verify().counts == backup.counts
    assert {one.name for one in tmp_path.iterdir()} == {"viewra.db", "viewra.db-lock", "backups"}


def test_room_for_the_unpacked_file_is_looked_for_first(
    url: str, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(created(url, clock).path)

    class Full:
        f_files = f_favail = f_blocks = 1000
        f_bavail = f_frsize = 1

    monkeypatch.setattr("os.statvfs", lambda folder: Full)
    with pytest.raises(StoreFullError, match="it has 1 bytes free"):
        unpack(path, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()
