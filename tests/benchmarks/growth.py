"""What each verb costs in a small, a larger and a large store: it must not grow with the store.

    python -m tests.benchmarks.growth DATABASE FILES PLAYS CALLS

prints the median of every verb in milliseconds as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

from . import rows, template
from .fresh import memory_rows
from .results import Row, medians
from .sizes import SIZES
from .threads import Sample, latencies
from .workers import ROOT, MeasurementFailed, environment

_USERS = 50
_REPEATS = 5
_Verbs = dict[str, Callable[[int], Any]]


def growth_rows(folder: Path, size: str, say: Callable[[str], None]) -> Iterator[Row]:
    """Fill stores of growing size, and yield how much more each verb costs in the largest."""
    sizes = SIZES[size]
    stores: dict[int, Path] = {}
    for files in sizes.growth:
        say(f"filling a store of {files:,} files to see what grows")
        stores[files] = template.make(
            folder / f"files-{files}.db", files, sizes.growth_plays[0], _USERS, search=True
        )
    found = _measured(
        [(stores[files], files, sizes.growth_plays[0]) for files in sizes.growth],
        sizes.growth_calls,
        min(_REPEATS, sizes.repeats),
        say,
    )
    yield from _rows(found, f"{sizes.growth[0]:,} to {sizes.growth[-1]:,} files")
    titles = sizes.growth[-1]
    search = {"ours": found[-1]["search"]}
    yield Row("search", f"search() of {titles:,} titles, median", "ms", 20.0, search)
    yield from memory_rows(folder, stores[titles], titles, say)
    for path in stores.values():
        template.remove(path)
    yield from _history(folder, size, say)


def _history(folder: Path, size: str, say: Callable[[str], None]) -> Iterator[Row]:
    sizes = SIZES[size]
    stores = []
    for plays in sizes.growth_plays:
        say(f"filling a store of {plays:,} plays to see what grows")
        path = folder / f"plays-{plays}.db"
        stores.append((template.make(path, sizes.growth[0], plays, _USERS), 0, plays))
    found = _measured(stores, sizes.growth_calls, min(_REPEATS, sizes.repeats), say)
    for path, _, _ in stores:
        template.remove(path)
    yield from _rows(found, f"{sizes.growth_plays[0]:,} to {sizes.growth_plays[-1]:,} plays")


def _measured(
    stores: list[tuple[Path, int, int]], calls: int, repeats: int, say: Callable[[str], None]
) -> list[Sample]:
    """Return every verb's milliseconds in each store; the stores take turns."""
    samples: list[list[Sample]] = [[] for _ in stores]
    for repeat in range(repeats):
        say(f"growth, repeat {repeat + 1}")
        for number, arguments in enumerate(stores):
            done = subprocess.run(
                [sys.executable, "-m", __name__, *map(str, arguments), str(calls)],
                capture_output=True,
                text=True,
                env=environment(),
                cwd=ROOT,
                check=False,
            )
            if done.returncode:
                raise MeasurementFailed(done.stderr)
            samples[number].append(json.loads(done.stdout))
    return [medians(each) for each in samples]


def _rows(found: list[Sample], what: str) -> Iterator[Row]:
    for verb, smallest in found[0].items():
        details = {f"store {number}": {"ms": sample[verb]} for number, sample in enumerate(found)}
        yield Row(
            f"growth_{verb}",
            f"growth of {verb}, {what}",
            "x smallest",
            1.5,
            {"ours": found[-1][verb] / smallest},
            details=details,
        )


# In a process of its own


def main(database: str, files: str, plays: str, calls: str) -> None:
    """Measure every verb in one store; without files only what reads the history."""
    from viewra_lite import Store

    with Store.open(template.config(database)) as store:
        verbs = _history_verbs(store) if files == "0" else _verbs(store, int(files))
        print(json.dumps({name: _median_ms(verb, int(calls)) for name, verb in verbs.items()}))


def _median_ms(verb: Callable[[int], Any], calls: int) -> float:
    took = []
    for step in range(calls // 10 + calls):
        before = perf_counter()
        verb(step)
        took.append(perf_counter() - before)
    return latencies(took[calls // 10 :])["p50_ms"]


def _history_verbs(store: Any) -> _Verbs:
    page = store.playback.history(rows.user(0))
    return {
        "history": lambda step: store.playback.history(rows.user(step % _USERS)),
        "history_of_all": lambda step: store.playback.history(),
        "history_next_page": lambda step: store.playback.history(rows.user(0), after=page.next),
    }


def _verbs(store: Any, files: int) -> _Verbs:
    media, playback = store.media, store.playback
    file_page = _middle(lambda after: media.files(rows.KNOWN, limit=1000, after=after), files)
    movie_page = _middle(
        lambda after: media.movies(library_id=rows.KNOWN, limit=1000, after=after), files
    )
    session = playback.start_session(
        rows.number_id("file", files // 2), user_id="growth", duration=1e6
    )
    run = rows.new_id()[-8:]
    position = count(1)

    def number(step: int) -> int:
        return step * 7919 % files

    def id(step: int) -> str:
        return rows.number_id("file", number(step))

    def path(step: int) -> str:
        return str(rows.fact(number(step), rows.ROOTS[rows.KNOWN])[0])

    def typed(step: int) -> str:
        words = rows.title(number(step)).split()
        return (words[1], " ".join(words[3:]), f"{words[-1]} {words[3][:5]}")[step % 3]

    return {
        "file": lambda step: media.file(id(step)),
        "find_file": lambda step: media.find_file(rows.KNOWN, path(step)),
        "files": lambda step: media.files(rows.KNOWN, after=file_page),
        "movies": lambda step: media.movies(library_id=rows.KNOWN),
        "movies_next_page": lambda step: media.movies(library_id=rows.KNOWN, after=movie_page),
        "movies_by_added": lambda step: media.movies(library_id=rows.KNOWN, sort="added"),
        "movie": lambda step: media.movie(rows.number_id("movie", number(step))),
        "search": lambda step: media.search(typed(step)),
        "save_movie": lambda step: media.save_movie(
            rows.KNOWN, title=rows.title(number(step)), year=1999
        ),
        "heartbeat": lambda step: playback.heartbeat(session.id, float(next(position))),
        "set_progress": lambda step: playback.set_progress("growth", id(step), 60.0),
        "progress_of": lambda step: playback.progress_of(
            "growth", [id(step + n) for n in range(50)]
        ),
        "mark_watched": lambda step: playback.mark_watched(f"growth-{run}", id(step)),
        "continue_watching": lambda step: playback.continue_watching("growth"),
    }


def _middle(page: Callable[[str | None], Any], files: int) -> str | None:
    """Return the cursor of a page in the middle of a list."""
    after: str | None = None
    for _ in range(max(1, files // 2000)):
        after = page(after).next
    return after


if __name__ == "__main__":
    main(*sys.argv[1:])
