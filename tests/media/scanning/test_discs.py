"""A disc that is a folder is one item: its index file stands for its main title."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.support.discs import write_bluray, write_dvd
from tests.support.libraries import clip, counts, every_file, ids
from viewra_lite import Store
from viewra_lite.media.models import MediaFile, MediaLibrary
from viewra_lite.media.probing import discs

pytestmark = pytest.mark.usefixtures("probing_here")


def only_file(store: Store, library: MediaLibrary) -> MediaFile:
    [file] = every_file(store, library.id)
    return store.media.file(file.id)


def test_a_dvd_is_one_item_of_its_largest_title_set(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    index = write_dvd(folder / "Film (2001)/VIDEO_TS", ((1, 9000), (3, 5400), (2, 60)))
    assert counts(store.media.scan(library.id)) == {"added": 1}
    file = only_file(store, library)
    assert (file.path, file.duration, file.width) == (str(index), 5400.0, 64)
    assert file.size == sum(path.stat().st_size for path in index.parent.glob("VTS_02_[1-9].VOB"))
    assert (file.mime_type, file.error) == ("x-content/video-dvd", None)
    assert file.video_codec == "h264" and file.streams
    [movie] = store.media.movies().items
    assert (movie.title, movie.year) == ("Film", 2001)
    assert store.media.scan(library.id).unchanged == 1


def test_a_bluray_is_one_item_of_its_longest_playlist(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    index = write_bluray(folder / "Film (2001)/BDMV")
    assert counts(store.media.scan(library.id)) == {"added": 1}
    file = only_file(store, library)
    assert (file.path, file.duration, file.width) == (str(index), 5400.5, 64)
    streams = index.parent / "STREAM"
    assert file.size == sum((streams / f"{n}.m2ts").stat().st_size for n in ("00800", "00801"))
    assert (file.mime_type, file.error) == ("x-content/video-bluray", None)
    assert [movie.title for movie in store.media.movies().items] == ["Film"]
    assert store.media.scan(library.id).unchanged == 1


def test_a_playlist_that_plays_parts_of_one_clip_is_as_long_as_all_of_them(tmp_path: Path) -> None:
    index = write_bluray(tmp_path / "BDMV", ((("00001", 50.0),), (("00003", 40.0),)))
    playlist = index.parent / "PLAYLIST/00001.mpls"
    data = bytearray(playlist.read_bytes())
    item = bytes(data[50:])
    later = bytearray(item)
    later[14:22] = struct.pack(">II", 90_000 + 40 * 45_000, 90_000 + 70 * 45_000)
    struct.pack_into(">H", data, 46, 3)
    playlist.write_bytes(bytes(data) + bytes(later) + item)
    title = discs.main_title(str(index))
    assert title is not None and title.seconds == 70.0
    assert [Path(clip).name for clip in title.clips] == ["00003.m2ts"]


@pytest.mark.parametrize("lower", [False, True])
def test_letter_case_and_the_place_of_a_dvd_make_no_difference(
    store: Store, library: MediaLibrary, folder: Path, lower: bool
) -> None:
    write_dvd(folder / "Flat (2001)")  # without a folder VIDEO_TS
    if lower:
        for path in list((folder / "Flat (2001)").iterdir()):
            path.rename(path.with_name(path.name.lower()))
    clip(folder / "Flat (2001)/Extras/Making of.mkv", seed=9)
    assert store.media.scan(library.id).added == 2
    [movie] = store.media.movies().items
    assert (movie.title, movie.year) == ("Flat", 2001)
    assert movie.media_file_id is not None
    assert store.media.file(movie.media_file_id).duration == 5400.0


def test_a_disc_in_the_root_is_called_like_the_library_s_folder(
    store: Store, tmp_path: Path
) -> None:
    write_bluray(tmp_path / "Film (2001)/BDMV")
    library = store.media.add_library("one", tmp_path / "Film (2001)", "movie")
    assert store.media.scan(library.id).added == 1
    assert [(m.title, m.year) for m in store.media.movies().items] == [("Film", 2001)]


def test_discs_of_one_film_are_its_parts(store: Store, library: MediaLibrary, folder: Path) -> None:
    write_dvd(folder / "Film (2001)/Disc 1/VIDEO_TS", seed=1)
    write_dvd(folder / "Film (2001)/Disc 2/VIDEO_TS", seed=2)
    assert store.media.scan(library.id).added == 2
    [movie] = store.media.movies().items
    assert sorted(file.part or 0 for file in store.media.movie(movie.id).files) == [1, 2]


def test_a_disc_of_extras_is_an_extra_by_the_name_of_its_folder(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    write_bluray(folder / "Film (2001)/BDMV", seed=1)
    write_dvd(folder / "Film (2001)/Interviews/Cast and crew/VIDEO_TS", seed=2)
    assert store.media.scan(library.id).added == 2
    [movie] = store.media.movies().items
    movie = store.media.movie(movie.id)
    assert [(extra.kind, extra.title) for extra in movie.extras] == [("interview", "Cast and crew")]
    assert len(movie.files) == 1


def test_without_an_index_the_main_clip_stands_for_the_disc(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    write_dvd(folder / "Dvd (2001)/VIDEO_TS", ((1, 9), (3, 5400)), index=False)
    write_bluray(folder / "Blu (2002)/BDMV", index=False)
    assert counts(store.media.scan(library.id)) == {"added": 2}
    assert sorted(Path(name).name for name in ids(store, library.id)) == [
        "00801.m2ts",
        "VTS_02_1.VOB",
    ]
    assert [movie.title for movie in store.media.movies().items] == ["Blu", "Dvd"]


def test_a_disc_that_is_moved_or_renamed_keeps_its_id_and_equal_indexes_are_not_confused(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    for number in range(6):
        write_bluray(folder / f"Film {number} (2001)/BDMV", seed=number)
    store.media.scan(library.id)
    before = ids(store, library.id)
    fingerprints = {file.fingerprint for file in every_file(store, library.id)}
    assert len(fingerprints) == 6
    (folder / "Film 1 (2001)").rename(folder / "Film One (2001)")
    shutil.rmtree(folder / "Film 2 (2001)")
    clock.advance(60)
    result = store.media.scan(library.id, accept_missing=True)
    assert (result.moved, result.removed, result.added) == (1, 1, 0)
    after = ids(store, library.id)
    assert after["Film One (2001)/BDMV/index.bdmv"] == before["Film 1 (2001)/BDMV/index.bdmv"]


def test_a_disc_that_changes_is_read_again(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    index = write_dvd(folder / "Film (2001)/VIDEO_TS")
    store.media.scan(library.id)
    size = only_file(store, library).size
    main = index.with_name("VTS_02_1.VOB")
    with main.open("ab") as file:
        file.write(bytes(5000))
    os.utime(main, ns=(2**60, 2**60 + 10**18))
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 1}
    assert only_file(store, library).size == size + 5000


def test_a_disc_that_is_incomplete_is_recorded_with_an_error(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    index = write_bluray(folder / "Film (2001)/BDMV")
    shutil.rmtree(index.parent / "STREAM")
    result = store.media.scan(library.id)
    assert (result.added, result.errors) == (1, 1)
    assert "files of it are missing" in str(only_file(store, library).error)


def test_a_part_inside_a_disc_is_the_folder_with_the_disc(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    index = write_bluray(folder / "Film (2001)/BDMV")
    assert store.media.scan(library.id, folder=index.parent / "STREAM").added == 1
    assert only_file(store, library).path == str(index)


def test_a_disc_is_no_music_and_an_episode_only_if_a_folder_says_which(
    store: Store, tmp_path: Path
) -> None:
    write_dvd(tmp_path / "tv/Show (2001)/Season 1/Disc 1/VIDEO_TS", seed=1)
    write_dvd(tmp_path / "tv/Show (2001)/Season 1/Show S01E04/VIDEO_TS", seed=2)
    write_dvd(tmp_path / "music/Artist/Album/VIDEO_TS", seed=3)
    shows = store.media.add_library("tv", tmp_path / "tv", "tv")
    music = store.media.add_library("music", tmp_path / "music", "music")
    assert store.media.scan(music.id).added == 0
    assert store.media.scan(shows.id).added == 2
    [show] = store.media.shows().items
    numbers = [e.episode_number for s in store.media.show(show.id).seasons for e in s.episodes]
    assert numbers == [4]


def test_images_of_discs_and_addresses_are_recorded_and_never_opened(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    folder.joinpath("Film (2001).iso").write_bytes(b"\0" * 40_000)
    folder.joinpath("Other (2002).img").write_bytes(b"\1" * 40_000)
    folder.joinpath("Far (2003).strm").write_text("http://127.0.0.1:1/film.mkv\n")
    assert counts(store.media.scan(library.id)) == {"added": 3}
    files = {file.filename: file for file in every_file(store, library.id)}
    assert {file.container for file in files.values()} == {"iso", "strm"}
    assert {(file.probe_state, file.error) for file in files.values()} == {("done", None)}
    titles = [(movie.title, movie.year) for movie in store.media.movies().items]
    assert titles == [("Far", 2003), ("Film", 2001), ("Other", 2002)]
    assert store.media.scan(library.id).unchanged == 3


@given(st.binary(max_size=200), st.integers(0, 60))
def test_any_playlist_and_any_title_set_is_read(
    tmp_path_factory: Any, data: bytes, at: int
) -> None:
    folder = tmp_path_factory.mktemp("d") / "BDMV"
    write_bluray(folder, ((("00001", 5.0),),))
    playlist = folder / "PLAYLIST/00000.mpls"
    whole = playlist.read_bytes()
    playlist.write_bytes(whole[:at] + data + whole[at + len(data) :])
    assert discs.main_title(str(folder / "index.bdmv")) is not None
    dvd = write_dvd(folder.parent / "VIDEO_TS", ((1, 5),))
    (dvd.parent / "VTS_01_0.IFO").write_bytes(b"DVDVIDEO-VTS" + data)
    assert discs.main_title(str(dvd)) is not None
