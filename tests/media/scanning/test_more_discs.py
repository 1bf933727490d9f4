"""HD DVDs and the AVCHD folders of cameras are one item each, as DVDs and Blu-rays are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.support.discs import write_camera, write_hd_dvd
from tests.support.libraries import counts, every_file, ids
from viewra_lite import Store
from viewra_lite.media.models import MediaFile, MediaLibrary
from viewra_lite.media.probing import discs

PLAYLIST = """<Playlist><TitleSet><Title id="T" titleDuration="00:01:00:00"><PrimaryAudioVideoClip
src="file:///dvddisc/HVDVD_TS/FEATURE_1.MAP"/></Title></TitleSet></Playlist>"""

pytestmark = pytest.mark.usefixtures("probing_here")


def only_file(store: Store, library: MediaLibrary) -> MediaFile:
    [file] = every_file(store, library.id)
    return store.media.file(file.id)


def titles(store: Store) -> list[tuple[str, int | None]]:
    return [(movie.title, movie.year) for movie in store.media.movies().items]


@pytest.mark.parametrize("index", ["HVA00001.VTI", "HV000I01.IFO", "hva00001.vti"])
def test_an_hd_dvd_is_one_item_of_the_longest_title_of_its_playlist(
    store: Store, library: MediaLibrary, folder: Path, index: str
) -> None:
    path = write_hd_dvd(
        folder / "Film (2007)/HVDVD_TS",
        titles=[
            (["MENU_1"], "00:00:30:00"),
            (["FEATURE_1", "FEATURE_2"], "01:50:20:12"),
            (["GONE_1"], "09:00:00:00"),
        ],
        index=index,
    )
    assert counts(store.media.scan(library.id)) == {"added": 1}
    file = only_file(store, library)
    assert (file.path, file.duration, file.width) == (str(path), 6620.0, 64)
    parts = [path.with_name(f"FEATURE_{number}.EVO").stat().st_size for number in (1, 2)]
    assert (file.size, file.mime_type, file.source) == (
        sum(parts),
        "x-content/video-hddvd",
        "HD-DVD",
    )
    assert titles(store) == [("Film", 2007)]
    assert store.media.scan(library.id).unchanged == 1


def test_without_a_playlist_the_clips_of_one_name_are_the_title(tmp_path: Path) -> None:
    path = write_hd_dvd(tmp_path / "HVDVD_TS", ("MENU_1", "EXTRA_1", "FEATURE_1", "FEATURE_2"))
    title = discs.main_title(str(path))
    assert title is not None and title.seconds is None
    assert [Path(clip).name for clip in title.clips] == ["FEATURE_1.EVO", "FEATURE_2.EVO"]


def test_without_an_index_the_feature_stands_for_the_hd_dvd(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    write_hd_dvd(folder / "Film (2007)/HVDVD_TS", index=None)
    assert counts(store.media.scan(library.id)) == {"added": 1}
    assert only_file(store, library).filename == "FEATURE_1.EVO"
    assert titles(store) == [("Film", 2007)]


@pytest.mark.parametrize("place", ["PRIVATE/AVCHD/BDMV", "AVCHD/BDMV", "private/avchd/BDMV"])
def test_the_folder_of_a_camera_is_one_item_of_all_its_clips(
    store: Store, library: MediaLibrary, folder: Path, place: str
) -> None:
    path = write_camera(folder / "Holiday (2010)" / place)
    (folder / "Holiday (2010)/DCIM").mkdir()
    assert counts(store.media.scan(library.id)) == {"added": 1}
    file = only_file(store, library)
    assert (file.path, file.duration, file.width) == (str(path), 90.0, 64)
    assert (file.mime_type, file.source) == ("x-content/video-bluray", "AVCHD")
    assert titles(store) == [("Holiday", 2010)]
    assert store.media.scan(library.id).unchanged == 1


def test_without_an_index_a_clip_stands_for_the_camera_s_folder(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    write_camera(folder / "Holiday (2010)/PRIVATE/AVCHD/BDMV").unlink()
    assert counts(store.media.scan(library.id)) == {"added": 1}
    assert only_file(store, library).filename == "00002.MTS"
    assert titles(store) == [("Holiday", 2010)]


def test_two_discs_of_a_kind_are_parts_and_two_films_are_two(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for number in (1, 2):
        write_hd_dvd(folder / f"Long (2007)/Disc {number}/HVDVD_TS", seed=number)
        write_camera(folder / f"Trip {number}/PRIVATE/AVCHD/BDMV", seed=number + 5)
    assert store.media.scan(library.id).added == 4
    assert titles(store) == [("Long", 2007), ("Trip 1", None), ("Trip 2", None)]
    movie = store.media.movie(store.media.movies().items[0].id)
    assert [file.part for file in movie.files] == [1, 2]


def test_a_film_that_is_called_private_has_its_folder_s_files(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    write_hd_dvd(folder / "Private/HVDVD_TS")
    assert store.media.scan(library.id).added == 1
    assert titles(store) == [("Private", None)]


def test_pictures_and_nfo_beside_such_a_folder_are_of_its_film(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    write_hd_dvd(folder / "Film (2007)/HVDVD_TS", seed=1)
    write_camera(folder / "Holiday (2010)/PRIVATE/AVCHD/BDMV", seed=2)
    for name in ("Film (2007)", "Holiday (2010)"):
        (folder / name / "poster.jpg").touch()
        (folder / name / "movie.nfo").write_text(f"<movie><plot>{name[:4]}</plot></movie>")
    store.media.scan(library.id)
    for movie, plot in zip(store.media.movies().items, ("Film", "Holi"), strict=True):
        movie = store.media.movie(movie.id)
        assert (movie.overview, Path(str(movie.poster_path)).name) == (plot, "poster.jpg")


@pytest.mark.parametrize("inside", ["PRIVATE", "PRIVATE/AVCHD", "PRIVATE/AVCHD/BDMV/STREAM"])
def test_a_part_inside_a_camera_s_folder_is_scanned(
    store: Store, library: MediaLibrary, folder: Path, inside: str
) -> None:
    path = write_camera(folder / "Holiday (2010)/PRIVATE/AVCHD/BDMV")
    assert store.media.scan(library.id, folder=folder / "Holiday (2010)" / inside).added == 1
    assert only_file(store, library).path == str(path)


def test_such_a_folder_that_is_moved_keeps_its_id_and_is_read_again_when_it_changes(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    path = write_hd_dvd(folder / "Film (2007)/HVDVD_TS")
    store.media.scan(library.id)
    [before] = ids(store, library.id).values()
    (folder / "Film (2007)").rename(folder / "A Film (2007)")
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"moved": 1}
    assert list(ids(store, library.id).values()) == [before]
    clip = folder / "A Film (2007)/HVDVD_TS" / "FEATURE_2.EVO"
    clip.write_bytes(clip.read_bytes() + bytes(5000))
    os.utime(clip, ns=(2**60, 2**60 + 10**18))
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 1}
    assert path.name == only_file(store, library).filename


@given(st.text(max_size=200), st.integers(0, 300))
def test_any_playlist_is_read(tmp_path_factory: Any, text: str, at: int) -> None:
    disc = tmp_path_factory.mktemp("d")
    for name in ("HVDVD_TS", "ADV_OBJ"):
        (disc / name).mkdir()
    (disc / "HVDVD_TS/FEATURE_1.EVO").write_bytes(b"clip")
    whole = PLAYLIST
    playlist = f"{whole[:at]}{text}{whole[at:]}".encode("utf-8", "surrogatepass")
    (disc / "ADV_OBJ/VPLST000.XPL").write_bytes(playlist)
    assert discs.main_title(str(disc / "HVDVD_TS/HVA00001.VTI")) is not None
