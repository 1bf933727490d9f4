"""The fast path of reports gives what the long way gives, whatever was reported before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.support.clock import Clock
from tests.support.playing import add_files, plays, progress_rows, sessions
from viewra_lite import Store
from viewra_lite.errors import ViewraError
from viewra_lite.playback.sessions.fast_path import FastPath

# Three files of one work, one of them shorter; and one whose length nobody knows.
LENGTHS: tuple[float | None, ...] = (3600.0, 3600.0, 3000.0, None)

positions = st.one_of(
    st.floats(0.0, 60.0),
    st.floats(0.0, 4000.0),
    st.sampled_from([0.0, 3240.0, 3600.0, 3601.0]),
    st.sampled_from([-1.0, 5000.0, float("nan"), "10", None, True]),
)
ahead = st.sampled_from([0.0, 1.0, 2.0, 5.0, 10.0, 30.0])
late = st.sampled_from([None, None, None, 0.0, -1.0, -30.0, 100.0])
waits = st.sampled_from([-3600.0, -5.0, 1.0, 10.0, 600.0, 90_000.0])
states = st.sampled_from(["", "playing", "paused", "stopped", "completed", "wrong"])


def step(
    verb: str, files: Any, value: Any, late: Any = st.none(), state: Any = st.just("")
) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(verb), files, value, late, state)


def watching(files: Any) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """What people do: mostly reports that continue, and now and then something else."""
    continuing = st.one_of(
        step("beat on", files, ahead, late), step("report on", files, ahead, late)
    )
    other = st.one_of(
        step("beat", files, positions, late, states),
        step("report", files, positions, late),
        step("start", files, positions),
        step("wait", files, waits),
        *(step(verb, files, st.just(0.0)) for verb in ("mark", "unmark", "undo", "drop")),
    )
    burst = st.tuples(continuing, st.integers(1, 5)).map(lambda both: [both[0]] * both[1])
    return st.lists(st.one_of(burst, burst, other.map(lambda one: [one])), max_size=12).map(
        lambda parts: [one for part in parts for one in part]
    )


# Of one file, of one whose length nobody knows, or of several of one work.
journeys = st.one_of(watching(st.just(0)), watching(st.just(3)), watching(st.integers(0, 3)))


class Viewer:
    """One of two users who report the same things at the same moments."""

    def __init__(self, store: Store, clock: Clock, name: str, files: list[str]) -> None:
        self.store = store
        self.clock = clock
        self.name = name
        self.files = files
        self.sessions: list[str] = []
        self.at: dict[str, float] = {}

    def take(self, verb: str, number: int, value: Any, late: float | None, state: str) -> Any:
        """Take a step, and return what the caller sees of it."""
        playback, file = self.store.playback, self.files[number]
        when = None if late is None else self.clock() + timedelta(seconds=late)
        if verb.startswith("beat"):
            if not self.sessions:
                return None
            id = self.sessions[number % len(self.sessions)]
            return self.beat(id, self._moved(verb, id, value), when, state or None)
        if verb.startswith("report"):
            position = self._moved(verb, file, value)
            return playback.set_progress(self.name, file, position, client_time=when)
        if verb == "start":
            begun = playback.start_session(file, user_id=self.name, position=value)
            self.sessions.append(begun.id)
            return begun
        if verb == "mark":
            return playback.mark_watched(self.name, file)
        if verb == "unmark":
            return playback.mark_unwatched(self.name, file)
        if verb == "undo":
            return playback.undo_progress(self.name, file)
        return playback.drop(self.name, file)

    def beat(self, id: str, position: Any, when: Any, state: str | None) -> Any:
        return self.store.playback.heartbeat(id, position, state=state, client_time=when)

    def _moved(self, verb: str, key: str, value: Any) -> Any:
        position = self.at.get(key, 0.0) + value if verb.endswith(" on") else value
        if type(position) is float and 0 <= position < 4000:
            self.at[key] = position
        return position

    def plain(self, found: Any) -> Any:
        """Return what was seen, with names that both users share."""
        rows = found if isinstance(found, list) else [found]
        seen = [
            {**row.__data__, "resume": getattr(row, "resume_position", None)}
            if hasattr(row, "__data__")
            else row
            for row in rows
        ]
        return self.anonymous(repr(seen))

    def anonymous(self, text: str) -> str:
        names = {self.name: "user"}
        names.update((id, f"session {n}") for n, id in enumerate(self.sessions))
        for name, shared in names.items():
            text = text.replace(name, shared)
        return text

    def stored(self) -> list[str]:
        """Return all rows of this user."""
        mine = [
            row
            for rows in (
                sessions(self.store).values(),
                progress_rows(self.store),
                plays(self.store).values(),
            )
            for row in rows
            if row.user_id == self.name
        ]
        hidden = r"'id': '[0-9a-f-]{36}'"
        return sorted(re.sub(hidden, "", self.plain(row)) for row in mine)


@contextmanager
def counting_fast_path() -> Iterator[dict[str, Any]]:
    """Let the fast path be turned off, and count what it has taken."""
    seen: dict[str, Any] = {"is_on": True, "heartbeat": 0, "progress": 0}

    def counted(name: str, way: Callable[..., Any]) -> Callable[..., Any]:
        def take(*arguments: Any) -> Any:
            taken = way(*arguments) if seen["is_on"] else None
            seen[name] += taken is not None
            return taken

        return take

    with pytest.MonkeyPatch.context() as patch:
        for name in ("heartbeat", "progress"):
            patch.setattr(FastPath, name, counted(name, getattr(FastPath, name)))
        yield seen


def outcome(viewer: Viewer, step: tuple[Any, ...]) -> str:
    try:
        return viewer.plain(viewer.take(*step))
    except ViewraError as exc:
        return viewer.anonymous(f"{type(exc).__name__}: {exc}")


def test_the_fast_path_of_reports_does_what_the_long_way_does(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    versions = add_files(store, tmp_path / "Films", "a.mkv", "b.mkv", identity="movie:heat:1995")
    shorter = add_files(
        store, tmp_path / "Cuts", "c.mkv", identity="movie:heat:1995", duration=LENGTHS[2]
    )
    unknown = add_files(store, tmp_path / "Others", "d.mkv", duration=LENGTHS[3])
    files, numbers = [*versions, *shorter, *unknown], count()

    with counting_fast_path() as path:

        @settings(deadline=None)
        @given(journeys)
        def alike(taken: list[tuple[Any, ...]]) -> None:
            number = next(numbers)
            viewers = {
                is_on: Viewer(store, clock, f"{way} {number}!", files)
                for is_on, way in ((True, "fast"), (False, "slow"))
            }
            for one in [("start", taken[0][1] if taken else 0, 0.0, None, ""), *taken]:
                if one[0] == "wait" or one[0].endswith(" on"):
                    clock.advance(one[2])
                if one[0] == "wait":
                    continue
                seen = {}
                for is_on, viewer in viewers.items():
                    path["is_on"] = is_on
                    seen[is_on] = outcome(viewer, one)
                assert seen[True] == seen[False], one
            path["is_on"] = True
            assert viewers[True].stored() == viewers[False].stored()

        alike()
    assert path["heartbeat"] > 20 and path["progress"] > 20
