"""What is beside the media arrives with a scan, changes with it, and goes with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip, counts
from tests.support.media import write_audio
from viewra_lite import Store
from viewra_lite.media.models import (
    Album,
    Episode,
    MediaFolder,
    MediaLibrary,
    MediaStream,
    Movie,
    Season,
    TVShow,
)

pytest.importorskip("guessit")
pytestmark = pytest.mark.usefixtures("probing_here")


class Shelf:
    """A library, its folder, and what a test asks of it."""

    def __init__(self, store: Store, folder: Path, kind: str) -> None:
        folder.mkdir()
        self.store, self.folder = store, folder
        self.id = store.media.add_library(kind, folder, kind).id
        self._seed = 0

    def media(self, *names: str) -> None:
        for name in names:
            self._seed += 1
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".mp3"):
                write_audio(self.folder / name, seconds=0.2, seed=self._seed)
            else:
                clip(self.folder / name, seed=self._seed)

    def write(self, name: str, text: str = "x") -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def delete(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink()

    def scan(self, **options: Any) -> Any:
        return self.store.media.scan(self.id, **options)

    def movie(self, title: str = "Heat") -> Movie:
        found = self.store.media.find_movie(title)
        assert found is not None
        return self.store.media.movie(found.id)

    def show(self) -> TVShow:
        (show,) = self.store.media.shows(library_id=self.id).items
        return self.store.media.show(show.id)

    def album(self) -> Album:
        (album,) = self.store.media.albums(library_id=self.id).items
        return self.store.media.album(album.id)

    def subtitles(self, name: str) -> list[tuple[Any, ...]]:
        with self.store.reader():
            file = self.store.media.find_file(self.id, self.folder / name)
            assert file is not None
            rows = MediaStream.select().where(
                MediaStream.media_file == file.id, MediaStream.external_path.is_null(False)
            )
            return [
                (os.path.relpath(row.external_path, self.folder), row.codec, row.language)
                for row in rows.order_by(MediaStream.stream_index)
            ]

    def pending(self) -> list[str]:
        with self.store.reader():
            return [row.path for row in MediaFolder.select().where(MediaFolder.is_pending)]


Make = Callable[[str], Shelf]


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Make:
    return lambda kind: Shelf(store, tmp_path / f"the {kind}s", kind)


HEAT = """<movie><title>Heat, the Film</title><originaltitle>Hot</originaltitle><plot>Cops.</plot>
<year>1995</year><genre>Crime</genre><director>M. M.</director><runtime>170</runtime>
<ratings><rating max="10"><value>8.3</value></rating></ratings><uniqueid type="tmdb">949</uniqueid>
<actor><name>Al</name><role>Vincent</role></actor><playcount>2</playcount></movie>"""


def test_a_film_gets_what_its_nfo_and_pictures_say(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv", "Ronin (1998)/Ronin (1998).mkv")
    films.write("Heat (1995)/movie.nfo", HEAT)
    poster = films.write("Heat (1995)/poster.jpg")
    fanart = films.write("Heat (1995)/Heat (1995)-fanart.png")
    result = films.scan()
    assert (counts(result), result.problems) == ({"added": 2}, ())
    heat = films.movie()
    assert (heat.title, heat.sort_title, heat.original_title) == (
        *("Heat, the Film", "heat, the film", "Hot"),
    )
    assert (heat.overview, heat.genres, heat.director) == ("Cops.", ["Crime"], "M. M.")
    assert (heat.runtime, heat.rating, heat.tmdb_id) == (170, 8.3, 949)
    assert heat.cast == [{"name": "Al", "role": "Vincent"}]
    assert (heat.poster_path, heat.backdrop_path, heat.logo_path) == (poster, fanart, None)
    ronin = films.movie("Ronin")
    assert (ronin.overview, ronin.poster_path) == (None, None)
    assert [hit.title for hit in films.store.media.search("vincent al")] == []
    assert [hit.title for hit in films.store.media.search("al")] == ["Heat, the Film"]
    assert films.store.playback.continue_watching("ann") == []
    assert films.pending() == []


def test_a_scan_of_nothing_new_reads_nothing_again(
    shelf: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv")
    films.write("Heat (1995)/movie.nfo", HEAT)
    films.scan()
    before = films.movie()
    monkeypatch.setattr("viewra_lite.media.beside.disk.read", None)
    assert counts(films.scan()) == {"unchanged": 1}
    assert films.movie().updated_at == before.updated_at


def test_a_changed_nfo_or_picture_arrives_though_the_film_did_not_change(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv")
    films.scan()
    assert films.movie().overview is None
    films.write("Heat (1995)/movie.nfo", HEAT)
    assert counts(films.scan()) == {"unchanged": 1}
    assert films.movie().overview == "Cops."
    films.write("Heat (1995)/movie.nfo", HEAT.replace("Cops.", "Robbers, too."))
    poster = films.write("Heat (1995)/folder.png")
    films.scan()
    heat = films.movie()
    assert (heat.overview, heat.poster_path) == ("Robbers, too.", poster)
    poster = films.write("Heat (1995)/poster.jpg")
    films.delete("Heat (1995)/folder.png")
    films.scan()
    assert films.movie().poster_path == poster


def test_a_deleted_nfo_takes_its_values_along_and_the_name_decides_again(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv")
    films.write("Heat (1995)/movie.nfo", HEAT.replace("1995", "1996"))
    films.write("Heat (1995)/poster.jpg")
    films.scan()
    id = films.movie("Heat, the Film").id
    films.delete("Heat (1995)/movie.nfo")
    films.scan()
    heat = films.movie()
    assert (heat.id, heat.title, heat.sort_title, heat.year) == (id, "Heat", "heat", 1995)
    assert (heat.overview, heat.cast, heat.rating, heat.tmdb_id) == (None, None, None, None)
    assert heat.poster_path is not None
    films.delete("Heat (1995)/poster.jpg")
    films.scan()
    assert films.movie().poster_path is None
    with films.store.reader():
        assert MediaFolder.select().count() == 0


def test_what_a_person_has_written_stays(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv")
    films.scan()
    films.store.media.save_movie(
        films.id, id=films.movie().id, title="My Heat", overview=None, poster_path="https://e.org/p"
    )
    films.write("Heat (1995)/movie.nfo", HEAT)
    films.write("Heat (1995)/poster.jpg")
    films.scan()
    heat = films.movie("My Heat")
    assert (heat.title, heat.poster_path, heat.director) == (
        *("My Heat", "https://e.org/p", "M. M."),
    )
    films.store.media.save_movie(films.id, id=heat.id, director="Me")
    films.delete("Heat (1995)/movie.nfo")
    films.scan()
    heat = films.movie("My Heat")
    assert (heat.title, heat.director, heat.original_title) == ("My Heat", "Me", None)


def test_in_a_folder_of_several_films_only_what_is_named_after_a_film_is_its(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Box/Heat (1995).mkv", "Box/Ronin (1998).mkv", "Alien (1979).mkv")
    films.write("Box/movie.nfo", HEAT)
    films.write("Box/poster.jpg")
    films.write("poster.jpg")
    films.write("movie.nfo", HEAT)
    films.write("Box/Ronin (1998).nfo", "<movie><plot>Cars.</plot></movie>")
    ronin = films.write("Box/Ronin (1998)-poster.jpg")
    alien = films.write("Alien (1979).jpg")
    films.scan()
    assert (films.movie().overview, films.movie().poster_path) == (None, None)
    assert (films.movie("Ronin").overview, films.movie("Ronin").poster_path) == ("Cars.", ronin)
    assert (films.movie("Alien").overview, films.movie("Alien").poster_path) == (None, alien)


def test_a_second_film_in_a_folder_takes_the_folders_poster_from_the_first(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Box/Heat (1995).mkv", "Box/Heat (1995)-trailer.mkv")
    poster = films.write("Box/poster.jpg")
    films.scan()
    assert films.movie().poster_path == poster
    films.media("Box/Ronin (1998).mkv")
    films.scan()
    assert (films.movie().poster_path, films.movie("Ronin").poster_path) == (None, None)


def test_discs_and_versions_are_beside_the_folder_of_their_film(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/CD1/Heat (1995) cd1.mkv", "Heat (1995)/CD2/Heat (1995) cd2.mkv")
    films.media("Ronin (1998)/Ronin (1998) - 720p.mkv", "Ronin (1998)/Ronin (1998) - 1080p.mkv")
    films.write("Heat (1995)/Heat.nfo", "<movie><plot>Discs.</plot></movie>")
    films.write("Ronin (1998)/Ronin (1998) - 720p.nfo", "<movie><plot>Old.</plot></movie>")
    films.scan()
    assert films.movie().overview == "Discs."
    assert films.movie("Ronin").overview == "Old."


def test_an_address_is_enough_and_a_picture_on_disk_is_preferred_to_one(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/heat.mkv", "Ronin (1998)/ronin.mkv")
    films.write("Heat (1995)/heat.nfo", "https://www.imdb.com/title/tt0113277/")
    films.write(
        "Ronin (1998)/ronin.nfo",
        "<movie><title>Ronin</title><thumb aspect='poster'>https://e.org/p.jpg</thumb>"
        "<thumb aspect='landscape'>https://e.org/l.jpg</thumb></movie>",
    )
    poster = films.write("Ronin (1998)/poster.webp")
    films.scan()
    assert films.movie().imdb_id == "tt0113277"
    ronin = films.movie("Ronin")
    assert (ronin.poster_path, ronin.thumb_path) == (poster, "https://e.org/l.jpg")


def test_an_id_in_a_name_is_preferred_to_that_of_an_nfo(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995) [tmdbid=5]/Heat.mkv")
    films.write("Heat (1995) [tmdbid=5]/movie.nfo", HEAT)
    for _ in range(2):
        films.scan()
        assert (films.movie().tmdb_id, films.movie().overview) == (5, "Cops.")
        films.write("Heat (1995) [tmdbid=5]/extra.nfo", HEAT)


def test_bad_nfo_files_are_listed_and_end_no_scan(shelf: Make) -> None:
    films = shelf("movie")
    names = ("A (2001)", "B (2002)", "C (2003)", "D (2004)")
    films.media(*(f"{name}/{name}.mkv" for name in names))
    films.write(
        "A (2001)/movie.nfo", '<!DOCTYPE x [<!ENTITY a "b">]><movie><plot>&a;</plot></movie>'
    )
    films.write("B (2002)/movie.nfo", "<movie><plot>Kept.</plot><genre>cut")
    (films.folder / "C (2003)/movie.nfo").write_bytes(b"\xff\xfe\x00" + b"<" * 3_000_000)
    os.symlink("/nowhere", films.folder / "D (2004)/movie.nfo")
    result = films.scan()
    assert result.added == 4 and result.errors == 3
    assert [os.path.relpath(one.path, films.folder) for one in result.problems] == [
        f"{name}/movie.nfo" for name in names[:3]
    ]
    assert films.movie("B").overview == "Kept."
    assert films.movie("A").overview is None
    assert films.scan().errors == 0


def test_a_film_that_moves_takes_the_pictures_of_its_new_folder(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Old/Heat (1995).mkv")
    films.write("Old/poster.jpg")
    films.write("Old/movie.nfo", HEAT)
    films.scan()
    id = films.movie("Heat, the Film").id
    (films.folder / "Old").rename(films.folder / "Heat (1995)")
    films.scan()
    heat = films.movie("Heat, the Film")
    assert (heat.id, heat.poster_path) == (id, str(films.folder / "Heat (1995)/poster.jpg"))
    (films.folder / "New").mkdir()
    (films.folder / "Heat (1995)/Heat (1995).mkv").rename(films.folder / "New/Heat (1995).mkv")
    films.scan()
    heat = films.movie()
    assert (heat.id, heat.poster_path, heat.overview) == (id, None, None)


def test_an_unplugged_disk_takes_nothing_away(shelf: Make, tmp_path: Path) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv", "Ronin (1998)/Ronin (1998).mkv")
    poster = films.write("Heat (1995)/poster.jpg")
    films.write("Heat (1995)/movie.nfo", HEAT)
    films.scan()
    (films.folder / "Heat (1995)").rename(tmp_path / "unplugged")
    assert films.scan().frozen is not None
    assert films.movie("Heat, the Film").poster_path == poster
    (tmp_path / "unplugged").rename(films.folder / "Heat (1995)")
    films.delete("Heat (1995)/poster.jpg")
    films.scan()
    heat = films.movie("Heat, the Film")
    assert (heat.poster_path, heat.overview) == (None, "Cops.")


def test_the_scan_of_a_part_reads_what_is_beside_there_only(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv", "Ronin (1998)/Ronin (1998).mkv")
    films.write("Ronin (1998)/poster.jpg")
    films.scan()
    films.delete("Ronin (1998)/poster.jpg")
    films.write("Heat (1995)/movie.nfo", HEAT)
    films.scan(folder=films.folder / "Heat (1995)")
    assert films.movie().overview == "Cops."
    assert films.movie("Ronin").poster_path is not None
    films.scan(folder=films.folder / "Ronin (1998)")
    assert films.movie("Ronin").poster_path is None
    assert films.movie("Heat, the Film").overview == "Cops."


def test_an_interrupted_scan_reads_the_rest_the_next_time(
    shelf: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv")
    films.write("Heat (1995)/movie.nfo", HEAT)
    with monkeypatch.context() as patch:
        patch.setattr("viewra_lite.media.beside.reading.Beside._write", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            films.scan()
    assert films.pending() == [str(films.folder / "Heat (1995)")]
    films.scan()
    assert films.movie().overview == "Cops." and films.pending() == []


def _interrupted(self: object) -> None:
    raise KeyboardInterrupt


def test_a_name_that_is_not_text_is_no_picture(shelf: Make) -> None:
    films = shelf("movie")
    name = os.fsdecode(b"caf\xe9 (2001)")
    films.media(f"{name}/x.mkv")
    (films.folder / name / "poster.jpg").touch()
    (films.folder / name / "x.en.srt").touch()
    films.scan()
    (movie,) = films.store.media.movies().items
    assert movie.poster_path is None
    assert films.subtitles(f"{name}/x.mkv") == [(f"{name}/x.en.srt", "subrip", "en")]


# Shows

EPISODES = """<episodedetails><title>One</title><season>1</season><episode>1</episode>
<plot>First.</plot></episodedetails><episodedetails><title>Two</title><season>1</season>
<episode>2</episode><plot>Second.</plot><aired>2004-09-29</aired></episodedetails>"""


def test_a_show_its_seasons_and_episodes(shelf: Make) -> None:
    shows = shelf("tv")
    shows.media("Lost/Season 1/Lost S01E01-E02.mkv", "Lost/Season 2/Lost S02E01.mkv")
    shows.media("Lost/Specials/Lost S00E01.mkv")
    shows.write(
        "Lost/tvshow.nfo",
        "<tvshow><title>Lost Island</title><status>Ended</status><studio>ABC</studio>"
        "<uniqueid type='tvdb'>73739</uniqueid><namedseason number='2'>The Hatch</namedseason>"
        "<premiered>2004-09-22</premiered></tvshow>",
    )
    shows.write("Lost/Season 1/Lost S01E01-E02.nfo", EPISODES)
    shows.write("Lost/Season 1/season.nfo", "<season><plot>Crash.</plot></season>")
    poster, logo = shows.write("Lost/poster.jpg"), shows.write("Lost/clearlogo.png")
    first = shows.write("Lost/Season 1/folder.jpg")
    second = shows.write("Lost/season02-poster.jpg")
    special = shows.write("Lost/season-specials-poster.png")
    still = shows.write("Lost/Season 2/Lost S02E01-thumb.jpg")
    assert shows.scan().problems == ()
    show = shows.show()
    assert (show.title, show.status, show.network) == ("Lost Island", "ended", "ABC")
    assert (show.tvdb_id, show.first_air_date) == (73739, date(2004, 9, 22))
    assert (show.poster_path, show.logo_path) == (poster, logo)
    seasons = {season.season_number: season for season in show.seasons}
    assert {number: one.poster_path for number, one in seasons.items()} == {
        0: special,
        1: first,
        2: second,
    }
    assert (seasons[1].overview, seasons[2].title) == ("Crash.", "The Hatch")
    episodes = {(one.season_number, one.episode_number): one for one in _episodes(show)}
    assert [episodes[1, n].title for n in (1, 2)] == ["One", "Two"]
    assert [episodes[1, n].overview for n in (1, 2)] == ["First.", "Second."]
    assert episodes[1, 2].air_date == date(2004, 9, 29)
    assert (episodes[2, 1].still_path, episodes[1, 1].still_path) == (still, None)
    shows.delete("Lost/tvshow.nfo", "Lost/season02-poster.jpg")
    shows.scan()
    show = shows.show()
    assert (show.title, show.status, show.network, show.poster_path) == (
        *("Lost", "unknown", None, poster),
    )
    seasons = {season.season_number: season for season in show.seasons}
    assert (seasons[2].poster_path, seasons[2].title, seasons[1].poster_path) == (None, None, first)


def _episodes(show: TVShow) -> list[Episode]:
    return [episode for season in show.seasons for episode in season.episodes]


def test_a_show_with_one_season_on_a_shelf_keeps_its_pictures_apart(shelf: Make) -> None:
    shows = shelf("tv")
    shows.media("Anime/Cowboy/Season 1/Cowboy S01E01.mkv")
    poster = shows.write("Anime/Cowboy/poster.jpg")
    season = shows.write("Anime/Cowboy/Season 1/poster.jpg")
    shows.write("Anime/poster.jpg")
    shows.scan()
    show = shows.show()
    assert (show.poster_path, show.seasons[0].poster_path) == (poster, season)
    shows.write("Anime/fanart.jpg")
    shows.scan()
    assert (shows.show().poster_path, shows.show().backdrop_path) == (poster, None)


def test_a_show_without_season_folders_and_one_right_in_the_library(shelf: Make) -> None:
    shows = shelf("tv")
    shows.media("Dark/Dark S01E01.mkv", "Lost S01E01.mkv")
    poster = shows.write("Dark/folder.jpg")
    shows.write("poster.jpg")
    still = shows.write("Lost S01E01.jpg")
    shows.scan()
    by_title = {
        show.title: shows.store.media.show(show.id) for show in shows.store.media.shows().items
    }
    assert by_title["Dark"].poster_path == poster
    assert by_title["Dark"].seasons[0].poster_path is None
    assert by_title["Lost"].poster_path is None
    assert _episodes(by_title["Lost"])[0].still_path == still


def test_a_new_episode_gets_the_nfo_that_was_there_before_it(shelf: Make) -> None:
    shows = shelf("tv")
    shows.media("Dark/Season 1/Dark S01E01.mkv")
    shows.write(
        "Dark/Season 1/Dark S01E02.nfo", "<episodedetails><title>Two</title></episodedetails>"
    )
    shows.scan()
    shows.media("Dark/Season 1/Dark S01E02.mkv")
    shows.scan()
    assert [episode.title for episode in _episodes(shows.show())] == [None, "Two"]


def test_a_season_that_comes_later_gets_the_poster_in_the_shows_folder(shelf: Make) -> None:
    shows = shelf("tv")
    shows.media("Dark/Season 1/Dark S01E01.mkv")
    poster = shows.write("Dark/season02-poster.jpg")
    shows.scan()
    shows.media("Dark/Season 2/Dark S02E01.mkv")
    shows.scan()
    with shows.store.reader():
        season = Season.get(Season.season_number == 2)
    assert season.poster_path == poster


# Music


def test_an_album_gets_its_cover_nfo_and_lyrics(shelf: Make) -> None:
    music = shelf("music")
    music.media("Gould/Bach (1981)/01 - Aria.mp3", "Gould/Bach (1981)/02 - Vary.mp3")
    cover = music.write("Gould/Bach (1981)/cover.jpg")
    music.write("Gould/folder.jpg")
    music.write(
        "Gould/Bach (1981)/album.nfo",
        "<album><genre>Baroque</genre><label>Tin</label><type>album</type></album>",
    )
    lyrics = "[00:01.00]One\r\n[00:02.50]Two\n"
    (music.folder / "Gould/Bach (1981)/01 - Aria.lrc").write_bytes(lyrics.encode())
    music.scan()
    album = music.album()
    assert (album.cover_path, album.genres, album.label) == (cover, ["Baroque"], "Tin")
    assert [track.lyrics for track in album.tracks] == ["[00:01.00]One\n[00:02.50]Two", None]
    music.delete("Gould/Bach (1981)/01 - Aria.lrc", "Gould/Bach (1981)/album.nfo")
    music.scan()
    album = music.album()
    assert [track.lyrics for track in album.tracks] == [None, None]
    assert (album.label, album.cover_path) == (None, cover)


def test_an_album_on_discs_has_the_cover_of_its_folder_or_of_a_disc(shelf: Make) -> None:
    music = shelf("music")
    music.media("A/Both (1999)/CD1/01 - a.mp3", "A/Both (1999)/CD2/01 - b.mp3")
    disc = music.write("A/Both (1999)/CD2/folder.jpg")
    music.scan()
    assert music.album().cover_path == disc
    cover = music.write("A/Both (1999)/front.png")
    music.scan()
    assert music.album().cover_path == cover


# Subtitles


def test_subtitles_are_streams_of_their_video(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv", "Heat (1995)/Heat (1995)-trailer.mkv")
    films.write("Heat (1995)/Heat (1995).en.forced.srt")
    films.write("Heat (1995)/Heat (1995).pt-BR.sdh.srt")
    films.write("Heat (1995)/Heat (1995)-trailer.de.srt")
    films.write("Heat (1995)/Subs/2_French.srt")
    films.write("Heat (1995)/Subs/Heat (1995)/3_Italian.ass")
    films.scan()
    video = "Heat (1995)/Heat (1995).mkv"
    expected = [
        ("Heat (1995)/Heat (1995).en.forced.srt", "subrip", "en"),
        ("Heat (1995)/Heat (1995).pt-BR.sdh.srt", "subrip", "pt-BR"),
        ("Heat (1995)/Subs/2_French.srt", "subrip", "fr"),
        ("Heat (1995)/Subs/Heat (1995)/3_Italian.ass", "ass", "it"),
    ]
    assert films.subtitles(video) == expected
    assert films.subtitles("Heat (1995)/Heat (1995)-trailer.mkv") == [
        ("Heat (1995)/Heat (1995)-trailer.de.srt", "subrip", "de")
    ]
    with films.store.reader():
        forced, sdh = list(
            MediaStream.select()
            .where(MediaStream.language.in_(["en", "pt-BR"]))
            .order_by(MediaStream.stream_index)
        )
        assert (forced.is_forced, forced.title, sdh.is_forced, sdh.title) == (
            True,
            None,
            False,
            "SDH",
        )
        assert {forced.kind, sdh.kind} == {"subtitle"}
    films.delete("Heat (1995)/Subs/2_French.srt", "Heat (1995)/Heat (1995).en.forced.srt")
    films.scan()
    assert films.subtitles(video) == [expected[1], expected[3]]
    films.delete("Heat (1995)/Subs/Heat (1995)/3_Italian.ass")
    (films.folder / "Heat (1995)/Subs/Heat (1995)").rmdir()
    (films.folder / "Heat (1995)/Subs").rmdir()
    films.delete("Heat (1995)/Heat (1995).pt-BR.sdh.srt")
    films.scan()
    assert films.subtitles(video) == []


def test_a_folder_of_subtitles_that_goes_takes_them_along(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv")
    films.write("Heat (1995)/Subs/English.srt")
    films.scan()
    assert len(films.subtitles("Heat (1995)/Heat (1995).mkv")) == 1
    films.delete("Heat (1995)/Subs/English.srt")
    (films.folder / "Heat (1995)/Subs").rmdir()
    films.scan()
    assert films.subtitles("Heat (1995)/Heat (1995).mkv") == []


def test_subtitles_of_the_episodes_of_a_season(shelf: Make) -> None:
    shows = shelf("tv")
    shows.media("Dark/S1/Dark S01E01.mkv", "Dark/S1/Dark S01E02.mkv")
    shows.write("Dark/S1/Dark S01E01.de.srt")
    shows.write("Dark/S1/Subs/Dark S01E02.en.srt")
    shows.write("Dark/S1/Subs/Dark S01E01/2_English.srt")
    shows.write("Dark/S1/English.srt")
    shows.scan()
    assert shows.subtitles("Dark/S1/Dark S01E01.mkv") == [
        ("Dark/S1/Dark S01E01.de.srt", "subrip", "de"),
        ("Dark/S1/Subs/Dark S01E01/2_English.srt", "subrip", "en"),
    ]
    assert shows.subtitles("Dark/S1/Dark S01E02.mkv") == [
        ("Dark/S1/Subs/Dark S01E02.en.srt", "subrip", "en")
    ]


def test_subtitles_stay_when_the_video_is_read_again(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv")
    films.write("Heat (1995)/Heat (1995).en.srt")
    films.scan()
    clip(films.folder / "Heat (1995)/Heat (1995).mkv", seed=99, width=96)
    assert films.scan().updated == 1
    assert len(films.subtitles("Heat (1995)/Heat (1995).mkv")) == 1


def test_the_folders_of_a_removed_library_are_forgotten(shelf: Make, library: MediaLibrary) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv")
    films.write("Heat (1995)/movie.nfo", HEAT)
    films.scan()
    films.store.media.remove_library(films.id)
    with films.store.reader():
        assert MediaFolder.select().count() == 0


def test_a_cancelled_scan_takes_nothing_away_and_the_next_one_reads_the_rest(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995).mkv", "Ronin (1998)/Ronin (1998).mkv")
    poster = films.write("Heat (1995)/poster.jpg")
    films.scan()
    films.write("Ronin (1998)/movie.nfo", "<movie><plot>Cars.</plot></movie>")

    def cancel(phase: str, done: int, total: int) -> None:
        films.store.media.cancel_scan(films.id)

    films.scan(progress=cancel)
    assert films.movie().poster_path == poster
    films.scan()
    assert films.movie().poster_path == poster and films.movie("Ronin").overview == "Cars."


STEPS = {
    "film": lambda films: films.media("A/Heat (1995).mkv"),
    "nfo": lambda films: films.write("A/movie.nfo", HEAT),
    "poster": lambda films: films.write("A/folder.jpg"),
    "subtitle": lambda films: films.write("A/Subs/English.srt"),
    "trailer": lambda films: films.media("A/Heat (1995)-trailer.mkv"),
}


@pytest.mark.parametrize("order", ["ABCDE", "EDCBA", "BADCE", "DBEAC", "CEADB"])
def test_in_whatever_order_files_arrive_the_film_is_the_same(shelf: Make, order: str) -> None:
    films = shelf("movie")
    steps = list(STEPS.values())
    for letter in order:
        steps["ABCDE".index(letter)](films)
        films.scan()
    heat = films.movie("Heat, the Film")
    assert (heat.overview, heat.tmdb_id) == ("Cops.", 949)
    assert heat.poster_path == str(films.folder / "A/folder.jpg")
    assert [extra.kind for extra in heat.extras] == ["trailer"]
    assert films.subtitles("A/Heat (1995).mkv") == [("A/Subs/English.srt", "subrip", "en")]


def test_a_better_file_in_the_same_folder_keeps_what_is_beside(shelf: Make) -> None:
    films = shelf("movie")
    films.media("Heat (1995)/Heat (1995) - 480p.mkv")
    films.write("Heat (1995)/movie.nfo", HEAT)
    films.scan()
    id = films.movie("Heat, the Film").id
    films.delete("Heat (1995)/Heat (1995) - 480p.mkv")
    clip(films.folder / "Heat (1995)/Heat (1995) - 1080p.mkv", seed=77, width=128)
    films.scan(accept_missing=True)
    heat = films.movie("Heat, the Film")
    assert (heat.id, heat.overview, len(heat.files)) == (id, "Cops.", 1)
