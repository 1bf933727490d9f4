"""Streams and chapters: real files of many codecs, held against what ffmpeg says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.encoded import (
    DEFAULT,
    FORCED,
    Part,
    audio,
    codecs_of,
    subtitle,
    video,
    with_cover,
    write_dsf,
    write_parts,
)
from tests.support.media import write_audio, write_video
from viewra_lite.media.probing.parser import parsed
from viewra_lite.media.probing.streams import Chapter, Stream, StreamFacts, streams

pytest.importorskip("pymediainfo")
X265 = "log-level=none:pools=none"
HDR10 = (
    ":hdr10=1:repeat-headers=1:colorprim=9:transfer=16:colormatrix=9:max-cll=1000,400"
    ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)


def seen(path: Path) -> StreamFacts:
    return streams(parsed(str(path)), str(path))


def hevc(more: str = "") -> Part:
    options = {"preset": "ultrafast", "x265-params": X265 + more}
    return video("libx265", pixels="yuv420p10le", options=options)


# Codecs

H264, MPEG4 = video("libx264"), video("mpeg4")
SMALL: dict[str, Any] = {"rate": 8000, "layout": "mono"}
FILES: dict[str, tuple[Part, ...]] = {
    "a.mkv": (video("ffv1"), audio("tta")),
    "b.mkv": (video("mjpeg", pixels="yuvj420p"), audio("pcm_u8")),
    "c.mkv": (video("msmpeg4"), audio("pcm_s32le")),
    "d.mkv": (video("rawvideo"), audio("pcm_f64le")),
    "e.mkv": (video("libvpx"), audio("alac")),
    "f.mkv": (video("mpeg2video"), audio("mp2")),
    "g.mkv": (video("mpeg1video"), audio("libmp3lame")),
    "h.mkv": (MPEG4, audio("wavpack")),
    "i.mkv": (H264, audio("flac"), audio("pcm_s24be"), audio("eac3")),
    "subtitles.mkv": (
        H264,
        subtitle("subrip", b"Hi"),
        subtitle("ass", b"0,0,Default,,0,0,0,,Hi"),
        subtitle("webvtt", b"Hi"),
        subtitle("hdmv_pgs_subtitle", b"\x16\0\0"),
        subtitle("dvd_subtitle", b"\0\4\0\4"),
        subtitle("dvb_subtitle", bytes(8)),
    ),
    "a.webm": (video("libvpx-vp9"), audio("libopus"), subtitle("webvtt", b"Hi")),
    "a.mp4": (H264, audio("aac"), subtitle("mov_text", b"\0\2Hi")),
    "b.mp4": (MPEG4, audio("vorbis"), audio("libmp3lame"), audio("ac3")),
    "a.mov": (video("qtrle", pixels="rgb24"), audio("pcm_s16be"), audio("adpcm_ima_qt")),
    "b.mov": (video("svq1", pixels="yuv410p"), audio("pcm_s24le"), audio("pcm_alaw")),
    "c.mov": (video("mjpeg", pixels="yuvj420p"), audio("pcm_mulaw"), audio("alac")),
    "a.3gp": (video("h263", size=(176, 144)), audio("libopencore_amrnb", **SMALL)),
    "a.avi": (video("msmpeg4"), audio("libmp3lame")),
    "b.avi": (video("msmpeg4v2"), audio("adpcm_ms")),
    "c.avi": (video("wmv1"), audio("adpcm_ima_wav")),
    "d.avi": (video("huffyuv", pixels="yuv422p"), audio("pcm_s16le")),
    "e.avi": (video("ffvhuff"), audio("pcm_u8")),
    "f.avi": (video("msvideo1", pixels="rgb555le"), audio("ac3")),
    "g.avi": (video("utvideo"), audio("aac")),
    "h.avi": (video("mjpeg", pixels="yuvj420p"), audio("mp2")),
    "i.avi": (video("rawvideo"), audio("pcm_s16le")),
    "a.wmv": (video("wmv2"), audio("wmav2", bit_rate=96_000)),
    "b.wmv": (video("wmv1"), audio("wmav1", bit_rate=96_000)),
    "c.wmv": (video("msmpeg4"), audio("libmp3lame")),
    "a.rm": (video("rv10", size=(176, 144)), audio("ac3")),
    "b.rm": (video("rv20", size=(176, 144)), audio("real_144", **SMALL)),
    "a.flv": (video("flv"), audio("adpcm_swf", rate=44_100)),
    "b.flv": (H264, audio("aac")),
    "a.ts": (H264, audio("aac"), audio("ac3"), subtitle("dvb_subtitle", bytes(8))),
    "b.ts": (video("mpeg2video"), audio("mp2"), audio("eac3")),
    "a.m2t": (H264, audio("aac")),
    "a.tp": (H264, audio("aac")),
    "a.mpg": (video("mpeg2video"), audio("pcm_dvd"), subtitle("dvd_subtitle", b"\0\4\0\4")),
    "a.m1v": (video("mpeg1video"),),
    "a.wma": (audio("wmav1", bit_rate=96_000),),
    "b.wma": (audio("wmav2", bit_rate=96_000),),
    "s16.wav": (audio("pcm_s16le"),),
    "s24.wav": (audio("pcm_s24le"),),
    "u8.wav": (audio("pcm_u8"),),
    "f32.wav": (audio("pcm_f32le"),),
    "a_law.wav": (audio("pcm_alaw"),),
    "g726.wav": (audio("g726", **SMALL),),
    "a.aiff": (audio("pcm_s16be"),),
    "f32.aiff": (audio("pcm_f32be"),),
    "a.aac": (audio("aac"),),
    "a.ac3": (audio("ac3"),),
    "a.eac3": (audio("eac3"),),
    "a.mp2": (audio("mp2"),),
    "a.mp3": (audio("libmp3lame"),),
    "a.flac": (audio("flac"),),
    "a.oga": (audio("vorbis"),),
    "b.oga": (audio("flac"),),
    "a.opus": (audio("libopus"),),
    "a.wv": (audio("wavpack"),),
    "a.tta": (audio("tta"),),
    "a.m4a": (audio("alac"),),
    "a.mka": (audio("pcm_s16le"), audio("flac")),
}
FORMATS = {"a.m2t": "mpegts", "a.tp": "mpegts", "a.mpg": "vob", "a.m1v": "mpeg1video"}


@pytest.mark.parametrize("name", FILES)
def test_codecs_have_the_names_that_ffprobe_gives_them(tmp_path: Path, name: str):
    seconds = {"a.m1v": 2.0, "a.wv": 1.0}.get(name, 0.3)  # shorter ones are not recognized
    try:
        path = write_parts(tmp_path / name, *FILES[name], format=FORMATS.get(name), seconds=seconds)
    except (av.FFmpegError, av.codec.codec.UnknownCodecError) as exc:
        pytest.skip(f"this build of av cannot write it: {exc}")
    facts = seen(path)
    assert [stream.codec for stream in facts.streams] == codecs_of(path)
    assert [stream.stream_index for stream in facts.streams] == list(range(len(facts.streams)))
    assert [stream.kind for stream in facts.streams] == [part.kind for part in FILES[name]]
    first = {stream.kind: stream.codec for stream in reversed(facts.streams)}
    assert (facts.video_codec, facts.audio_codec) == (first.get("video"), first.get("audio"))
    if name not in ("a.m2t", "a.tp"):
        assert facts.bit_rate and facts.duration and abs(facts.duration - seconds) < 0.8


@pytest.mark.parametrize(
    ("track", "codec"),
    [
        ({"Format": "WMA", "CodecID": "162", "Format_Profile": "Pro"}, "wmapro"),
        ({"Format": "WMA", "CodecID": "163", "Format_Profile": "Lossless"}, "wmalossless"),
        ({"Format": "WMA", "CodecID": "A_MS/ACM / 161"}, "wmav2"),
        ({"Format": "Musepack SV7"}, "musepack7"),
        ({"Format": "MLP FBA", "Format_AdditionalFeatures": "16-ch"}, "truehd"),
        ({"Format": "DTS", "Format_AdditionalFeatures": "XLL"}, "dts"),
        ({"Format": "DSD", "Format_Settings_Endianness": "Big"}, "dsd_msbf"),
        ({"Format": "AAC", "MuxingMode": "LATM"}, "aac_latm"),
        ({"Format": "AMR", "Format_Profile": "Wide band"}, "amr_wb"),
        ({"Format": "PCM", "MuxingMode": "Blu-ray", "BitDepth": "24"}, "pcm_bluray"),
        ({"Format": "Some New Codec 2"}, "somenewcodec2"),
        ({}, None),
    ],
)
def test_codecs_that_cannot_be_written_here(track: dict[str, str], codec: str | None):
    [stream] = streams([{"@type": "Audio", **track}], "/a").streams
    assert stream.codec == codec


@pytest.mark.parametrize(
    ("track", "codec"),
    [
        ({"Format": "MPEG-4 Visual", "CodecID": "V_MS/VFW/FOURCC / DIV3"}, "msmpeg4v3"),
        ({"Format": "MPEG-4 Visual", "CodecID": "XVID"}, "mpeg4"),
        ({"Format": "VC-1", "CodecID": "WMV3"}, "wmv3"),
        ({"Format": "VC-1", "CodecID": "WVC1"}, "vc1"),
        ({"Format": "RealVideo 4", "CodecID": "RV40"}, "rv40"),
        ({"Format": "V_SNOW"}, "snow"),
    ],
)
def test_video_codecs_that_cannot_be_written_here(track: dict[str, str], codec: str):
    [stream] = streams([{"@type": "Video", **track}], "/a").streams
    assert stream.codec == codec


@pytest.mark.parametrize(
    ("format", "features", "profile"),
    [
        ("AAC", "LC", "LC"),
        ("AAC", "LC SBR", "HE-AAC"),
        ("DTS", "XLL", "DTS-HD MA"),
        ("E-AC-3", "JOC", "Dolby Digital Plus + Dolby Atmos"),
        ("MLP FBA", "16-ch", "Dolby TrueHD + Dolby Atmos"),
    ],
)
def test_profiles_of_audio(format: str, features: str, profile: str):
    track = {"@type": "Audio", "Format": format, "Format_AdditionalFeatures": features}
    assert streams([track], "/a").streams[0].profile == profile


# Streams


def test_a_film_with_all_that_it_may_hold(tmp_path: Path):
    path = write_parts(
        tmp_path / "a.mkv",
        hevc(HDR10),
        audio("aac", language="eng", title="Main", flags=DEFAULT),
        audio("ac3", layout="5.1", language="ger"),
        subtitle("subrip", b"Hello", language="eng", title="Signs", flags=FORCED | DEFAULT),
        subtitle("ass", b"0,0,Default,,0,0,0,,Hi", language="por"),
        chapters=[(0, "One"), (100, "Zwei: é"), (200, "")],
        attached=[
            ("font.ttf", "application/x-truetype-font", b"x" * 99),
            ("cover.jpg", "image/jpeg", b"\xff\xd8\xff" * 99),
        ],
    )
    facts = seen(path)
    film, english, german, signs, portuguese, cover = facts.streams
    assert film._replace(bit_rate=None) == Stream(
        stream_index=0,
        kind="video",
        codec="hevc",
        profile="Main 10",
        level="1",
        width=64,
        height=48,
        frame_rate=24.0,
        bit_depth=10,
        hdr="HDR10",
    )
    assert english == Stream(
        stream_index=1,
        kind="audio",
        codec="aac",
        profile="LC",
        language="en",
        title="Main",
        channels=2,
        sample_rate=48_000,
        is_default=True,
    )
    assert (german.channels, german.bit_rate, german.language) == (6, 448_000, "de")
    assert not german.is_default and german.bit_depth is None
    assert signs == Stream(
        3, "subtitle", "subrip", language="en", title="Signs", is_default=True, is_forced=True
    )
    assert portuguese == Stream(4, "subtitle", "ass", language="pt")
    assert cover == Stream(6, "image", "mjpeg", title="cover.jpg")  # the font is 5
    assert facts.chapters[:2] == (Chapter(0.0, "One"), Chapter(0.1, "Zwei: é"))
    assert (facts.hdr, facts.video_codec, facts.height) == ("HDR10", "hevc", 48)


def test_an_mp4_with_subtitles_and_two_lists_of_its_chapters(tmp_path: Path):
    path = write_parts(
        tmp_path / "a.mp4",
        H264,
        audio("aac", language="fra"),
        subtitle("mov_text", b"\0\2Hi", language="spa"),
        chapters=[(0, "One"), (150, "Two")],
    )
    facts = seen(path)
    assert [(one.kind, one.language) for one in facts.streams] == [
        ("video", None),
        ("audio", "fr"),
        ("subtitle", "es"),
    ]
    assert facts.chapters == (Chapter(0.0, "One"), Chapter(0.15, "Two"))


def test_chapters_lose_their_language_and_nothing_else():
    said = {
        "_00_00_00_000": "en:Intro",
        "_01_02_03_500": "Re:Zero",
        "_100_00_00000": "to: be",
        "Source": "x",
    }
    found = streams([{"@type": "Menu", "extra": said}], "/a").chapters
    assert found == (
        Chapter(0.0, "Intro"),
        Chapter(3723.5, "Re:Zero"),
        Chapter(360_000.0, "to: be"),
    )


@pytest.mark.parametrize(
    ("more", "hdr"),
    [("", None), (HDR10, "HDR10"), (":colorprim=9:transfer=18:colormatrix=9", "HLG")],
)
def test_hdr(tmp_path: Path, more: str, hdr: str | None):
    facts = seen(write_parts(tmp_path / "a.mp4", hevc(more)))
    assert (facts.hdr, facts.streams[0].hdr, facts.streams[0].bit_depth) == (hdr, hdr, 10)


@pytest.mark.parametrize(
    ("format", "compatible", "transfer", "hdr"),
    [
        ("Dolby Vision / SMPTE ST 2086", "HDR10 / HDR10", "PQ", "Dolby Vision"),
        ("SMPTE ST 2094 App 4", "HDR10+ Profile B", "PQ", "HDR10+"),
        ("SMPTE ST 2086", "HDR10", "PQ", "HDR10"),
        ("SMPTE ST 2086", "", "HLG", "HLG"),
        ("", "", "PQ", "HDR10"),
        ("", "", "BT.709", None),
    ],
)
def test_the_highest_hdr_counts(format: str, compatible: str, transfer: str, hdr: str | None):
    track = {
        "@type": "Video",
        "HDR_Format": format,
        "HDR_Format_Compatibility": compatible,
        "transfer_characteristics": transfer,
    }
    assert streams([track], "/a").hdr == hdr


def test_a_picture_beside_a_film_is_an_image_and_alone_a_film():
    jpeg = {"@type": "Video", "Format": "JPEG", "Width": "600"}
    film = {"@type": "Video", "Format": "AVC", "Width": "1920"}
    facts = streams([jpeg, film], "/a")
    assert [(one.kind, one.codec) for one in facts.streams] == [
        ("image", "mjpeg"),
        ("video", "h264"),
    ]
    assert (facts.video_codec, facts.width) == ("h264", 1920)
    assert streams([jpeg], "/a").streams[0].kind == "video"
    sound = {"@type": "Audio", "Format": "AAC"}
    book = streams([{**jpeg, "FrameRate": "0.004"}, sound], "/a")
    assert [one.kind for one in book.streams] == ["image", "audio"]
    assert (book.video_codec, book.width, book.audio_codec) == (None, None, "aac")
    clip = streams([{**jpeg, "FrameRate": "15.000"}, sound], "/a")
    assert [one.kind for one in clip.streams] == ["video", "audio"]


def test_streams_that_claim_one_place_are_all_kept():
    tracks = [
        {"@type": "Video", "StreamOrder": "0-1"},
        {"@type": "Audio", "StreamOrder": "0-1"},
        {"@type": "Text"},
        {"@type": "Audio", "StreamOrder": "0-0"},
    ]
    found = [(one.stream_index, one.kind) for one in streams(tracks, "/a").streams]
    assert found == [(0, "audio"), (1, "video"), (2, "audio"), (3, "subtitle")]


SAID = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["0", "-1", "1e400", "nan", "48000 / 24000", "0-1", "16", "PCM", "JPEG"]),
)
TRACK = st.fixed_dictionaries(
    {"@type": st.sampled_from(["General", "Video", "Audio", "Text", "Image", "Menu", "Other"])},
    optional={
        **{
            name: SAID
            for name in (
                "Format Format_Profile Format_AdditionalFeatures CodecID MuxingMode StreamOrder "
                "Duration BitRate OverallBitRate Width FrameRate BitDepth Channels SamplingRate "
                "Language Title HDR_Format Cover Cover_Mime FileSize"
            ).split()
        },
        "extra": st.one_of(
            SAID,
            st.dictionaries(
                st.one_of(st.text(max_size=9), st.just("_00_00_01_000"), st.just("Attachments")),
                st.one_of(SAID, st.lists(SAID, max_size=2)),
                max_size=3,
            ),
        ),
    },
)


@given(st.lists(TRACK, max_size=5))
def test_whatever_is_said_of_a_file_makes_rows_that_can_be_stored(tracks: list[Any]):
    facts = streams([one for one in tracks if one.get("Format") != "ADTS"], "/a")
    numbers = [one.stream_index for one in facts.streams]
    assert len(set(numbers)) == len(numbers) and numbers == sorted(numbers)
    for one in facts.streams:
        for value in one:
            assert value is None or isinstance(value, str) or 0 <= value < 2**63
    assert all(chapter.start >= 0 for chapter in facts.chapters)


@pytest.mark.parametrize(("mime", "codec"), [("image/jpeg", "mjpeg"), ("image/png", "png")])
def test_the_cover_of_a_song_is_an_image(tmp_path: Path, mime: str, codec: str):
    song = write_audio(tmp_path / "a.mp3").read_bytes()
    (tmp_path / "b.mp3").write_bytes(with_cover(song, mime, b"\x89PNG" * 99))
    facts = seen(tmp_path / "b.mp3")
    assert [(one.kind, one.codec) for one in facts.streams] == [("audio", "mp3"), ("image", codec)]
    assert facts.video_codec is None and facts.width is None


# Names


@pytest.mark.parametrize("name", ["a.mp3", "Jóga.MP3"])
def test_an_mp3_that_begins_like_ac3_is_an_mp3(tmp_path: Path, name: str):
    noise = write_parts(tmp_path / "a.ac3", audio("ac3"), seconds=0.1).read_bytes()
    song = write_parts(tmp_path / "b.mp3", audio("libmp3lame"), seconds=3.0).read_bytes()
    path = tmp_path / name
    path.write_bytes(noise + song[song.index(b"\xff\xfb") :])
    facts = seen(path)
    assert (facts.container, facts.audio_codec) == ("mp3", "mp3")
    assert facts.duration == pytest.approx(3.0, abs=0.4)


def test_a_name_does_not_make_another_format_of_a_file(tmp_path: Path):
    path = write_parts(tmp_path / "a.ac3", audio("ac3"))
    facts = seen(path.rename(tmp_path / "a.mp3"))
    assert (facts.container, facts.audio_codec) == ("ac3", "ac3")
    path = write_video(tmp_path / "a.mkv")
    assert seen(path.rename(tmp_path / "b.mp3")).container == "matroska"


def test_files_of_one_series_are_not_one_file(tmp_path: Path):
    for number in (1, 2, 3):
        write_parts(tmp_path / f"Show {number:02}.ts", H264, seconds=1.0)
    duration = seen(tmp_path / "Show 01.ts").duration
    assert duration is not None and duration < 1.5


# Durations


def test_raw_aac_has_a_duration(tmp_path: Path):
    path = write_parts(tmp_path / "a.aac", audio("aac", rate=22_050, layout="mono"), seconds=2.0)
    facts = seen(path)
    assert facts.duration == pytest.approx(2.0, abs=0.2) and facts.bit_rate
    frames = path.read_bytes()
    path.write_bytes(b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + frames)
    assert seen(path).duration == facts.duration
    long = 2 * 2**20 // len(frames) + 1  # of which the first MiB is read
    path.write_bytes(frames * long)
    assert facts.duration is not None
    assert seen(path).duration == pytest.approx(facts.duration * long, rel=0.01)


@pytest.mark.parametrize("seconds", [0.001, 0.05, 1.0])
def test_a_dsf_has_a_duration(tmp_path: Path, seconds: float):
    facts = seen(write_dsf(tmp_path / "a.dsf", seconds))
    assert facts.duration == pytest.approx(seconds, rel=0.02)
    assert (facts.container, facts.audio_codec) == ("dsf", "dsd_lsbf_planar")


def test_aac_that_breaks_off_and_dsf_without_a_rate_have_none(tmp_path: Path):
    (tmp_path / "a.aac").write_bytes(b"\xff\xf1\x50\x80\x00\x1f\xfc" + bytes(2000))
    (tmp_path / "a.dsf").write_bytes(write_dsf(tmp_path / "b.dsf", 1.0).read_bytes()[:40])
    assert seen(tmp_path / "a.aac").duration is None
    assert seen(tmp_path / "a.dsf").duration is None
