"""Store.open: what may be opened with what, and what is said where it may not."""

from __future__ import annotations

from typing import Any

import pytest
from peewee import Model

from viewra_lite import Module, Store, errors


class Reviews(Module):
    """A module of a third party, without tables."""

    name = "reviews"


class Named(Reviews):
    """A module by a name that cannot name a table."""

    name = "Bad Name"


class Strange(Reviews):
    """A module whose model is none."""

    models = (int,)


class Nameless(Module):
    """A module that forgot its name."""


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Reviews, "Reviews is a class: pass Reviews()"),
        (Nameless(), "Nameless.name must be lower-case"),
        (Named(), "Named.name must be lower-case"),
        (Strange(), "<class 'int'> is not a Peewee model"),
        (Model, "Model is a class"),
        ("reviews", "'reviews' is not a viewra_lite.Module"),
    ],
)
def test_what_is_no_module_is_refused_before_anything_is_made(
    tmp_path: Any, module: Any, reason: str
) -> None:
    with pytest.raises(errors.InvalidValueError, match=reason):
        Store.open(f"sqlite:///{tmp_path}/viewra.db", modules=[module])
    assert list(tmp_path.iterdir()) == []


def test_a_second_store_is_refused_by_the_name_of_the_first(store: Store, tmp_path: Any) -> None:
    with pytest.raises(errors.StoreAlreadyOpenError) as caught:
        Store.open(f"sqlite:///{tmp_path}/second.db")
    assert store.config.url in str(caught.value)
    assert not (tmp_path / "second.db").exists()


def test_a_module_of_a_third_party_is_attached(store_config: Any) -> None:
    reviews = Reviews()
    with Store.open(store_config, modules=[reviews]) as store:
        assert reviews.db.now().tzinfo is not None
        assert reviews.config is store.config
