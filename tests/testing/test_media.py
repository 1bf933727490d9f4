"""The media files for tests of plugins are real: independent readers open them, and a scan."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from pymediainfo import MediaInfo
from tinytag import TinyTag

from viewra_lite import Store
from viewra_lite.testing.media import Media


@pytest.mark.parametrize("seconds", [1, 2, 65])
def test_a_film_plays_to_its_end(tmp_path: Path, seconds: int) -> None:
    path = Media(tmp_path).film("Dune", 1984, seconds=seconds, imdb="tt0087182")
    assert path == tmp_path / "films" / "Dune (1984)" / "Dune (1984).mkv"
    with av.open(str(path)) as container:
        pictures = list(container.decode(container.streams.video[0]))
        assert container.metadata["IMDB"] == "tt0087182"
    assert len(pictures) == seconds and pictures[-1].time == seconds - 1
    general, video = MediaInfo.parse(path).tracks
    assert (general.duration, video.width, video.height) == (seconds * 1000, 32, 18)
    assert path.stat().st_size < 1000 * (seconds + 1)


@pytest.mark.parametrize("seconds", [1, 70])
def test_a_track_plays_to_its_end_and_has_its_tags(tmp_path: Path, seconds: int) -> None:
    path = Media(tmp_path).track(
        "Aria é", artist="A", album="B", number=7, year=1981, seconds=seconds
    )
    with av.open(str(path), options={"err_detect": "crccheck+explode"}) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == seconds * 8000
    tag = TinyTag.get(path)
    assert (tag.title, tag.artist, tag.album, tag.track, tag.year, tag.duration) == (
        *("Aria é", "A", "B", 7, "1981"),
        pytest.approx(seconds),
    )


def test_a_scan_finds_what_was_written_and_what_was_added_later(
    store: Store, tmp_path: Path, probing_here: None
) -> None:
    media = Media(tmp_path / "media")
    media.film("Dune", 1984, seconds=90)
    media.film("Alien")
    media.episode("Sherlock", 1, 2)
    media.track("Aria", number=3)
    films, shows, music = media.scan(store)
    assert [(one.name, one.type) for one in (films, shows, music)] == [
        ("films", "movie"),
        ("shows", "tv"),
        ("music", "music"),
    ]
    assert {(one.title, one.year) for one in store.media.movies().items} == {
        ("Dune", 1984),
        ("Alien", None),
    }
    [show] = store.media.shows().items
    [episode] = store.media.show(show.id).seasons[0].episodes
    assert (show.title, episode.episode_number) == ("Sherlock", 2)
    [album] = store.media.albums().items
    assert [(one.title, one.track_number) for one in store.media.album(album.id).tracks] == [
        ("Aria", 3)
    ]
    files = store.media.files(films.id).items
    assert {(one.duration, one.error) for one in files} == {(90.0, None), (2.0, None)}
    media.film("Brazil", 1985)
    assert [one.id for one in media.scan(store)] == [films.id, shows.id, music.id]
    assert len(store.media.movies().items) == 3
