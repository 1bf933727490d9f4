"""Merging answers: equal ones in any order give the same, and each rule decides in its turn."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewra_lite import load_config
from viewra_lite.errors import ConfigError
from viewra_lite.plugins.answers.merging import Candidate, Order, merged, ranked

NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
FIELDS = {
    "title": st.sampled_from(["A", "a", "B"]),
    "rating": st.sampled_from([1.0, 2.0]),
    "genres": st.lists(st.sampled_from(["Drama", "drama", "Horror", {"name": "Drama"}])),
    "director": st.sampled_from(["Lang", "Lang, Murnau", "murnau"]),
}
ORDERS = ["", "b", "c, a", "b; title: c", "genres: a, b; c"]


def candidates(field: str) -> Any:
    return st.lists(
        st.builds(
            lambda plugin, value, confidence, hours: Candidate(
                "plugin", plugin, value, confidence, NOON + timedelta(hours=hours)
            ),
            st.sampled_from("abc"),
            FIELDS[field],
            st.sampled_from([0.0, 0.5, 1.0]),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=6,
    )


@given(st.data())
def test_the_order_of_answers_does_not_matter_and_each_rule_decides_in_its_turn(
    data: st.DataObject,
) -> None:
    field = data.draw(st.sampled_from(sorted(FIELDS)))
    order = Order(data.draw(st.sampled_from(ORDERS)))
    answers = data.draw(candidates(field))
    found = ranked(field, answers, order)
    again = ranked(field, data.draw(st.permutations(answers)), order)
    assert again == found
    assert merged(field, again) == merged(field, found)
    assert sorted({one.plugin for one in answers}) == sorted(one.plugin for one in found)
    first = found[0]
    for one in answers:
        rank = order.rank(field, str(one.plugin)) - order.rank(field, str(first.plugin))
        assert rank >= 0
        if rank == 0:
            assert one.confidence <= first.confidence
            if one.confidence == first.confidence:
                assert one.answered_at <= first.answered_at
    value = merged(field, found)
    if field == "genres":
        names = [one["name"] if isinstance(one, dict) else one for one in value]
        folded = [name.casefold() for name in names]
        assert len(set(folded)) == len(folded)
        every = [one for each in found for one in each.value]
        wanted = {(one["name"] if isinstance(one, dict) else one).casefold() for one in every}
        assert set(folded) == wanted
    elif field == "director":
        folded = [name.casefold() for name in value.split(", ")]
        assert len(set(folded)) == len(folded)
        assert value.split(", ")[0] == first.value.split(", ")[0]
    else:
        assert value == first.value


@pytest.mark.parametrize(
    ("option", "field", "first"),
    [
        ("", "title", "b"),  # more confident
        ("a", "title", "a"),
        ("x, a", "title", "a"),
        ("b; title: a", "title", "a"),
        ("b; title: a", "overview", "b"),
        ("a; rating: b", "title", "a"),
    ],
)
def test_the_order_of_plugins_comes_before_their_confidence(
    option: str, field: str, first: str
) -> None:
    load_config({"database": {"type": "sqlite", "plugin_order": option}})
    answers = [Candidate("plugin", "a", "A", 0.1, NOON), Candidate("plugin", "b", "B", 0.9, NOON)]
    assert ranked(field, answers, Order(option))[0].plugin == first


@pytest.mark.parametrize("wrong", ["a b", "A", "title:", ";", "a,", ": a", 5, "a: b: c", "a\n"])
def test_a_wrong_order_names_the_expected_form(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="plugin_order: expected ids of plugins"):
        load_config({"database": {"type": "sqlite", "plugin_order": wrong}})
