"""How much a plugin may keep: its tables, and its storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Films, started
from tests.support.configured import configured
from tests.support.guest import Guest, Note, guest_of
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError, PluginError

MIB = 1 << 20


@pytest.fixture
def store(store_config: Any) -> Iterator[Store]:
    """A store with small limits."""
    config = configured(store_config, plugin_quota_mib=1, plugin_storage_kib=2)
    with Store.open(config) as opened:
        yield opened


@pytest.fixture
def guest(store: Store, tmp_path: Path) -> Iterator[Guest]:
    with guest_of(store, tmp_path) as plugin:
        yield plugin


def usage(store: Store, id: str = "guest") -> Any:
    [found] = [one for one in store.plugins.usage() if one.id == id]
    return found


def fill(guest: Guest, mark: str) -> None:
    """Add about 100 KiB, with its index, of what PostgreSQL cannot compress."""
    import random

    letters = random.Random(mark)
    with guest.writing():
        for number in range(25):
            text = "".join(letters.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=1500))
            Note.create(text=f"{mark} {number} {text}")


def test_a_block_that_would_take_more_than_the_quota_is_rolled_back(
    store: Store, guest: Guest
) -> None:
    done = 0
    with pytest.raises(
        PluginError, match="guest would take 1.. MiB, and 1 MiB are the most"
    ) as error:
        for done in range(20):
            fill(guest, f"mark{done}")
    assert "plugin_quota_mib" in error.value.remedy
    assert 2 <= done < 19
    found = usage(store)
    assert found.tables["plugin_guest_note"] == 1 + 25 * done
    # On PostgreSQL what was rolled back takes space until it vacuums.
    assert MIB / 2 < found.bytes <= MIB * (1 if store.engine == "sqlite" else 1.5)
    with pytest.raises(PluginError, match="1 MiB are the most"):
        fill(guest, "again")
    with guest.writing():  # above it, rows can still be removed
        assert Note.delete().execute() == 1 + 25 * done
    if store.engine == "sqlite":  # PostgreSQL frees space when it vacuums
        fill(guest, "later")


def test_blocks_add_up_to_the_quota(store: Store, guest: Guest) -> None:
    with pytest.raises(PluginError, match="1 MiB are the most"):
        for number in range(500):
            with guest.writing():
                Note.insert_many([{"text": f"{number} {n} {n:01000d}"} for n in range(9)]).execute()
    assert MIB / 2 < usage(store).bytes < 1.1 * MIB


def test_zero_is_no_limit(store_config: Any, tmp_path: Path) -> None:
    config = configured(store_config, plugin_quota_mib=0)
    with Store.open(config) as store, guest_of(store, tmp_path) as guest:
        fill(guest, "one")
        assert usage(store).bytes > 50_000


def test_the_storage_has_a_limit_of_its_own(store: Store, guest: Guest) -> None:
    guest.storage["a"] = "x" * 1500
    with pytest.raises(InvalidValueError, match="plugin_storage_kib"):
        guest.storage["b"] = "x" * 1500
    assert usage(store).storage_bytes == 1503


def test_usage_has_the_bytes_of_tables_and_answers(store: Store, tmp_path: Path) -> None:
    plugin = started(store)
    Films(store, tmp_path / "films").film("Dune.mkv")
    before = usage(store, "asker")
    assert (before.bytes, before.answers, before.answer_bytes) == (0, 0, 0)
    [item] = plugin.todo("movie")
    plugin.answer(item, {"title": "Dune"})
    after = usage(store, "asker")
    assert after.answers == 1 and 15 <= after.answer_bytes <= 20
    assert store.plugins.uninstall("asker", purge=True, dry_run=True) == after
