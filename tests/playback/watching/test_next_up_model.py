"""Whatever somebody watches, marks and drops, next_up() says what the rules say."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from tests.support.shelves import Shelf, Viewer, episode_name
from viewra_lite import Store

NOT_ON_DISK = 3
SPECIAL = 5
TITLES = ("Dark S01E01", "Dark S01E02-E03", "Dark S01E04", "Dark S02E01", "Dark S02E02")
ACTIONS = st.tuples(
    st.sampled_from(["watch", "watch", "watch", "begin", "mark", "unmark", "drop"]),
    st.integers(0, SPECIAL),
)
users = count()


@pytest.fixture
def dark(tv: Shelf) -> list[Any]:
    """The files of a show: the second holds two episodes, the fourth is gone, the last special."""
    made = tv.show("Dark", (0, 1), (1, 1), (1, 4), (2, 1), (2, 2))
    both = tv.put(episode_name("Dark", 1, 2, 3))[0]
    for number in (2, 3):
        tv.episode(made[1, 1].show_id, 1, number, both)
    tv.take(episode_name("Dark", 2, 1))
    return [made[1, 1], both, made[1, 4], made[2, 1], made[2, 2], made[0, 1]]


class Model:
    """The rules, in plain Python."""

    def __init__(self) -> None:
        self.plays = [0] * len(TITLES)
        self.last = [0] * len(TITLES)
        self.dropped = False

    def take(self, moment: int, action: str, number: int) -> None:
        if action == "drop":
            self.dropped = self.dropped or moment > 0
            return
        if action != "mark":
            self.dropped = False
        if number == SPECIAL or action == "begin":
            return
        if action == "unmark":
            self.plays[number], self.last[number] = 0, 0
        elif action == "watch":
            self.plays[number] += 1
            self.last[number] = moment
        elif self.plays[number] == 0:  # without a date
            self.plays[number] = 1

    def next(self) -> list[str]:
        seen = [n for n, plays in enumerate(self.plays) if plays]
        if self.dropped or not seen:
            return []

        def latest(numbers: list[int]) -> int:
            return max(numbers, key=lambda n: (self.last[n], n))

        anchor = latest(seen)
        finished = len(seen) == len(self.plays)
        if self.plays[anchor] > 1 and (finished or anchor and self.plays[anchor - 1] > 1):
            enough = self.plays[anchor]
        else:
            enough = 1
            once = [n for n in seen if self.plays[n] == 1]
            anchor = latest(once or seen)
        for n in range(anchor + 1, len(self.plays)):
            if self.plays[n] < enough:
                return [] if n == NOT_ON_DISK else [TITLES[n]]
        return []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("watch", 1), ("drop", 0), ("begin", SPECIAL)])
@example([("watch", n) for n in (0, 1, 2, 0, 1)])
@example([("watch", n) for n in (0, 1, 2, 3, 4, 0)])
@given(st.lists(ACTIONS, max_size=12))
def test_it_follows_the_rules(
    store: Store, clock: Any, dark: list[Any], actions: list[tuple[str, int]]
) -> None:
    ann, model = Viewer(store, clock, f"user {next(users)}"), Model()
    moment = 0
    for action, number in actions:
        act(ann, action, dark[number])
        moment += action != "drop"
        model.take(moment, action, number)
        assert ann.next() == model.next()


def act(viewer: Viewer, action: str, media: Any) -> None:
    """Do what an action says, a minute later."""
    file = getattr(media, "media_file_id", None) or media.id
    viewer.clock.advance(60)
    if action == "watch":
        viewer.watch(media)
    elif action == "begin":
        viewer.at(media, 600.0)
    elif action == "mark":
        viewer.playback.mark_watched(viewer.user, file)
    elif action == "unmark":
        viewer.playback.mark_unwatched(viewer.user, file)
    else:
        viewer.playback.drop(viewer.user, file)
