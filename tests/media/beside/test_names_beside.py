"""Pictures and subtitles beside the media, by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewra_lite.media.beside.languages import language_of
from viewra_lite.media.beside.pictures import Pictures
from viewra_lite.media.beside.places import folder_of_season, folders_of, folders_of_show
from viewra_lite.media.beside.subtitles import Subtitle, subtitles_in, subtitles_of

FILM = "Heat (1995)"


@pytest.mark.parametrize(
    ("name", "language", "is_forced", "title", "codec"),
    [
        ("Heat (1995).srt", None, False, None, "subrip"),
        ("heat (1995).SRT", None, False, None, "subrip"),
        ("Heat (1995).en.srt", "en", False, None, "subrip"),
        ("Heat (1995).en.forced.srt", "en", True, None, "subrip"),
        ("Heat (1995).forced.en.srt", "en", True, None, "subrip"),
        ("Heat (1995).eng-forced.ass", "en", True, None, "ass"),
        ("Heat (1995).foreign.srt", None, True, None, "subrip"),
        ("Heat (1995).pt-BR.sdh.srt", "pt-BR", False, "SDH", "subrip"),
        ("Heat (1995).pt_BR.srt", "pt-BR", False, None, "subrip"),
        ("Heat (1995).zh-hant-tw.srt", "zh-Hant-TW", False, None, "subrip"),
        ("Heat (1995).es-419.vtt", "es-419", False, None, "webvtt"),
        ("Heat (1995).English.srt", "en", False, None, "subrip"),
        ("Heat (1995).ger.ssa", "de", False, None, "ass"),
        ("Heat (1995) [Deutsch].ass", "de", False, None, "ass"),
        ("Heat (1995)_fr.sup", "fr", False, None, "hdmv_pgs_subtitle"),
        ("Heat (1995).hi.srt", "hi", False, None, "subrip"),
        ("Heat (1995).en.hi.srt", "en", False, "SDH", "subrip"),
        ("Heat (1995).en.cc.srt", "en", False, "CC", "subrip"),
        ("Heat (1995).fr.Director Commentary.srt", "fr", False, "Director Commentary", "subrip"),
        ("Heat (1995).en.2.srt", "en", False, None, "subrip"),
        ("Heat (1995).x264-GRP.srt", None, False, "x264 GRP", "subrip"),
        ("Heat (1995).sub", None, False, None, "microdvd"),
        ("English.srt", "en", False, None, "subrip"),
        ("2_English.srt", "en", False, None, "subrip"),
    ],
)
def test_a_subtitle_is_read_by_its_name(
    name: str, language: str | None, is_forced: bool, title: str | None, codec: str
) -> None:
    assert subtitles_of(FILM, [FILM], [name], is_only=True) == [
        Subtitle(name, codec, language, is_forced, False, title)
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Heat.srt",
        "Heat (1995) 2.srt",
        "Heat (1995) II.srt",
        "Heat (1995)2.srt",
        "Other film.srt",
        "Heat (1995).txt",
        "Heat (1995).mkv",
        ".srt",
        "2.srt",
    ],
)
def test_what_is_not_a_subtitle_of_the_film(name: str) -> None:
    assert subtitles_of(FILM, [FILM], [name], is_only=True) == []


def test_a_subtitle_belongs_to_the_longest_name_and_a_bare_language_to_the_only_video() -> None:
    stems = ["Show S01E01", "Show S01E01.720p"]
    names = ["Show S01E01.720p.en.srt", "Show S01E01.de.srt", "English.srt"]
    assert [one.name for one in subtitles_of(stems[0], stems, names, is_only=False)] == [
        "Show S01E01.de.srt"
    ]
    assert [one.name for one in subtitles_of(stems[1], stems, names, is_only=False)] == [
        "Show S01E01.720p.en.srt"
    ]


def test_of_a_vobsub_the_index_is_named_once() -> None:
    names = ["Heat (1995).en.sub", "Heat (1995).en.idx", "Heat (1995).de.sub"]
    found = subtitles_of(FILM, [FILM], names, is_only=True)
    assert [(one.name, one.codec) for one in found] == [
        ("Heat (1995).de.sub", "microdvd"),
        ("Heat (1995).en.idx", "dvd_subtitle"),
    ]


def test_all_subtitles_of_a_folder_that_belongs_to_one_video() -> None:
    names = [
        "2_English.srt",
        "3_French (SDH).srt",
        "4.srt",
        "Forced.srt",
        "info.txt",
        "Release.srt",
    ]
    assert [tuple(one)[:4] for one in subtitles_in(names)] == [
        ("2_English.srt", "subrip", "en", False),
        ("3_French (SDH).srt", "subrip", "fr", False),
        ("4.srt", "subrip", None, False),
        ("Forced.srt", "subrip", None, True),
        ("Release.srt", "subrip", None, False),
    ]


@pytest.mark.parametrize(
    ("word", "tag"),
    [
        ("en", "en"),
        ("ENG", "en"),
        ("Français", "fr"),
        ("fre", "fr"),
        ("en-US", "en-US"),
        ("ZH-HANS", "zh-Hans"),
        ("pob", "pt-BR"),
        ("xx", None),
        ("the", None),
        ("en-", None),
        ("", None),
    ],
)
def test_languages_in_their_forms(word: str, tag: str | None) -> None:
    assert language_of(word) == tag


def test_pictures_of_a_folder_that_one_title_has_to_itself() -> None:
    names = ["folder.jpg", "Poster.JPG", "fanart.png", "clearlogo.png", "landscape.webp", "x.jpg"]
    assert Pictures(names).generic("movie") == {
        "poster_path": "Poster.JPG",
        "backdrop_path": "fanart.png",
        "logo_path": "clearlogo.png",
        "thumb_path": "landscape.webp",
    }
    assert Pictures(["thumb.png", "logo.jpeg", "backdrop.jpg", "folder.jpg"]).generic("show") == {
        "poster_path": "folder.jpg",
        "backdrop_path": "backdrop.jpg",
        "logo_path": "logo.jpeg",
        "thumb_path": "thumb.png",
    }
    assert Pictures(["Folder.jpg", "cover.png"]).generic("album") == {"cover_path": "cover.png"}
    assert Pictures(["poster.txt", "poster"]).generic("movie") == {}


def test_of_one_picture_in_several_formats_the_usual_one_is_taken() -> None:
    assert Pictures(["poster.webp", "poster.png", "poster.jpg"]).generic("movie") == {
        "poster_path": "poster.jpg"
    }


def test_pictures_that_are_named_after_a_file() -> None:
    pictures = Pictures(
        ["Heat (1995)-poster.jpg", "heat (1995)-FANART.jpg", "Other-poster.jpg", "Pilot-thumb.jpg"]
    )
    assert pictures.own("movie", "Heat (1995)") == {
        "poster_path": "Heat (1995)-poster.jpg",
        "backdrop_path": "heat (1995)-FANART.jpg",
    }
    assert pictures.own("episode", "Pilot") == {"still_path": "Pilot-thumb.jpg"}
    assert Pictures(["Pilot.jpg"]).own("episode", "Pilot") == {"still_path": "Pilot.jpg"}


def test_posters_of_seasons_in_the_folder_of_their_show() -> None:
    names = [
        "season01-poster.jpg",
        "season2.png",
        "Season 03 Poster.jpg",
        "season-specials-poster.jpg",
        "season-all-poster.jpg",
        "season01-banner.jpg",
    ]
    assert Pictures(names).seasons() == {
        0: "season-specials-poster.jpg",
        1: "season01-poster.jpg",
        2: "season2.png",
        3: "Season 03 Poster.jpg",
    }


PIECES = st.sampled_from(
    [*"A.a-_ []()é", "en", "pt-BR", "forced", "sdh", "hi", "2", "season01-poster", "-poster"]
)
NAMES = st.tuples(
    st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=12),
    st.sampled_from([".srt", ".SUB", ".idx", ".vtt", ".jpg", ".PNG", ".txt", ""]),
).map("".join)


@given(st.lists(NAMES, max_size=8, unique=True), st.lists(NAMES, min_size=1, max_size=3))
def test_no_name_is_too_odd_and_no_subtitle_has_two_videos(
    names: list[str], stems: list[str]
) -> None:
    videos = list({stem.lower(): stem for stem in stems}.values())
    owned = [
        one.name
        for video in videos
        for one in subtitles_of(video, videos, names, is_only=len(videos) == 1)
    ]
    assert len(owned) == len(set(owned)) and set(owned) <= set(names)
    assert {one.name for one in subtitles_in(names)} >= set(owned)
    pictures = Pictures(names)
    for kind in ("movie", "show", "season", "album"):
        assert set(pictures.generic(kind).values()) <= set(names)
    assert set(pictures.seasons().values()) <= set(names)


@pytest.mark.parametrize(
    ("paths", "folders"),
    [
        (["Heat (1995)/heat.mkv"], ["Heat (1995)"]),
        (["Box/Heat (1995)/heat.mkv"], ["Box/Heat (1995)"]),
        (["Heat/CD1/a.mkv", "Heat/CD2/b.mkv"], ["Heat"]),
        (["Heat/CD1/a.mkv"], ["Heat"]),
        (["Heat/VIDEO_TS/VIDEO_TS.IFO"], ["Heat"]),
        (["Heat/BDMV/STREAM/0.m2ts"], ["Heat"]),
        (["heat.mkv"], []),
        (["Other/a.mkv", "Heat/a.mkv"], ["Heat", "Other"]),
        (["Box/Heat HD/a.mkv", "Box/Heat/a.mkv"], ["Box", "Box/Heat", "Box/Heat HD"]),
        (["CD1/a.mkv"], []),
    ],
)
def test_the_folders_of_a_film(paths: list[str], folders: list[str]) -> None:
    found = folders_of("/m", [f"/m/{path}" for path in paths])
    assert found == [f"/m/{folder}" for folder in folders]


@pytest.mark.parametrize(
    ("paths", "folders", "season"),
    [
        (["Dark/Season 1/a.mkv"], ["Dark"], "Dark/Season 1"),
        (["Dark/Staffel 1/a.mkv", "Dark/Staffel 1/b.mkv"], ["Dark"], "Dark/Staffel 1"),
        (["Dark/a.mkv", "Dark/b.mkv"], ["Dark"], None),
        (["Shelf/Dark/Season 1/a.mkv"], ["Shelf/Dark"], "Shelf/Dark/Season 1"),
        (["Dark/Season 1/a/a.mkv", "Dark/Season 1/b/b.mkv"], ["Dark"], "Dark/Season 1"),
        (["Dark Season 1/a.mkv"], ["Dark Season 1"], None),
        (["Dark/S1/a.mkv", "Dark HD/S1/b.mkv"], ["Dark", "Dark HD"], None),
        (["a.mkv"], [], None),
    ],
)
def test_the_folders_of_a_show_and_of_its_season(
    paths: list[str], folders: list[str], season: str | None
) -> None:
    below = [f"/m/{path}" for path in paths]
    found = folders_of_show("/m", below)
    assert found == [f"/m/{folder}" for folder in folders]
    if len(found) == 1:
        expected = None if season is None else f"/m/{season}"
        assert folder_of_season(found, below) == expected
