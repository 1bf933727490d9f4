"""plugin.storage is a mapping of JSON values with limits and a time to live."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.clock import Clock
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.plugins import Plugin
from viewra_lite.plugins.storage import Storage


STORAGES: dict[str, Storage] = {}


class One(Plugin):
    id = "one"

    def check(self) -> None:
        STORAGES[self.id] = self.storage


class Two(One):
    id = "two"


def storage_of(store: Store, kind: type[Plugin]) -> Storage:
    store.plugins.register(kind)
    store.plugins.enable(kind.id)
    return STORAGES[kind.id]


@pytest.fixture
def storage(store: Store) -> Storage:
    return storage_of(store, One)


def test_it_is_a_mapping_of_its_own_plugin(store: Store, storage: Storage) -> None:
    other = storage_of(store, Two)
    storage["b"], storage["a"], other["a"] = {"x": [1, None, "ä"]}, None, 5
    assert storage == {"a": None, "b": {"x": [1, None, "ä"]}}
    assert list(storage) == ["a", "b"] and len(storage) == 2 and "a" in storage
    storage["a"] = 7
    del storage["b"]
    assert dict(storage) == {"a": 7} and dict(other) == {"a": 5}
    for missing in ("b", 5):
        with pytest.raises(KeyError):
            storage[missing]  # type: ignore[index]
    with pytest.raises(KeyError):
        del storage["b"]
    assert storage.get("b", 1) == 1 and storage.setdefault("c", 2) == 2 and storage.pop("c") == 2
    storage.clear()
    assert not storage and other["a"] == 5


def test_keys_are_found_by_their_prefix(storage: Storage) -> None:
    for key in ("a:1", "a:2", "a%", "b", "A:3", "ä"):
        storage[key] = 1
    assert list(storage.keys("a:")) == ["a:1", "a:2"]
    assert list(storage.keys("a%")) == ["a%"]
    assert list(storage.keys()) == sorted(["a:1", "a:2", "a%", "b", "A:3", "ä"])


def test_a_value_with_a_time_to_live_is_gone_after_it(
    store: Store, storage: Storage, clock: Clock
) -> None:
    storage.set("token", "t", ttl=60)
    storage["kept"] = 1
    clock.advance(59)
    assert storage["token"] == "t"
    clock.advance(1)
    assert "token" not in storage and list(storage) == ["kept"]
    storage["token"] = "new"
    clock.advance(1000)
    assert storage["token"] == "new"
    storage.set("old", 1, ttl=1)
    clock.advance(2)
    storage["kept"] = 2
    [usage] = store.plugins.usage()
    assert usage.storage_keys == 2  # the row of an old value is removed by the next write


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("", 1, "1 to 256 bytes"),
        ("ä" * 129, 1, "1 to 256 bytes"),
        ("a\0", 1, "NUL"),
        (5, 1, "text"),
        ("a", "x" * 65535, "65536 are the most"),
        ("a", "ä" * 40000, "65536 are the most"),
        ("a", {1, 2}, "not a JSON value"),
        ("a", float("inf"), "not a JSON value"),
        ("a", "\0", "NUL"),
        ("a", "\udc80", "surrogates"),
    ],
)
def test_what_does_not_fit_is_refused(storage: Storage, key: Any, value: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        storage[key] = value
    assert not storage
    with pytest.raises(InvalidValueError, match="ttl"):
        storage.set("a", 1, ttl=-1)


def test_one_mebibyte_is_the_most_in_all(store: Store, storage: Storage) -> None:
    block = "x" * (64 * 1024 - 2)
    for number in range(15):
        storage[f"{number:02}"] = block
    with pytest.raises(InvalidValueError, match="use a table"):
        storage["16"] = block
    storage["00"] = block  # in place of the one before
    [usage] = store.plugins.usage()
    assert (usage.storage_keys, usage.storage_bytes) == (15, 15 * (64 * 1024 + 2))
    del storage["00"]
    storage["16"] = block
    storage_of(store, Two)["16"] = block


def test_it_is_part_of_an_open_transaction(store: Store, storage: Storage) -> None:
    with pytest.raises(ZeroDivisionError), store.writer():
        storage["a"] = 1
        raise ZeroDivisionError
    assert not storage


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(-1e15, 1e15)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(value=_JSON)
def test_any_json_value_comes_back(storage: Storage, value: Any) -> None:
    storage["a"] = value
    assert storage["a"] == value
