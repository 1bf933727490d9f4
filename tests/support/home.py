"""A small home in a store: a film, a show, an album, and what somebody watched of it."""

from __future__ import annotations

from pathlib import Path

from tests.support.playing import add_files
from viewra_lite import Store


def furnish(store: Store, folder: Path) -> None:
    """Put a film, a show, an album and the watch state of a user into a store."""
    films = [f"{name}.mkv" for name in ("Dune (2021)", "Heat (1995)", "Alien (1979)")]
    ids = add_files(store, folder / "films", *films)
    media, playback = store.media, store.playback
    library = media.libraries()[0].id
    for number, (title, year) in enumerate((("Dune", 2021), ("Heat", 1995), ("Alien", 1979))):
        media.save_movie(
            library, title=title, year=year, media_file_id=ids[number], genres=["Film"]
        )
    pilots = add_files(store, folder / "tv", "Lost S01E01.mkv", "Lost S01E02.mkv", kind="tv")
    music = add_files(store, folder / "music", "Aria.flac", kind="music")
    libraries = {each.name: each.id for each in media.libraries()}
    show = media.save_show(libraries["tv"], title="Lost", year=2004)
    for number, id in enumerate(pilots, start=1):
        media.save_episode(
            show.id,
            season_number=1,
            episode_number=number,
            title=f"Part {number}",
            media_file_id=id,
        )
    album = media.save_album(libraries["music"], title="Goldberg", album_artist="Gould")
    media.save_track(album.id, title="Aria", track_number=1, media_file_id=music[0])
    playback.set_progress("ann", ids[0], 1200.0)
    playback.mark_watched("ann", ids[1])
    session = playback.start_session(pilots[0], user_id="bob")
    playback.heartbeat(session.id, 600.0)
    playback.stop_session(session.id, position=3500.0)
