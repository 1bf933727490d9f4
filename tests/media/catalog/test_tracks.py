"""What is one track of an album and what is two, whatever the order they come in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.media import write_audio

from viewra_lite import Store
from viewra_lite.errors import ConflictError
from viewra_lite.media.models import Track

pytestmark = pytest.mark.usefixtures("probing_here")

VARIOUS = {"album_artist": "Various Artists"}
CASES: dict[str, tuple[int, list[tuple[str, dict[str, Any]]]]] = {
    "two artists, no number": (2, [("a.mp3", {"artist": "A"}), ("b.mp3", {"artist": "B"})]),
    "two artists, one number": (
        2,
        [("1.mp3", {"artist": "A", "track": 1}), ("2.mp3", {"artist": "B", "track": 1})],
    ),
    "two artists of various": (
        2,
        [("a.mp3", {"artist": "A", **VARIOUS}), ("b.mp3", {"artist": "B", **VARIOUS})],
    ),
    "one artist in two formats": (1, [("1.mp3", {"artist": "A"}), ("1.flac", {"artist": "a"})]),
    "two spellings on an album of one artist": (
        1,
        [
            ("1.mp3", {"artist": "A", "album_artist": "A"}),
            ("1.flac", {"artist": "A feat. B", "album_artist": "A"}),
        ],
    ),
}


def scanned(store: Store, folder: Path, clock: Any, steps: Sequence[tuple[str, Any]]) -> str:
    """Scan a new library after each step; return its id."""
    library = store.media.add_library("Music", folder, "music")
    for name, tags in steps:
        write_audio(
            folder / name,
            seconds=0.1,
            seed=sum(name.encode()),
            **{"album": "Sampler", "title": "Intro", **tags},
        )
        clock.advance(60)
        store.media.scan(library.id)
    return library.id


def tracks(store: Store) -> list[Track]:
    (album,) = store.media.albums().items
    return store.media.album(album.id).tracks


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_what_is_one_track_and_what_is_two(
    store: Store, tmp_path: Path, clock: Any, case: str, backwards: bool
) -> None:
    count, steps = CASES[case]
    library_id = scanned(store, tmp_path, clock, steps[::-1] if backwards else steps)
    found = {track.id for track in tracks(store)}
    assert len(found) == count
    for name, _ in steps:  # each is looked into again
        (tmp_path / name).touch()
    clock.advance(60)
    store.media.scan(library_id)
    assert {track.id for track in tracks(store)} == found


def test_watching_one_of_two_songs_of_a_name_says_nothing_of_the_other(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    _, steps = CASES["two artists, no number"]
    library_id = scanned(store, tmp_path, clock, steps)
    files = {
        name: store.media.find_file(library_id, tmp_path / name).id  # type: ignore[union-attr]
        for name, _ in steps
    }
    store.playback.mark_watched("ann", files["b.mp3"])

    def seen() -> list[bool]:
        states = [store.playback.progress("ann", id) for id in files.values()]
        return [bool(state and state.completed) for state in states]

    assert seen() == [False, True]
    for name, _ in steps:
        (tmp_path / name).rename(tmp_path.parent / f"{tmp_path.name}-{name}")
    write_audio(tmp_path / "other.mp3", seconds=0.1, album="Other", title="Other")
    store.media.scan(library_id, accept_missing=True)
    store.media.tidy(clock.advance(60 * 86_400))
    for name, _ in steps:
        (tmp_path.parent / f"{tmp_path.name}-{name}").rename(tmp_path / name)
        clock.advance(60)
        store.media.scan(library_id)
        assert seen() == [False, True]


def test_saving_a_track_that_two_artists_have_takes_the_one_of_the_artist(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    scanned(store, tmp_path, clock, CASES["two artists, one number"][1])
    of_b = next(track for track in tracks(store) if track.artist == "B")
    key = {"title": "Intro", "disc_number": 1, "track_number": 1}
    saved = store.media.save_track(of_b.album_id, artist="B", lyrics="la", **key)
    assert saved.id == of_b.id
    with pytest.raises(
        ConflictError, match="several tracks .*: give musicbrainz_id, artist, year or id"
    ):
        store.media.save_track(of_b.album_id, lyrics="la", **key)
    assert store.media.find_track("Intro", artist="B").id == of_b.id  # type: ignore[union-attr]


def test_songs_of_one_name_keep_their_watch_state_when_their_album_is_renamed(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    _, steps = CASES["two artists, no number"]
    scanned(store, tmp_path, clock, steps)
    before = {track.artist: track.id for track in tracks(store)}
    of_b = next(track for track in tracks(store) if track.artist == "B")
    store.playback.mark_watched("ann", of_b.media_file_id)
    again = [(name, {**tags, "album": "Sampler Two"}) for name, tags in steps]
    (library,) = store.media.libraries()
    for name, tags in again:
        write_audio(tmp_path / name, seconds=0.1, seed=sum(name.encode()), title="Intro", **tags)
    clock.advance(60)
    store.media.scan(library.id)
    assert {track.artist: track.id for track in tracks(store)} == before
    states = {
        track.artist: store.playback.progress("ann", track.media_file_id) for track in tracks(store)
    }
    assert [bool(states[who] and states[who].completed) for who in "AB"] == [False, True]
