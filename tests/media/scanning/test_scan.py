"""A scan turns files into movies, shows and music, and says what it found."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import blob, clip, counts, every_file, ids, told
from tests.support.media import garbage, make_library, truncated, write_audio, zero_bytes
from viewra_lite import Store
from viewra_lite.errors import NotFoundError, TransactionError
from viewra_lite.media.models import MediaFile, MediaLibrary
from viewra_lite.media.probing.workers.pool import ProbePool
from viewra_lite.media.scanning import scan as scanning

here = pytest.mark.usefixtures("probing_here")


def added(store: Store, folder: Path, kind: str = "movie") -> MediaLibrary:
    folder.mkdir(parents=True, exist_ok=True)
    return store.media.add_library(folder.name, folder, kind)


@here
def test_files_become_movies_shows_and_music(store: Store, tmp_path: Path) -> None:
    made = make_library(tmp_path)
    movies = added(store, made.movies)
    shows, music = added(store, made.shows, "tv"), added(store, made.music, "music")
    assert counts(store.media.scan(movies.id)) == {"added": 9}
    assert counts(store.media.scan(shows.id)) == {"added": 7}
    assert counts(store.media.scan(music.id)) == {"added": 4}
    films = {movie.title: movie for movie in store.media.movies(library_id=movies.id).items}
    assert len(films) == 8 and films["Metropolis"].year == 1927
    runner = store.media.movie(films["Blade Runner"].id)
    assert [file.width for file in runner.files] == [192, 384]
    assert runner.media_file.width == 384  # the better one stands for the movie
    assert store.media.file(films["Casablanca"].media_file_id).video_codec == "hevc"
    (show,) = store.media.shows().items
    assert (show.season_count, show.episode_count) == (2, 8)
    seasons = store.media.show(show.id).seasons
    assert [[e.episode_number for e in s.episodes] for s in seasons] == [[1, 2, 3], [1, 2, 3, 4, 5]]
    fourth, fifth = seasons[1].episodes[3:]
    assert fourth.media_file == fifth.media_file is not None
    assert (fourth.episode_number_end, fifth.episode_number_end) == (5, None)
    (album,) = store.media.albums().items
    assert (album.title, album.album_artist, album.track_count) == (
        "The Goldberg Variations",
        "Glenn Gould",
        4,
    )
    tracks = store.media.album(album.id).tracks
    assert [t.track_number for t in tracks] == [1, 2, 3, 4]
    assert tracks[0].media_file.container == "flac" and tracks[0].duration == pytest.approx(1, 0.1)
    assert {hit.kind for hit in store.media.search("gould aria")} == {"track"}


@here
def test_a_second_version_joins_its_movie_and_the_best_present_one_stands_for_it(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    library = added(store, tmp_path / "m")
    for number in range(5):
        clip(tmp_path / f"m/Filler {number} (1999).mkv", seed=number)
    clip(tmp_path / "m/Heat (1995)/Heat (1995) 480p.mkv", width=64, seed=10)
    store.media.scan(library.id)
    heat = next(m.id for m in store.media.movies().items if m.title == "Heat")
    clip(tmp_path / "m/Heat (1995)/Heat (1995) 1080p.mkv", width=128, seed=11)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"added": 1, "unchanged": 6}
    assert [file.width for file in store.media.movie(heat).files] == [128, 64]
    assert store.media.movie(heat).media_file.width == 128
    (tmp_path / "m/Heat (1995)/Heat (1995) 1080p.mkv").rename(tmp_path / "away")
    clock.advance(60)
    store.media.scan(library.id)
    assert store.media.movie(heat).media_file.width == 64
    (tmp_path / "away").rename(tmp_path / "m/Heat (1995)/Heat (1995) 1080p.mkv")
    clock.advance(60)
    store.media.scan(library.id)
    assert store.media.movie(heat).media_file.width == 128
    assert len(store.media.movies().items) == 6


@pytest.mark.parametrize("workers", ["processes", "in-process"])
def test_broken_files_are_recorded_never_stop_a_scan_and_are_looked_at_again_when_they_change(
    store: Store, tmp_path: Path, clock: Any, workers: str, request: pytest.FixtureRequest
) -> None:
    if workers == "in-process":
        request.getfixturevalue("probing_here")
    folder = tmp_path / "m"
    library = added(store, folder)
    broken = {
        truncated(folder / "Truncated (2001).mp4"): "",
        zero_bytes(folder / "Empty (2002).mkv"): "",
        garbage(folder / "Garbage (2003).avi"): "",
        blob(folder / "Text (2004).mkv"): "",
    }
    clip(folder / "Good (2005).mkv")
    result = store.media.scan(library.id)
    assert result.added == 5 and result.errors == len(result.problems) >= 3
    assert {problem.path for problem in result.problems} <= {str(path) for path in broken}
    for path in broken:
        file = store.media.find_file(library.id, path)
        assert file is not None and file.size == path.stat().st_size
        if file.probe_state == "failed":
            assert file.error and file.status == "present"
    titles = [movie.title for movie in store.media.movies().items]
    assert titles == ["Empty", "Garbage", "Good", "Text", "Truncated"]
    before = ids(store, library.id)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"unchanged": 5}
    for number, path in enumerate(broken):
        path.unlink()
        clip(path, seed=number + 1)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 4, "unchanged": 1}
    assert ids(store, library.id) == before
    assert {f.error for f in every_file(store, library.id)} == {None}
    assert len(store.media.movies().items) == 5


@here
def test_a_file_that_cannot_be_read_keeps_its_facts_and_is_tried_with_every_scan(
    store: Store, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewra_lite.media.probing import probe

    library = added(store, tmp_path / "m")
    path = clip(tmp_path / "m/Good (2005).mkv")
    other = clip(tmp_path / "m/Other (2005).mkv", seed=2)
    store.media.scan(library.id)
    good = store.media.find_file(library.id, path)
    read = probe.fingerprint

    def refused(name: str) -> str:
        if name in (str(path), str(new)):
            raise PermissionError(13, "Permission denied")
        return read(name)

    new = clip(tmp_path / "m/New (2005).mkv", seed=3)
    os.utime(path, ns=(1, 1))
    monkeypatch.setattr(probe, "fingerprint", refused)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {
        "added": 1,
        "updated": 1,
        "unchanged": 1,
        "errors": 2,
    }
    now = store.media.find_file(library.id, path)
    assert good is not None and now is not None
    assert (now.id, now.size, now.width, now.fingerprint) == (
        good.id,
        good.size,
        good.width,
        good.fingerprint,
    )
    assert now.error == "cannot be read: permission denied"
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"unchanged": 3, "errors": 2}
    monkeypatch.undo()
    monkeypatch.setattr(scanning, "ProbePool", lambda workers, timeout: ProbePool(0, timeout))
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"unchanged": 3}
    assert {f.error for f in every_file(store, library.id)} == {None}
    assert len(store.media.movies().items) == 3 and other.exists()


@here
def test_hidden_files_and_samples_are_left_out(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    library = added(store, folder)
    clip(folder / "Heat (1995)/Heat (1995).mkv")
    for name in (
        ".hidden.mkv",
        ".hidden/a.mkv",
        "Heat (1995)/Sample/heat.mkv",
        "@eaDir/x.mkv",
        "Heat (1995)/heat-sample.mkv",
        "#recycle/x.mkv",
        "notes.txt",
        "song.mp3",
        "Heat (1995)/poster.jpg",
        "Heat (1995)/Heat (1995).srt",
        "lost+found/a.mkv",
    ):
        blob(folder / name)
    assert counts(store.media.scan(library.id)) == {"added": 1}


@here
def test_every_folder_is_entered_once_however_it_is_linked(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    folder, outside = tmp_path / "m", tmp_path / "outside"
    library = added(store, folder)
    blob(folder / "real/A (2001).mkv"), blob(outside / "B (2002).mkv")
    (folder / "real/loop").symlink_to(folder)
    (folder / "Again").symlink_to(folder / "real")
    (folder / "out2").symlink_to(outside)
    (folder / "out1").symlink_to(outside)
    (folder / "self").symlink_to(folder / "self")
    (folder / "broken.mkv").symlink_to(tmp_path / "nothing.mkv")
    (folder / "C (2003).mkv").symlink_to(outside / "B (2002).mkv")
    store.media.scan(library.id)
    assert sorted(ids(store, library.id)) == [
        "C (2003).mkv",
        "out1/B (2002).mkv",
        "real/A (2001).mkv",
    ]
    before = ids(store, library.id)
    (folder / "a new link").symlink_to(outside)
    clock.advance(60)
    result = store.media.scan(library.id)
    assert (result.frozen, result.moved) == (None, 1)
    assert ids(store, library.id)["a new link/B (2002).mkv"] == before["out1/B (2002).mkv"]


@here
def test_pipes_sockets_and_folders_that_are_called_like_media_are_no_files(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "m"
    library = added(store, folder)
    os.mkfifo(folder / "pipe.mkv")
    monkeypatch.chdir(folder)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.mkv")
        blob(folder / "folder.mkv/Film (2001).mkv")
        (folder / "nul.mkv").symlink_to("/dev/null")
        assert counts(store.media.scan(library.id)) == {"added": 1, "errors": 1}


@pytest.mark.parametrize("workers", ["processes", "in-process"])
def test_names_of_any_bytes_and_any_length_come_back_as_they_are(
    store: Store, tmp_path: Path, workers: str, request: pytest.FixtureRequest, clock: Any
) -> None:
    if workers == "in-process":
        request.getfixturevalue("probing_here")
    folder = tmp_path / "m"
    library = added(store, folder)
    content = clip(tmp_path / "clip.mkv").read_bytes()
    names = [
        b"\xff\xfe \xe9 (2001).mkv",
        b"x" * 251 + b".mkv",
        "é" * 124 + ".mkv",
        "e\u0301 (2002).mkv",
        b"new\nline (2003).mkv",
        b"\xe9/" * 60 + b"deep (2004).mkv",
        "\U0010ff80\U0010ffff (2005).mkv",
        b"-rf (2006).mkv",
        b" .mkv",
        b"'\"\\%00 (2007).mkv",
    ]
    raw = [name.encode() if isinstance(name, str) else name for name in names]
    for number, name in enumerate(raw):
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content + bytes([number]))
    result = store.media.scan(library.id)
    assert counts(result) == {"added": len(raw)}, result.problems
    files = every_file(store, library.id)
    assert sorted(os.fsencode(file.path) for file in files) == sorted(
        os.path.join(os.fsencode(folder), name) for name in raw
    )
    for file in files:
        with open(file.path, "rb") as opened:
            assert len(opened.read()) == file.size
        assert file.filename == os.path.basename(file.path)
        found = store.media.find_file(library.id, file.path)
        assert found is not None and found.id == file.id
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"unchanged": len(raw)}


@here
def test_a_file_that_vanishes_or_grows_between_walk_and_probe_is_right_after_the_next_scan(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    folder = tmp_path / "m"
    library = added(store, folder)
    for number in range(8):
        clip(folder / f"Film {number} (2001).mkv", seed=number)

    def meddle(phase: str, done: int, total: int) -> None:
        if phase == "walk" and total:
            (folder / "Film 3 (2001).mkv").unlink()
            with (folder / "Film 4 (2001).mkv").open("ab") as file:
                file.write(b"more")

    result = store.media.scan(library.id, progress=meddle)
    assert counts(result) == {"added": 8, "errors": 1}
    assert "gone" in result.problems[0].message
    clock.advance(60)
    result = store.media.scan(library.id)
    assert (result.removed, result.updated, result.unchanged) == (1, 1, 6)
    grown = store.media.find_file(library.id, folder / "Film 4 (2001).mkv")
    assert grown is not None and grown.size == (folder / "Film 4 (2001).mkv").stat().st_size
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"missing": 1, "unchanged": 7}


@here
@pytest.mark.parametrize("kind", ["movie", "tv", "music"])
def test_a_second_scan_writes_nothing_but_the_time_of_the_scan(
    store: Store, tmp_path: Path, clock: Any, kind: str
) -> None:
    made = make_library(tmp_path / "l")
    folder = {"movie": made.movies, "tv": made.shows, "music": made.music}[kind]
    (garbage if kind != "music" else zero_bytes)(
        folder / ("Broken (2001) S01E01.mkv" if kind != "music" else "Broken.mp3")
    )
    library = store.media.add_library("l", folder, kind)
    first = store.media.scan(library.id)
    before, files = told(store), every_file(store, library.id)
    clock.advance(60)
    written = _written(store)
    assert counts(store.media.scan(library.id)) == {"unchanged": first.added}
    assert _written(store) == written
    assert told(store) == before
    assert [f.updated_at for f in every_file(store, library.id)] == [f.updated_at for f in files]
    assert store.media.library(library.id).last_scan == clock()


def _written(store: Store) -> Any:
    """Return who last wrote each row: on PostgreSQL its transaction, on SQLite nothing."""
    if store.engine == "sqlite":
        return None
    with store.reader():
        return {
            table: sorted(MediaFile.raw(f"SELECT xmin::text FROM {table}").tuples().execute())
            for table in ("media_files", "movies", "episodes", "tracks", "albums", "tv_shows")
        }


@here
def test_progress_comes_in_order_and_never_passes_its_total(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    library = added(store, folder)
    for number in range(230):
        blob(folder / f"{number}.mkv")
    calls: list[tuple[str, int, int]] = []
    store.media.scan(library.id, progress=lambda *call: calls.append(call))
    order = {"walk": 0, "probe": 1, "finish": 2}
    phases = [order[phase] for phase, _, _ in calls]
    assert phases == sorted(phases) and set(phases) == {0, 1, 2}
    assert all(0 <= done <= total for _, done, total in calls if total)
    assert ("walk", 100, 0) in calls and ("walk", 230, 230) in calls
    assert ("probe", 0, 230) in calls and ("probe", 230, 230) in calls
    assert calls[-2:] == [("finish", 0, 1), ("finish", 1, 1)]
    for phase in order:
        done = [call[1] for call in calls if call[0] == phase]
        assert done == sorted(done)


def test_a_scan_inside_a_session_or_of_nothing_is_refused(store: Store, tmp_path: Path) -> None:
    library = added(store, tmp_path / "m")
    for session in (store.reader, store.writer):
        with session(), pytest.raises(TransactionError, match="scan"):
            store.media.scan(library.id)
    with pytest.raises(NotFoundError, match="^no library 'x'$"):
        store.media.scan("x")


@here
def test_retagged_and_renamed_tracks_keep_their_ids(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    folder = tmp_path / "m"
    library = added(store, folder, "music")

    def song(name: str, number: int, title: str, album: str = "First") -> None:
        write_audio(
            folder / name,
            seconds=0.2,
            title=title,
            artist="Ann",
            album=album,
            track=number,
            seed=number,
        )

    for number in range(1, 6):
        song(f"{number}.mp3", number, f"Song {number}")
    store.media.scan(library.id)
    (album,) = store.media.albums().items
    before = {t.track_number: t.id for t in store.media.album(album.id).tracks}
    store.media.save_track(album.id, title="Song 1", track_number=1, lyrics="La la")
    song("1.mp3", 1, "Another Title")
    (folder / "2.mp3").rename(folder / "Two.mp3")
    song("3.mp3", 3, "Song 3", album="Second")
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 2, "moved": 1, "unchanged": 2}
    first, second = store.media.albums().items
    tracks = store.media.album(first.id).tracks + store.media.album(second.id).tracks
    assert {t.track_number: t.id for t in tracks} == before
    assert (first.track_count, second.track_count) == (4, 1)
    assert (tracks[0].title, tracks[0].lyrics) == ("Another Title", "La la")
    assert [hit.title for hit in store.media.search("another")] == ["Another Title"]


@here
def test_an_episode_gets_its_title_when_its_file_does_and_a_corrected_one(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "tv/Firefly (2002)/Season 1"
    untitled = clip(folder / "Firefly - S01E02.mkv", seed=2)
    titled = clip(folder / "Firefly - S01E03 - Bushwhacked.mkv", seed=3)
    library = store.media.add_library("tv", tmp_path / "tv", "tv")
    store.media.scan(library.id)
    untitled.rename(folder / "Firefly - S01E02 - The Train Job.mkv")
    titled.rename(folder / "Firefly - S01E03 - Something Else.mkv")
    store.media.scan(library.id)
    show = store.media.show(store.media.shows().items[0].id)
    titles = [episode.title for episode in show.seasons[0].episodes]
    assert titles == ["The Train Job", "Something Else"]
    assert store.media.search("train job")[0].title == "The Train Job"


@here
def test_shows_of_one_name_are_told_apart_by_their_year(store: Store, tmp_path: Path) -> None:
    for year in (1963, 2005):
        clip(tmp_path / f"tv/Doctor Who ({year})/Doctor Who ({year}) - S01E01.mkv", seed=year)
    library = store.media.add_library("tv", tmp_path / "tv", "tv")
    store.media.scan(library.id)
    assert {(show.title, show.year) for show in store.media.shows().items} == {
        ("Doctor Who", 1963),
        ("Doctor Who", 2005),
    }
    assert [hit.year for hit in store.media.search("doctor who 2005")] == [2005]


@here
def test_of_equal_copies_the_same_one_always_stands_for_the_movie(
    store: Store, tmp_path: Path
) -> None:
    for name in ("Solaris (1972) copy.mkv", "Solaris (1972).mkv", "Solaris (1972) - b.mkv"):
        clip(tmp_path / "m" / name)
    best = set()
    for _ in range(3):
        library = store.media.add_library("m", tmp_path / "m", "movie")
        store.media.scan(library.id)
        best.add(store.media.movies().items[0].media_file.filename)
        store.media.remove_library(library.id)
    assert best == {min(path.name for path in (tmp_path / "m").iterdir())}
