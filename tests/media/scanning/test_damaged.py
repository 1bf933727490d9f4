"""A file that cannot be parsed is still what its name says, until a better one comes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip
from tests.support.media import garbage, truncated, write_audio, zero_bytes
from viewra_lite import Store
from viewra_lite.media.probing import probe
from viewra_lite.media.probing.workers.pool import ProbePool
from viewra_lite.media.scanning import scan as scanning

pytestmark = pytest.mark.usefixtures("probing_here")

NAMES = {
    "movie": "Dune (2021)/Dune (2021).mkv",
    "tv": "Lost (2004)/Season 1/Lost S01E01 - Pilot.mkv",
    "music": "Gould/Goldberg (1955)/01 - Aria.mp3",
}


def sound(path: Path, seed: int = 7) -> Path:
    is_music = path.suffix in (".mp3", ".flac", ".ogg")
    return write_audio(path, seconds=0.1, seed=seed) if is_music else clip(path, seed)


def scanned(store: Store, library_id: str, clock: Any) -> Any:
    clock.advance(60)
    return store.media.scan(library_id)


def only(store: Store, kind: str) -> Any:
    """Return the only movie, episode or track."""
    if kind == "movie":
        (found,) = store.media.movies().items
        return found
    if kind == "tv":
        (show,) = store.media.shows().items
        ((found,),) = [season.episodes for season in store.media.show(show.id).seasons]
        return found
    (album,) = store.media.albums().items
    (found,) = store.media.album(album.id).tracks
    return found


def unreadable(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a sound file that the system refuses to read."""
    read = probe.fingerprint

    def refused(name: str) -> str:
        if name == str(path) and path.stat().st_mtime_ns == 1:
            raise PermissionError(13, "Permission denied")
        return read(name)

    sound(path)
    os.utime(path, ns=(1, 1))
    monkeypatch.setattr(probe, "fingerprint", refused)
    return path


def late(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a file on which the probe takes too long."""

    class Pool(ProbePool):
        def map(self, requests: Any) -> Any:
            for key, path, *library in requests:
                slow = os.stat(path).st_mtime_ns == 1
                found = probe.late(path, *library, "late") if slow else probe.probe(path, *library)
                yield key, found

    sound(path)
    os.utime(path, ns=(1, 1))
    monkeypatch.setattr(scanning, "ProbePool", lambda workers, timeout_s: Pool(0, timeout_s))
    return path


def crashing(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a file on which the parser fails."""
    read = probe.parsed

    def broken(name: str) -> Any:
        if os.stat(name).st_mtime_ns == 1:
            raise RuntimeError("a bug of the parser")
        return read(name)

    sound(path)
    os.utime(path, ns=(1, 1))
    monkeypatch.setattr(probe, "parsed", broken)
    return path


def write_damaged(how: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    by_content = {"garbage": garbage, "empty": zero_bytes, "truncated": truncated}
    if how in by_content:
        return by_content[how](path)
    return {"unreadable": unreadable, "late": late, "crashing": crashing}[how](path, monkeypatch)


HOW = ["garbage", "empty", "truncated", "unreadable", "late", "crashing"]


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("how", HOW)
def test_a_damaged_file_is_placed_by_its_name_and_keeps_its_id_and_progress_when_it_is_repaired(
    store: Store, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch, kind: str, how: str
) -> None:
    path = tmp_path / kind / NAMES[kind]
    write_damaged(how, path, monkeypatch)
    library = store.media.add_library(kind, tmp_path / kind, kind)
    scanned(store, library.id, clock)
    placed = only(store, kind)
    assert placed.media_file.error or how == "truncated"
    assert placed.media_file.path == str(path)
    store.playback.set_progress("ann", placed.media_file_id, 0.05)
    path.unlink()
    sound(path, seed=9)
    scanned(store, library.id, clock)
    repaired = only(store, kind)
    assert (repaired.id, repaired.media_file_id) == (placed.id, placed.media_file_id)
    assert repaired.media_file.error is None
    assert store.playback.progress("ann", repaired.media_file_id).position == 0.05


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("how", HOW)
def test_a_damaged_file_inherits_and_passes_on_progress(
    store: Store, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch, kind: str, how: str
) -> None:
    path = tmp_path / kind / NAMES[kind]
    other, another = (".flac", ".ogg") if kind == "music" else (".mp4", ".m4v")
    first = sound(path.with_suffix(other))
    library = store.media.add_library(kind, tmp_path / kind, kind)
    scanned(store, library.id, clock)
    before = only(store, kind)
    store.playback.set_progress("ann", before.media_file_id, 0.05)
    first.unlink()
    write_damaged(how, path, monkeypatch)
    scanned(store, library.id, clock)
    after = only(store, kind)
    assert (after.id, after.media_file.path) == (before.id, str(path))
    assert store.playback.progress("ann", after.media_file_id).position == 0.05
    path.unlink()
    sound(path.with_suffix(another), seed=9)
    scanned(store, library.id, clock)
    last = only(store, kind)
    assert last.id == before.id and last.media_file.error is None
    assert store.playback.progress("ann", last.media_file_id).position == 0.05


def test_a_sound_version_is_better_than_a_damaged_one_in_either_order(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    folder = tmp_path / "m/Dune (2021)"
    clip(folder / "Dune (2021).mkv", 1, 96)
    library = store.media.add_library("m", folder.parent, "movie")
    small = clip(folder / "Dune (2021) small.mkv", 2)
    scanned(store, library.id, clock)
    (movie,) = store.media.movies().items
    assert movie.media_file.height == 96
    garbage(folder / "Dune (2021).mkv")
    scanned(store, library.id, clock)
    (movie,) = store.media.movies().items
    assert movie.media_file.path == str(small)
    clip(folder / "Dune (2021).mkv", 3, 96)
    scanned(store, library.id, clock)
    assert [one.media_file.height for one in store.media.movies().items] == [96]


def test_a_file_that_a_person_chose_stays_the_one_that_is_played(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    folder = tmp_path / "m/Dune (2021)"
    clip(folder / "Dune (2021).mkv", 1, 96)
    library = store.media.add_library("m", folder.parent, "movie")
    small = clip(folder / "Dune (2021) small.mkv", 2)
    scanned(store, library.id, clock)
    (movie,) = store.media.movies().items
    chosen = store.media.find_file(library.id, small)
    assert chosen is not None
    store.media.save_movie(library.id, id=movie.id, media_file_id=chosen.id)
    for seed, path in enumerate((small, folder / "Dune (2021).mkv")):
        clip(path, seed + 5, 64 if path == small else 128)
        scanned(store, library.id, clock)
        (movie,) = store.media.movies().items
        assert movie.media_file_id == chosen.id
    small.unlink()
    store.media.scan(library.id, accept_missing=True)
    (movie,) = store.media.movies().items
    assert movie.media_file.height == 128


def test_music_whose_tags_cannot_be_read_any_more_stays_what_they_said(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    path = tmp_path / "music/01 - x.mp3"
    write_audio(path, seconds=0.1, title="Aria", artist="Gould", album="Goldberg")
    library = store.media.add_library("music", path.parent, "music")
    scanned(store, library.id, clock)
    before = only(store, "music")
    garbage(path)
    scanned(store, library.id, clock)
    after = only(store, "music")
    assert (after.id, after.title, after.artist) == (before.id, "Aria", "Gould")
    assert after.media_file.error is not None
