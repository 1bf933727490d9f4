"""How many discs and tracks an album has: those that are there, or more if its tags say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...models import Album, Track
from ...names.facts import TrackName
from ...probing.tags import TagFacts
from .. import sources
from ..sources import Known


class Totals:
    """The totals in the tags of an album's files: of its discs, and of the tracks on each."""

    def __init__(self) -> None:
        self._discs: int | None = None
        self._tracks: dict[str, int] = {}

    def note(self, name: TrackName, tags: TagFacts | None) -> None:
        """Note what a file says; of several the highest totals count."""
        if tags is not None and tags.disc_total is not None:
            self._discs = max(tags.disc_total, self._discs or 0)
        if tags is not None and tags.track_total is not None:
            disc = str(name.disc or 1)
            self._tracks[disc] = max(tags.track_total, self._tracks.get(disc, 0))

    def counted(self, album: Album, tracks: Sequence[Track]) -> dict[str, Any]:
        """Return an album's counts and length, and `sources` if it has other totals than before.

        `sources` remembers the total of each disc, because a later scan reads only some files.
        """
        before = sources.sources_of(album)
        discs = self._discs or _read_before(before, "disc_count", int) or 0
        of_discs = {**(_read_before(before, "track_count", dict) or {}), **self._tracks}
        there = Counter(str(track.disc_number) for track in tracks)
        totals = [max(there[disc], of_discs.get(disc, 0)) for disc in there]
        counted = {
            "disc_count": (discs, max([discs, *(track.disc_number for track in tracks)])),
            "track_count": (of_discs, sum(totals)),
        }
        after = dict(before)
        found: dict[str, Any] = {"duration": sum(track.duration or 0.0 for track in tracks)}
        for column, (total, count) in counted.items():
            if column not in before or before[column].source == sources.TAGS:
                found[column] = count
                if total:
                    after[column] = Known(sources.TAGS, total)
        return found if after == before else {**found, "sources": after}


def _read_before(before: dict[str, Known], column: str, kind: type[Any]) -> Any:
    """Return the totals that were read before, or None; they may have been edited by hand."""
    known = before.get(column)
    if known is None or known.source != sources.TAGS or type(known.value) is not kind:
        return None
    numbers = known.value.values() if isinstance(known.value, dict) else (known.value,)
    return known.value if all(type(number) is int for number in numbers) else None
