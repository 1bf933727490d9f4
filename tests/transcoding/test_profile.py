"""A profile says what is wanted, and its hash is the same wherever it is computed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.support.processes import run_python
from viewra_lite import Provider, TranscodeProfile
from viewra_lite.errors import InvalidValueError

names = st.sampled_from(["mp4", "webm", "h264", "hevc", "mp4a.40.2", "e-ac-3", "pcm_s16le"])
sizes = st.integers(1, 2**31 - 1)
profiles = st.fixed_dictionaries(
    {},
    optional={
        "container": names,
        "video_codec": names,
        "audio_codec": names,
        "quality": st.integers(-(2**31), 2**31 - 1),
        "bitrate": sizes,
        "audio_bitrate": sizes,
        "width": sizes,
        "height": sizes,
        "streams": st.lists(st.integers(0, 99) | st.sampled_from(["audio:eng", "größte", "0"])),
    },
)


@given(profiles, st.randoms())
def test_the_hash_knows_no_order_of_keys_no_case_and_nothing_that_is_none(
    profile: dict[str, Any], random: Any
) -> None:
    expected = TranscodeProfile.of(profile).content_hash("content")
    keys = list(profile)
    random.shuffle(keys)
    shuffled = {key: profile[key] for key in keys}
    for key in ("container", "video_codec", "audio_codec"):
        if key in shuffled:
            shuffled[key] = shuffled[key].upper()
    shuffled |= {"height": profile.get("height"), "streams": tuple(profile.get("streams", ()))}
    assert TranscodeProfile.of(shuffled).content_hash("content") == expected
    assert TranscodeProfile.of(shuffled) == TranscodeProfile.of(profile)


@given(profiles, profiles)
def test_other_profiles_and_other_contents_have_other_hashes(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = TranscodeProfile.of(one), TranscodeProfile.of(other)
    equal = first.content_hash("content") == second.content_hash("content")
    assert equal == (first == second)
    assert first.content_hash("content") != first.content_hash("other content")


@given(profiles)
def test_a_profile_comes_back_from_what_is_stored_of_it(profile: dict[str, Any]) -> None:
    told = TranscodeProfile.of(profile)
    assert TranscodeProfile.of(json.loads(json.dumps(told.as_json()))) == told


def test_the_hash_is_what_any_program_can_compute() -> None:
    profile = TranscodeProfile(video_codec="H264", height=720, streams=(0, "größte"))
    text = 'abc\n{"height":720,"streams":[0,"gr\\u00f6\\u00dfte"],"video_codec":"h264"}'
    assert profile.content_hash("abc") == hashlib.sha256(text.encode("ascii")).hexdigest()


def test_the_hash_is_the_same_in_another_process() -> None:
    script = (
        "from viewra_lite import TranscodeProfile\n"
        "print(TranscodeProfile(container='mp4', streams=('é', 2)).content_hash('ü'))"
    )
    mine = TranscodeProfile(container="mp4", streams=("é", 2)).content_hash("ü")
    assert run_python("-X", "utf8=0", "-c", script).stdout.strip() == mine


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"container": ""}, "container"),
        ({"container": "mp4 "}, "letters, digits"),
        ({"video_codec": 264}, "video_codec"),
        ({"video_codec": "\u212a"}, "video_codec"),  # lower-cased, it is a k
        ({"audio_codec": "aac\0"}, "audio_codec"),
        ({"quality": 1.5}, "quality must be a whole number, -2147483647"),
        ({"quality": True}, "quality"),
        ({"quality": 2**31}, "quality"),
        ({"bitrate": 0}, "bitrate must be 1 or more, not 0"),
        ({"audio_bitrate": -1}, "audio_bitrate must be 1 or more, not -1"),
        ({"width": "1920"}, "width"),
        ({"height": 0}, "height"),
        ({"streams": "audio:eng"}, "a list of indexes"),
        ({"streams": {"audio": 1}}, "a list of indexes"),
        ({"streams": 3}, "a list of indexes"),
        ({"streams": [-1]}, "each of streams must be 0 or more, not -1"),
        ({"streams": [True]}, "streams"),
        ({"streams": [None]}, "streams"),
        ({"streams": [""]}, "streams"),
        ({"streams": ["\ud800"]}, "lone surrogates"),
        ({"contianer": "mp4"}, "did you mean container?"),
        ({"zzz": 1}, "one of container, "),
        ({3: 1}, "a profile has no 3"),
        ("mp4", "a TranscodeProfile, or a mapping"),
        (None, "a TranscodeProfile, or a mapping"),
    ],
)
def test_what_cannot_be_wanted_is_refused_with_its_name(wrong: Any, message: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        TranscodeProfile.of(wrong)
    assert message in str(refused.value)


def test_a_hash_needs_a_fingerprint() -> None:
    for wrong in ("", None, 3, "\ud800"):
        with pytest.raises(InvalidValueError):
            TranscodeProfile().content_hash(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": None},
        {"name": "x" * 201},
        {"name": "a\0"},
        {"name": "w", "containers": "mp4"},
        {"name": "w", "video_codecs": [7]},
        {"name": "w", "audio_codecs": 7},
        {"name": "w", "max_height": "1080"},
    ],
)
def test_a_provider_that_says_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        Provider(**wrong)
