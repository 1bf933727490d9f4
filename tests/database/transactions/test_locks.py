"""Locks between processes: who shares them, and when they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import running_python
from viewra_lite import Store, errors

needs_proc = pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="needs /proc to find descriptors"
)


def lock_descriptors(folder: Path) -> list[int]:
    """Return this process's descriptors of files in a folder."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith(f"{folder}{os.sep}"):
            found.append(int(name))
    return found


@contextmanager
def child_with(descriptors: list[int]) -> Iterator[None]:
    """Run a program that has copies of descriptors, as between fork and exec for a moment."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=descriptors,
    )
    try:
        yield
    finally:
        child.communicate()


@needs_proc
def test_a_lock_ends_with_its_holder_though_a_child_has_its_descriptor(tmp_path: Path) -> None:
    """As when the host starts ffmpeg in one thread while a scan ends in another."""
    folder = tmp_path / "films"
    folder.mkdir()
    locks = tmp_path / "viewra.db-lock"
    with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
        library = store.media.add_library("Films", str(folder), "movie")
        with store.media.reconcile(library.id):
            held = lock_descriptors(locks)
            child = child_with(held)
            child.__enter__()
        try:
            assert held
            for _ in range(3):
                store.media.scan(library.id)
            store.media.remove_library(library.id)
        finally:
            child.__exit__(None, None, None)


@needs_proc
def test_a_lock_that_is_no_scans_ends_so(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
        held = store.media.db.exclusive("migrate")
        held.__enter__()
        with child_with(lock_descriptors(tmp_path / "viewra.db-lock")):
            held.__exit__(None, None, None)
            with store.media.db.exclusive("migrate"):
                pass


@needs_proc
def test_no_program_that_is_started_inherits_a_lock(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
        with store.media.db.exclusive("scan-x"):
            held = lock_descriptors(tmp_path / "viewra.db-lock")
            assert len(held) == 2  # and that the store is open
            assert not any(map(os.get_inheritable, held))


HOLD = """
import sys
from viewra_lite import Store

with Store.open(sys.argv[1]) as store:
    with store.media.reconcile(store.media.libraries()[0].id):
        print("held", flush=True)
        sys.stdin.readline()
"""


@pytest.mark.parametrize("is_folder", [False, True])
def test_who_opens_a_link_meets_the_locks_of_who_opens_its_target(
    tmp_path: Path, is_folder: bool
) -> None:
    (tmp_path / "data").mkdir()
    target = tmp_path / "data" / "viewra.db"
    with Store.open(f"sqlite:///{target}") as store:
        (tmp_path / "films").mkdir()
        id = store.media.add_library("Films", str(tmp_path / "films"), "movie").id
    if is_folder:
        (tmp_path / "linked").symlink_to("data", target_is_directory=True)
        link = tmp_path / "linked" / "viewra.db"
    else:
        link = tmp_path / "library.db"
        link.symlink_to(target)
    for here, there in ((link, target), (target, link)):
        with running_python("-c", HOLD, f"sqlite:///{there}") as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with Store.open(f"sqlite:///{here}") as store:
                with pytest.raises(errors.ConflictError, match="is being scanned"):
                    store.media.scan(id)
    assert sorted(path.name for path in tmp_path.glob("*-lock")) == []


def test_the_session_of_a_server_that_opened_a_link_lives_on(
    tmp_path: Path, sqlite_template: Path
) -> None:
    shutil.copytree(sqlite_template, tmp_path / "data")
    link = tmp_path / "library.db"
    link.symlink_to(tmp_path / "data" / "viewra.db")
    with running_python("-c", PLAY, f"sqlite:///{link}") as server:
        assert server.stdout is not None
        id = server.stdout.readline().strip()
        with Store.open(f"sqlite:///{tmp_path}/data/viewra.db") as store:
            store.playback.tidy(store.media.db.now())
            assert store.playback.session(id).state == "starting"


PLAY = """
import sys
from viewra_lite import FileFacts, Store

with Store.open(sys.argv[1]) as store:
    library = store.media.add_library("Films", sys.argv[1].rpartition("/")[0][10:], "movie")
    with store.media.reconcile(library.id) as files:
        files.add(FileFacts(library.path + "/Heat.mkv", 1, 1))
    [file] = store.media.files(library.id).items
    print(store.playback.start_session(file.id, user_id="ann", duration=7200).id, flush=True)
    sys.stdin.readline()
"""


def test_a_lock_that_was_let_go_can_be_taken_at_once(db: Any) -> None:
    for _ in range(100):
        with db.exclusive("scan"):
            pass


def test_a_link_to_nothing_is_refused_as_before(tmp_path: Path) -> None:
    (tmp_path / "viewra.db").symlink_to(tmp_path / "away" / "viewra.db")
    with pytest.raises(errors.StoreUnavailableError, match="which does not exist"):
        Store.open(f"sqlite:///{tmp_path}/viewra.db")


def test_a_durable_write_through_a_link_is_synced(tmp_path: Path) -> None:
    """The log lies beside the target, too."""
    (tmp_path / "data").mkdir()
    target = tmp_path / "data" / "viewra.db"
    Store.open(f"sqlite:///{target}").close()
    (tmp_path / "library.db").symlink_to(target)
    with Store.open(f"sqlite:///{tmp_path}/library.db") as store:
        with store.media.db.writer(durable=True):
            pass
        assert (tmp_path / "data" / "viewra.db-wal").exists()
        backend: Any = store.media.db.backend
        assert backend._wal is None or backend._wal.takes_commits()
