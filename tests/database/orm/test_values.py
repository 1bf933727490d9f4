"""Paths, times, JSON and ids as text."""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.clock import Clock
from viewra_lite.database.ids import Ids
from viewra_lite.database.orm.fields import dumps, os_path, stored_path, timestamp_text
from viewra_lite.errors import InvalidValueError

paths = st.one_of(
    st.binary(max_size=12).map(os.fsdecode),
    st.lists(
        st.sampled_from(
            [
                "a",
                "/",
                "é",
                "\U0010ff7f",
                "\U0010ff80",
                "\U0010ffff",
                "\udc80",
                "\udcff",
                "\udcc3",
                "\udca9",
                "\udcf4",
                "\udc8f",
                "\udcbf",
            ]
        ),
        max_size=6,
    )
    .map("".join)
    .map(os.fsencode)
    .map(os.fsdecode),
)
moments = st.datetimes(
    datetime(2, 1, 1),
    datetime(9998, 1, 1),
    timezones=st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone),
)


@given(paths)
@example("/films/Amélie (2001).mkv")
def test_a_path_comes_back_and_its_text_can_be_stored_anywhere(path):
    text = stored_path(path)
    assert os_path(text) == path
    text.encode()
    assert path.isascii() <= (text == path)


@given(paths, paths)
def test_two_paths_never_share_a_text(one, other):
    assert (stored_path(one) == stored_path(other)) == (one == other)


@given(paths, paths)
def test_a_folder_is_a_prefix_of_what_lies_in_it(folder, name):
    assert stored_path(f"{folder}/{name}").startswith(stored_path(folder) + "/")


def test_bytes_that_are_utf8_together_have_one_text_only():
    assert stored_path("\udcc3\udca9") == "é"
    with pytest.raises(InvalidValueError):
        stored_path("\udc80\ud800")


@given(moments)
def test_a_moment_comes_back_as_utc(moment):
    text = timestamp_text(moment)
    assert datetime.fromisoformat(text) == moment
    assert len(text) == 32 and text.endswith("+00:00")


@given(moments, moments)
def test_texts_sort_as_moments_do(one, other):
    assert (timestamp_text(one) < timestamp_text(other)) == (one < other)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2024, 1, 1),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_a_moment_that_cannot_be_told_in_utc_is_refused(moment):
    with pytest.raises(InvalidValueError):
        timestamp_text(moment)


@given(st.text(st.sampled_from("\\u0\0x"), max_size=8))
def test_json_refuses_nul_and_only_nul(text):
    if "\0" in text:
        with pytest.raises(InvalidValueError):
            dumps({"a": text})
    else:
        assert json.loads(dumps([text])) == [text]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"x"])
def test_json_refuses_what_it_cannot_hold(value):
    with pytest.raises(InvalidValueError):
        dumps([value])


def test_json_refuses_a_loop_and_endless_depth():
    loop: list[object] = []
    loop.append(loop)
    deep: list[object] = []
    for _ in range(200_000):
        deep = [deep]
    for value in (loop, deep):
        with pytest.raises(InvalidValueError):
            dumps(value)


# Ids


def test_ids_are_uuids_of_version_7_with_the_time_of_the_clock():
    clock = Clock()
    new_id = Ids(clock)
    for milliseconds in (0, 1, 123, 999, 86_400_000):
        clock.advance(milliseconds / 1000)
        uuid = UUID(new_id())
        assert (uuid.version, uuid.variant) == (7, RFC_4122)
        moment = datetime.fromtimestamp((uuid.int >> 80) / 1000, timezone.utc)
        assert abs(moment - clock()) < timedelta(milliseconds=1)
        assert str(uuid) == str(uuid).lower() and len(str(uuid)) == 36


def test_ids_are_ordered_even_if_the_clock_stands_or_jumps_back():
    clock = Clock()
    new_id = Ids(clock)
    made = []
    for jump in (0, 0, 0.0005, -3600, 0, 1, 7200, -1e9, 0, 0):
        clock.advance(jump)
        made += [new_id() for _ in range(50)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_before_1970_are_ids_too():
    clock = Clock()
    clock.advance(-3e9)
    new_id = Ids(clock)
    made = [new_id() for _ in range(10)]
    assert made == sorted(set(made)) and all(UUID(id).version == 7 for id in made)


def test_ids_of_threads_are_unique_and_ordered_in_each():
    clock = Clock()
    new_id = Ids(clock)
    made = [[] for _ in range(8)]

    def make(number):
        for n in range(2000):
            made[number].append(new_id())
            if n % 100 == 0:
                clock.advance(0.001 if n % 300 else -0.002)

    threads = [threading.Thread(target=make, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ids == sorted(ids) for ids in made)
    assert len({id for ids in made for id in ids}) == 16_000


def test_ids_of_two_stores_at_the_same_moment_differ():
    clock = Clock()
    assert len({Ids(clock)() for _ in range(1000)}) == 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_makes_ids_of_its_own():
    new_id = Ids(Clock())
    new_id()
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        os.write(writable, " ".join(new_id() for _ in range(50)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    with open(readable) as told:
        os.close(writable)
        assert not {new_id() for _ in range(50)} & set(told.read().split())
