"""Announcements between rooms, and locks whose name is never used again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import running_python
from tests.support.rows import add, ids
from viewra_lite import Module, Store, errors
from viewra_lite.database.transactions.database import Database


def test_a_listener_hears_inside_the_transaction(store: Store, db: Database) -> None:
    db.subscribe("library_named", lambda id: add(store, f"{id}-heard"))
    with pytest.raises(ZeroDivisionError):
        with store.writer():
            db.emit("library_named", "lost")
            raise ZeroDivisionError
    with store.writer():
        db.emit("library_named", "kept")
        db.emit("nobody_listens", 1, 2)
    assert ids(store) == ["kept-heard"]


def test_what_a_listener_raises_ends_the_transaction(store: Store, db: Database) -> None:
    def refuse(id: str) -> None:
        raise errors.ConflictError(f"{id} is refused")

    db.subscribe("library_named", refuse)
    with pytest.raises(errors.ConflictError, match="one is refused"):
        with store.writer():
            add(store, "one")
            db.emit("library_named", "one")
    assert ids(store) == []


FORK = """
import os, sys
from viewra_lite import Store

with Store.open(sys.argv[1]) as store:
    with store.media.db.exclusive("of-a-parent"):
        child = os.fork()
        if not child:
            sys.exit()  # an ordinary end, with everything that Python tidies up at one
        os.waitpid(child, 0)
        child = os.fork()
        if not child:
            sys.stdin.readline()  # outlives its parent
            os._exit(0)
        print("held", flush=True)
        sys.stdin.readline()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_a_lock_is_its_holders_alone_and_no_forked_childs(
    store_config: Any, tmp_path: Path
) -> None:
    url = store_config if isinstance(store_config, str) else f"sqlite:///{tmp_path}/viewra.db"
    with running_python("-c", FORK, url) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "held\n"
        with Store.open(store_config) as store:
            with pytest.raises(errors.StoreBusyError):
                store.media.db.exclusive("of-a-parent").__enter__()
            os.kill(parent.pid, signal.SIGKILL)
            parent.wait()
            with store.media.db.exclusive("of-a-parent", wait_s=60.0):
                pass


class Noting(Module):
    """Notes when it is recovered and detached."""

    name = "noting"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def recover(self) -> None:
        assert self.db.backend.engine
        self.seen.append("recover")

    def detach(self) -> None:
        self.seen.append("detach")


def test_a_module_recovers_once_per_open_and_is_detached_at_the_end(store_config: Any) -> None:
    module = Noting()
    with Store.open(store_config, modules=[module]):
        assert module.seen == ["recover"]
    assert module.seen == ["recover", "detach"]


def test_a_look_without_migrating_recovers_nothing(store_config: Any) -> None:
    Store.open(store_config).close()
    module = Noting()
    with Store.open(store_config, modules=[module], migrate=False):
        assert module.seen == []
