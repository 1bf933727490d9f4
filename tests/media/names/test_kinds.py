"""Kinds: media, samples and hidden files."""

from __future__ import annotations

import pytest

from viewra_lite.media.names import kinds

MIB = 1024 * 1024


@pytest.mark.parametrize(
    "suffix",
    (
        "mkv mp4 m4v avi mov webm ts m2ts mpg mpeg wmv flv ogv 3gp vob divx rmvb asf mts m1v m2t tp"
    ).split(),
)
def test_video(suffix: str):
    assert kinds.kind_of(f"a film.{suffix}") == kinds.kind_of(f"A.{suffix.upper()}") == "video"
    assert kinds.mime_type(f"a.{suffix}").startswith(("video/", "application/vnd.rn"))
    assert kinds.container(f"a.{suffix}")


@pytest.mark.parametrize(
    "suffix",
    ("mp3 flac m4a aac ogg opus oga wav wma alac aiff ape dsf wv mka m4b aax eac3 spx").split(),
)
def test_audio(suffix: str):
    assert kinds.kind_of(f"a.{suffix}") == "audio"
    assert kinds.mime_type(f"a.{suffix}").startswith("audio/")
    assert kinds.container(f"a.{suffix}")


@pytest.mark.parametrize(
    "name", ["a.srt", "a.nfo", "a.jpg", "a.txt", "mkv", ".mkv", "a.mkv.part", "a.mp4.!qB", "a", ""]
)
def test_what_is_not_media(name: str):
    assert kinds.kind_of(name) is None
    assert kinds.container(name) is None
    assert kinds.mime_type(name) == "application/octet-stream"


def test_no_suffix_is_of_two_kinds():
    assert not kinds.VIDEO_SUFFIXES & kinds.AUDIO_SUFFIXES
    assert not kinds.SUBTITLE_SUFFIXES & (kinds.VIDEO_SUFFIXES | kinds.AUDIO_SUFFIXES)


@pytest.mark.parametrize(
    "path",
    [
        "sample.mkv",
        "Sample.mkv",
        "Film (2001)/sample.mkv",
        "Film (2001)/film-sample.mkv",
        "Film/film.sample.mkv",
        "Film/sample-film.mkv",
        "Film/Sample/film.mkv",
        "Film/Film (sample).mkv",
        "Film/Film - sample.mp4",
        "Film/Film_sample2.mp4",
        "Film/film_sample.avi",
    ],
)
def test_samples(path: str):
    assert kinds.is_sample(path.split("/"), 20 * MIB)


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("Sample People (2000).mkv", 20 * MIB),
        ("Sample People (2000)/Sample People.mkv", 20 * MIB),
        ("The Sample.mkv", 20 * MIB),
        ("Sample.People.2000.mkv", 20 * MIB),
        ("Free Samples.mkv", 1),
        ("film-sample.mkv", 4000 * MIB),
        ("Trailer Park Boys - S01E01.mkv", 20 * MIB),
    ],
)
def test_not_samples(path: str, size: int):
    assert not kinds.is_sample(path.split("/"), size)
