"""What a store knows of the streams of files, and which verbs bring it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import peewee
import pytest
from playhouse.migrate import SchemaMigrator

from tests.support.encoded import DEFAULT, audio, subtitle, video, write_parts
from tests.support.libraries import blob, clip, every_file, facts
from tests.support.media import write_audio
from viewra_lite import Store
from viewra_lite.errors import NotFoundError, ProbeUnavailable
from viewra_lite.media.models import MediaChapter, MediaFile, MediaLibrary, MediaStream
from viewra_lite.media.probing import probe

pytestmark = pytest.mark.usefixtures("probing_here")


def film(path: Path, *, languages: tuple[str, ...] = ("eng",), chapters: int = 2) -> Path:
    """Write a film with sound and subtitles in these languages, and with chapters."""
    parts = [audio("aac", language=one, flags=DEFAULT) for one in languages]
    parts += [subtitle("subrip", b"Hi", language=one) for one in languages]
    names = [(n * 50, f"Chapter {n + 1}") for n in range(chapters)]
    return write_parts(path, video("libx264"), *parts, chapters=names)


def kinds(file: MediaFile) -> list[tuple[str, str | None]]:
    return [(stream.kind, stream.language) for stream in file.streams]


ENGLISH = [("video", None), ("audio", "en"), ("subtitle", "en")]


def test_a_scan_stores_streams_and_chapters(store: Store, library: MediaLibrary, folder: Path):
    film(folder / "Heat (1995).mkv")
    store.media.scan(library.id)
    [file] = every_file(store, library.id)
    found = store.media.file(file.id)
    assert kinds(found) == ENGLISH
    picture, sound, words = found.streams
    assert (picture.codec, picture.width, picture.height) == ("h264", 64, 48)
    assert (sound.codec, sound.channels, sound.sample_rate) == ("aac", 2, 48_000)
    assert (sound.is_default, sound.is_forced, words.codec) == (True, False, "subrip")
    assert [stream.stream_index for stream in found.streams] == [0, 1, 2]
    assert found.bit_rate and found.hdr is None
    assert [(one.start, one.title) for one in found.chapters] == [
        (0.0, "Chapter 1"),
        (0.05, "Chapter 2"),
    ]


def test_movie_brings_the_streams_of_all_its_files_and_pages_do_not(
    store: Store, library: MediaLibrary, folder: Path
):
    film(folder / "Heat (1995)" / "Heat (1995) - 1080p.mkv")
    film(folder / "Heat (1995)" / "Heat (1995) - German.mkv", languages=("ger", "fre"), chapters=0)
    store.media.scan(library.id)
    [listed] = store.media.movies().items
    assert not hasattr(listed.media_file, "streams")
    movie = store.media.movie(listed.id)
    english, german = movie.files
    assert kinds(english) == ENGLISH and len(english.chapters) == 2
    assert len(german.streams) == 5 and german.chapters == []
    assert [stream.language for stream in german.streams][1:] == ["de", "fr", "de", "fr"]
    [best] = [file for file in movie.files if file.id == movie.media_file.id]
    assert kinds(movie.media_file) == kinds(best)
    assert not hasattr(store.media.files(library.id).items[0], "streams")


def test_a_changed_file_gets_its_new_streams(store: Store, library: MediaLibrary, folder: Path):
    path = film(folder / "Heat (1995).mkv", languages=("eng", "ger"))
    store.media.scan(library.id)
    [file] = every_file(store, library.id)
    film(path, languages=("fre",), chapters=0)
    store.media.scan(library.id)
    found = store.media.file(file.id)
    assert kinds(found) == [("video", None), ("audio", "fr"), ("subtitle", "fr")]
    assert found.chapters == []
    blob(path, "broken")
    store.media.scan(library.id)
    found = store.media.file(file.id)
    assert (found.streams, found.bit_rate) == ([], None) and found.error


def test_subtitle_files_stay_and_are_numbered_after_the_streams(
    store: Store, library: MediaLibrary, folder: Path
):
    path = film(folder / "Heat (1995).mkv")
    store.media.scan(library.id)
    [file] = every_file(store, library.id)
    beside = str(folder / "Heat (1995).de.srt")
    with store.writer():
        MediaStream.create(
            media_file=file.id, stream_index=3, kind="subtitle", external_path=beside
        )
    film(path, languages=("eng", "ger", "fre"))
    store.media.scan(library.id)
    *inside, last = store.media.file(file.id).streams
    assert len(inside) == 7 and all(stream.external_path is None for stream in inside)
    assert (last.stream_index, last.external_path) == (7, beside)


def test_streams_stay_while_nothing_can_read_them(
    store: Store, library: MediaLibrary, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    path = film(folder / "Heat (1995).mkv")
    store.media.scan(library.id)
    [file] = every_file(store, library.id)

    def missing(path: str) -> Any:
        raise ProbeUnavailable("pymediainfo is missing")

    with monkeypatch.context() as patch:
        patch.setattr(probe, "parsed", missing)
        film(path, languages=("fre",))
        store.media.scan(library.id)
    found = store.media.file(file.id)
    assert (found.probe_state, kinds(found), len(found.chapters)) == ("partial", ENGLISH, 2)
    store.media.scan(library.id)
    assert kinds(store.media.file(file.id))[1] == ("audio", "fr")


def test_a_moved_file_keeps_its_streams_and_a_forgotten_one_takes_them_along(
    store: Store, library: MediaLibrary, folder: Path
):
    path = film(folder / "Heat (1995).mkv")
    store.media.scan(library.id)
    [file] = every_file(store, library.id)
    (folder / "New").mkdir()
    path.rename(folder / "New" / "Heat (1995).mkv")
    store.media.scan(library.id)
    assert kinds(store.media.file(file.id)) == ENGLISH
    with store.reader():
        assert MediaStream.select().count() == 3
    store.media.remove_library(library.id)
    with store.reader():
        assert MediaStream.select().count() == MediaChapter.select().count() == 0


def test_a_file_that_was_only_reported_has_no_streams(
    store: Store, library: MediaLibrary, folder: Path
):
    path = clip(folder / "Heat (1995).mkv")
    with store.media.reconcile(library.id) as files:
        files.add(facts(path, identity="movie:heat:1995"))
    [file] = every_file(store, library.id)
    found = store.media.file(file.id)
    assert (found.streams, found.chapters) == ([], [])


def test_what_the_name_says_of_a_file_is_kept_with_it(
    store: Store, library: MediaLibrary, folder: Path
):
    clip(folder / "Blade Runner (1982) {edition-Final Cut}.mkv", seed=1)
    clip(folder / "Gone With the Wind (1939) - part2.mkv", seed=2)
    store.media.scan(library.id)
    assert [(file.edition, file.part) for file in every_file(store, library.id)] == [
        ("Final Cut", None),
        (None, 2),
    ]


# Episodes and tracks


def test_episodes_have_all_their_files(store: Store, folder: Path):
    library = store.media.add_library("Shows", folder, "tv")
    season = folder / "Dark (2017)" / "Season 1"
    clip(season / "Dark - S01E01 - 720p.mkv", seed=1, width=64)
    film(season / "Dark - S01E01 - 1080p.mkv")
    clip(season / "Dark - S01E02-E03.mkv", seed=3)
    store.media.scan(library.id)
    [listed] = store.media.shows().items
    show = store.media.show(listed.id)
    first, second, third = show.seasons[0].episodes
    assert [Path(file.path).name for file in first.files] == [
        "Dark - S01E01 - 1080p.mkv",
        "Dark - S01E01 - 720p.mkv",
    ]
    assert [file.id for file in second.files] == [file.id for file in third.files]
    assert second.files == [second.media_file] and not hasattr(first.files[0], "streams")
    episode = store.media.episode(first.id)
    assert (episode.show.title, episode.season.season_number) == ("Dark", 1)
    assert [file.id for file in episode.files] == [file.id for file in first.files]
    assert kinds(episode.files[0]) == ENGLISH
    assert episode.media_file.streams is not None and len(episode.files[1].streams) == 1


def test_an_episode_without_a_file_has_none(store: Store, folder: Path):
    library = store.media.add_library("Shows", folder, "tv")
    show = store.media.save_show(library.id, title="Dark")
    saved = store.media.save_episode(show.id, season_number=1, episode_number=1)
    assert (saved.files, saved.media_file, saved.show.title) == ([], None, "Dark")
    assert store.media.show(show.id).seasons[0].episodes[0].files == []
    with pytest.raises(NotFoundError, match="no episode"):
        store.media.episode("nothing")


def test_tracks_have_all_their_files(store: Store, folder: Path):
    library = store.media.add_library("Music", folder, "music")
    known: dict[str, Any] = {"artist": "Björk", "album": "Homogenic", "title": "Jóga", "track": 1}
    write_audio(folder / "Homogenic" / "01 Jóga.flac", seed=1, **known)
    write_audio(folder / "Homogenic" / "01 Jóga.mp3", seed=2, **known)
    store.media.scan(library.id)
    [listed] = store.media.albums().items
    [track] = store.media.album(listed.id).tracks
    assert [file.container for file in track.files] == ["flac", "mp3"]
    found = store.media.track(track.id)
    assert found.album.title == "Homogenic"
    assert [[stream.codec for stream in file.streams] for file in found.files] == [
        ["flac"],
        ["mp3"],
    ]
    with pytest.raises(NotFoundError, match="no track"):
        store.media.track("nothing")


def test_files_of_another_library_are_not_listed(store: Store, tmp_path: Path):
    made = []
    for name in ("one", "two"):
        library = store.media.add_library(name, _folder(tmp_path / name), "tv")
        clip(tmp_path / name / "Dark (2017)" / "Dark S01E01.mkv", seed=len(made))
        store.media.scan(library.id)
        made.append(library.id)
    for library_id in made:
        [show] = store.media.shows(library_id=library_id).items
        [season] = store.media.show(show.id).seasons
        [file] = season.episodes[0].files
        assert file.library_id == library_id
        [file] = store.media.episode(season.episodes[0].id).files
        assert file.library_id == library_id


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


# Upgrades


def test_files_that_an_older_version_has_probed_are_probed_again():
    database = peewee.SqliteDatabase(":memory:")
    migrator = SchemaMigrator.from_database(database)
    scripts = "viewra_lite.media.migrations"
    import_module(f"{scripts}.0001_initial").up(migrator, database)
    database.execute_sql(
        "INSERT INTO media_libraries (id, name, path, type, created_at, updated_at) "
        "VALUES ('l', 'l', '/l', 'movie', '', '')"
    )
    for state in ("pending", "partial", "done", "failed"):
        database.execute_sql(
            "INSERT INTO media_files (id, library_id, path, filename, created_at, updated_at, "
            "probe_state) VALUES (?, 'l', ?, '', '', '', ?)",
            (state, f"/l/{state}", state),
        )
    import_module(f"{scripts}.0002_recognition").up(migrator, database)
    rows = database.execute_sql("SELECT id, probe_state FROM media_files ORDER BY id")
    assert dict(rows.fetchall()) == {
        "pending": "pending",
        "partial": "partial",
        "done": "partial",
        "failed": "partial",
    }
    database.close()


def test_the_next_scan_reads_the_streams_of_files_without(
    store: Store, library: MediaLibrary, folder: Path
):
    film(folder / "Heat (1995).mkv")
    store.media.scan(library.id)
    with store.writer():
        MediaStream.delete().execute()
        MediaFile.update(probe_state="partial").execute()
    result = store.media.scan(library.id)
    assert (result.probed, result.unchanged) == (1, 1)
    [file] = every_file(store, library.id)
    assert kinds(store.media.file(file.id)) == ENGLISH
