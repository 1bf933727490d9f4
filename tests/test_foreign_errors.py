"""Whatever a verb is called with, what it raises is a ViewraError with a short message."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.documented_errors import require_documented_errors
from tests.support.verbs import NOT_VERBS, ROOMS, Home
from viewra_lite import FileFacts, Provider, Store, TranscodeProfile, load_config
from viewra_lite.errors import (
    LONGEST_MESSAGE,
    ConflictError,
    NotFoundError,
    StoreBusyError,
    ViewraError,
)


def deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


class Unshowable:
    """What even repr() fails on."""

    def __repr__(self) -> str:
        raise OSError("not today")


class BytesPath:
    def __fspath__(self) -> bytes:
        return b"x"


EAST = timezone(timedelta(hours=14))
WRONG: list[Any] = [
    None,
    5,
    -1,
    2**31,
    2**63,
    10**6000,
    True,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "a\0b",
    "\ud800",
    "\U00020000" * 300,
    "x" * 10**6,
    b"x",
    ["x"],
    [5],
    deep(),
    {"a": 1},
    {1},
    Unshowable(),
    BytesPath(),
    datetime(2024, 1, 1),
    datetime.min.replace(tzinfo=EAST),
    date(2024, 1, 1),
    timedelta.max,
    timedelta(-1),
    len,
    int,
    iter(()),
    3j,
]
COLUMNS = {
    "save_movie": (
        "overview",
        "genres",
        "runtime",
        "rating",
        "release_date",
        "media_file_id",
        "imdb_id",
        "tmdb_id",
        "sort_title",
        "media_file",
    ),
    "save_show": ("status", "creators", "first_air_date"),
    "save_season": ("title", "air_date"),
    "save_episode": ("title", "media_file_id", "absolute_number", "cast"),
    "save_album": ("year", "artists", "duration", "musicbrainz_id"),
    "save_track": ("artist", "lyrics", "media_file_id"),
    "update_library": ("name", "path", "type", "scan_interval", "last_scan"),
}


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Home:
    return Home(store, tmp_path / "m")


def refused_well(call: Any) -> Iterator[str]:
    """Yield what is wrong with how a call was refused, if it was."""
    try:
        call()
    except ViewraError as error:
        message = str(error)
        message.encode()  # it can be printed
        if not 0 < len(message) <= LONGEST_MESSAGE:
            yield f"a message of {len(message)} characters"
    except Exception as error:
        yield f"{type(error).__name__}: {str(error)[:100]}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_verb_called_with_what_it_cannot_take_raises_our_errors_only(
    home: Home, room: str
) -> None:
    for name, _ in inspect.getmembers(ROOMS[room], inspect.isfunction):
        if name.startswith("_") or name in NOT_VERBS:
            continue
        call = getattr(getattr(home.store, room), name)
        parameters = inspect.signature(call).parameters.values()
        targets = [each.name for each in parameters if each.kind != each.VAR_KEYWORD]
        for target in (*targets, *COLUMNS.get(name, ())):
            for value in WRONG:
                if target == "progress" and name == "scan" and callable(value):
                    continue  # what it raises is its own
                given = home.arguments(call, target, value)
                faults = list(refused_well(lambda given=given: call(**given)))
                assert not faults, (name, target, type(value), faults)
    home.store.media.libraries()


def test_profiles_providers_facts_and_callbacks_are_refused_alike(home: Home) -> None:
    right = {"path": str(home.right["path"] / "a.mkv")}

    for value in WRONG:
        with home.store.media.reconcile(home.right["library_id"]) as files:
            for name in FileFacts.__dataclass_fields__:
                facts = FileFacts(**{**right, name: value})
                assert not list(refused_well(lambda facts=facts: files.add(facts))), name
        calls = [
            lambda f=f: TranscodeProfile(**{f: value}).content_hash("f")
            for f in TranscodeProfile.__dataclass_fields__
        ]
        calls += [
            lambda f=f: Provider(**{"name": "w", f: value}) for f in Provider.__dataclass_fields__
        ]
        calls += [
            lambda: TranscodeProfile.of(value),
            lambda: TranscodeProfile().content_hash(value),
        ]
        if not callable(value):
            calls += [lambda: home.store.after_commit(value)]
        for call in calls:
            assert not list(refused_well(call)), type(value)


def test_a_verb_that_raises_an_error_which_it_does_not_document_fails_the_tests() -> None:
    class Verbs:
        """Any verb may raise StoreBusyError."""

        def find(self, error: type[ViewraError]) -> None:
            """Find nothing. Raises NotFoundError."""
            raise error

    with pytest.MonkeyPatch.context() as patch:
        require_documented_errors(Verbs, patch)
        for documented in (NotFoundError, StoreBusyError):
            with pytest.raises(documented):
                Verbs().find(documented)
        with pytest.raises(AssertionError, match="Verbs.find raises ConflictError"):
            Verbs().find(ConflictError)


def test_what_is_no_list_of_modules_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    source = {"database": {"database_path": str(tmp_path / "viewra.db")}}
    for value in WRONG:
        for modules in ([value], value):
            assert not list(refused_well(lambda m=modules: Store.open(source, modules=m)))
    assert not (tmp_path / "viewra.db").exists()


@pytest.mark.parametrize("name", ["user_id", "device_id"])
def test_an_id_has_one_length_on_both_engines(home: Home, name: str) -> None:
    longest = "".join(chr(0x20000 + n) for n in range(255))
    file = home.right["media_file_id"]
    kept = home.store.playback.start_session(file, **{"user_id": "ann", name: longest})
    assert getattr(home.store.playback.session(kept.id), name) == longest
    with pytest.raises(ViewraError, match=f"^{name} must have at most 255 characters, not 256$"):
        home.store.playback.start_session(file, **{"user_id": "ann", name: longest + "x"})
    if name == "user_id":
        home.store.playback.set_progress(longest, file, 5)
        home.store.playback.mark_watched(longest, file)
        home.store.playback.archive_history(older_than=timedelta(0))


def test_a_configuration_of_the_wrong_kind_is_refused() -> None:
    for value in WRONG:
        assert not list(refused_well(lambda: load_config({}, environ=value))), type(value)
        if not isinstance(value, str):
            assert not list(refused_well(lambda: load_config(value))), type(value)
