"""The generated media are real: three independent readers open them and agree on what is inside."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from pymediainfo import MediaInfo
from tinytag import TinyTag

from tests.support.media import (
    AUDIO_FORMATS,
    VIDEO_FORMATS,
    garbage,
    make_library,
    truncated,
    write_audio,
    write_video,
    zero_bytes,
)

VIDEO_CODEC_NAMES = {"libx264": "h264", "libvpx-vp9": "vp9", "mpeg4": "mpeg4"}
LARGEST_FILE_BYTES = 100_000


@pytest.mark.parametrize("suffix", VIDEO_FORMATS)
def test_a_video_plays_to_its_end(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"film{suffix}", seconds=2.0, width=96, height=54)
    with av.open(str(path)) as container:
        picture = container.streams.video[0]
        assert picture.codec_context.name == VIDEO_CODEC_NAMES[VIDEO_FORMATS[suffix][1]]
        assert (picture.width, picture.height) == (96, 54)
        assert len(container.streams.audio) == 1
        assert sum(1 for _ in container.decode(picture)) == 20
    assert path.stat().st_size < LARGEST_FILE_BYTES


@pytest.mark.parametrize("suffix", VIDEO_FORMATS)
def test_mediainfo_reads_a_video(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"film{suffix}", seconds=2.0, width=96, height=54)
    info = MediaInfo.parse(path)
    assert info.general_tracks[0].duration == pytest.approx(2000, abs=150)
    assert (info.video_tracks[0].width, info.video_tracks[0].height) == (96, 54)
    assert len(info.audio_tracks) == 1


@pytest.mark.parametrize("suffix", VIDEO_FORMATS)
def test_another_seed_changes_the_content_and_not_the_size(tmp_path: Path, suffix: str) -> None:
    first = write_video(tmp_path / f"first{suffix}", seed=1).read_bytes()
    again = write_video(tmp_path / f"again{suffix}", seed=1).read_bytes()
    other = write_video(tmp_path / f"other{suffix}", seed=2)
    assert first == again != other.read_bytes()
    assert len(first) == other.stat().st_size
    with av.open(str(other)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


def test_a_video_may_have_another_codec_and_no_sound(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mkv", video_codec="libx265", audio=False)
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["hevc"]


@pytest.mark.parametrize("suffix", AUDIO_FORMATS)
def test_tinytag_reads_the_tags_of_a_track(tmp_path: Path, suffix: str) -> None:
    path = write_audio(
        tmp_path / f"track{suffix}",
        seconds=2.0,
        title="Für Elise",
        artist="Alfred Brendel",
        album="Bagatellen",
        album_artist="Various Artists",
        track=3,
        disc=2,
        year=1984,
        genre="Classical",
    )
    tags = TinyTag.get(path)
    assert (tags.title, tags.artist, tags.album) == ("Für Elise", "Alfred Brendel", "Bagatellen")
    assert (tags.albumartist, tags.genre) == ("Various Artists", "Classical")
    assert (tags.track, tags.disc, tags.year) == (3, 2, "1984")
    assert tags.duration == pytest.approx(2.0, abs=0.1)
    assert path.stat().st_size < LARGEST_FILE_BYTES


@pytest.mark.parametrize("suffix", AUDIO_FORMATS)
def test_a_track_plays_and_need_not_have_tags(tmp_path: Path, suffix: str) -> None:
    path = write_audio(tmp_path / f"track{suffix}")
    with av.open(str(path)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples == pytest.approx(48_000, rel=0.03)
    assert TinyTag.get(path).title is None
    assert len(MediaInfo.parse(path).audio_tracks) == 1
    assert write_audio(tmp_path / f"other{suffix}", seed=1).read_bytes() != path.read_bytes()


def test_damaged_files_cannot_be_opened(tmp_path: Path) -> None:
    for damage in (truncated, zero_bytes, garbage):
        path = damage(tmp_path / f"{damage.__name__}.mp4")
        with pytest.raises((av.FFmpegError, IndexError)):
            av.open(str(path)).close()


def test_every_file_of_the_library_opens(tmp_path: Path) -> None:
    library = make_library(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    counts = [sum(folder in path.parents for path in files) for folder in vars(library).values()]
    assert counts == [9, 7, 4]
    for path in files:
        with av.open(str(path)) as container:
            assert container.duration
        assert path.stat().st_size < LARGEST_FILE_BYTES
    assert len({path.read_bytes() for path in files}) == len(files)
