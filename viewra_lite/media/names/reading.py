"""Reading a media file's name and folders: movie, episode, track or extra."""

from __future__ import annotations

import os
from dataclasses import replace

from .facts import EpisodeName, MovieName, NameFacts, TrackName
from .films.extras import extra_name
from .films.movies import movie_name
from .guesses import require_guessit
from .kinds import above_discs, is_disc_index, stem_of, without_camera
from .shows.episodes import episode_name
from .text import readable, release_words, source_of
from .tracks import track_name

LONGEST_NAME = 255  # what file systems allow; bounds the time that odd names can take


def name_of(path: str, library_type: str, root: str) -> NameFacts | None:
    """Read a file's movie, episode, track or extra from its path below the library's root.

    `library_type` is movie, tv or music. Gives None for another type or a path without a file
    name, and never fails on a name. Takes 1 to 15 ms. Raises ProbeUnavailable without guessit
    (movie and tv only).
    """
    parts = parts_below(path, root)
    if not parts or library_type not in ("movie", "tv", "music"):
        return None
    if library_type != "music":
        require_guessit()
    *parents, filename = without_camera([readable(part)[:LONGEST_NAME] for part in parts])
    stem, root_name = stem_of(filename).strip(), readable(os.path.basename(root.rstrip(os.sep)))
    if is_disc_index(filename):
        parents = parents if above_discs(parents) else [root_name, *parents]
        # As generic as any, for the folders have the name; an extra is called by the nearest.
        stem, filename = "vts", above_discs(parents)[-1]
    try:
        extra = extra_name([*parents, filename], library_type, root_name)
        if extra is not None:
            return extra
        if library_type == "movie":
            return movie_name(parents, stem or filename)
        if library_type == "tv":
            name = episode_name(parents, stem or filename, root_name)
            tails = map(release_words, (stem, *parents[-1:]))
            return replace(name, source=source_of(parents, tails))
        return track_name(parents, stem or filename)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return _bare(library_type, stem or filename)  # a name beyond every rule is still a name


def parts_below(path: str, root: str) -> list[str]:
    """List the folders and the file name below the root; of a path elsewhere only the last."""
    base = root.rstrip(os.sep) + os.sep
    inside = path[len(base) :] if path.startswith(base) else os.path.basename(path)
    return [part for part in inside.replace(os.sep, "/").split("/") if part not in ("", ".", "..")]


def _bare(library_type: str, stem: str) -> NameFacts:
    if library_type == "movie":
        return MovieName(stem)
    if library_type == "tv":
        return EpisodeName(stem)
    return TrackName(None, None, stem)
