"""Scan a small generated library and look at what the store knows. Run it with `make demo`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.support.media import make_library
from viewra_lite import Store

Progress = Callable[[str, int, int], None]


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="viewra-demo-"))
    media = make_library(folder / "media")
    database = folder / "viewra.db"
    with Store.open({"database": {"type": "sqlite", "database_path": str(database)}}) as store:
        store.media.add_library("Movies", str(media.movies), "movie")
        store.media.add_library("TV Shows", str(media.shows), "tv")
        store.media.add_library("Music", str(media.music), "music")
        scan_libraries(store)
        print_movies(store)
        print_shows_and_albums(store)
        print_search(store, "amelie")
    print(f"\nThe database is {database}")
    print("Look at it with any SQLite program, or with the command line, for example")
    print(f"  {Path(sys.executable).with_name('viewra-lite')} status --config sqlite:///{database}")
    print(f"and remove {folder} when you are done.")


def scan_libraries(store: Store) -> None:
    print("Libraries")
    for library in store.media.libraries():
        with progress_bar(library.name) as progress:
            result = store.media.scan(library.id, progress=progress)
        print(f"  {library.name}: {result.added} files added in {result.seconds:.2f} s")
        # The second scan reads no file that has kept its size and time.
        result = store.media.scan(library.id)
        print(f"  {library.name}: {result.unchanged} unchanged, {result.seconds:.2f} s")


def print_movies(store: Store) -> None:
    page = store.media.movies(limit=5)
    print("\nThe first page of movies")
    while True:
        for movie in page.items:
            file = movie.media_file
            picture = f"{file.width}x{file.height} {file.video_codec}"
            print(f"  {movie.title} ({movie.year})  {picture}, {file.duration:.1f} s")
        if page.next is None:
            break
        print("The next page")
        page = store.media.movies(limit=5, after=page.next)


def print_shows_and_albums(store: Store) -> None:
    print("\nShows and albums")
    for show in store.media.shows().items:
        print(f"  {show.title}")
    for album in store.media.albums().items:
        print(f"  {album.title}, {album.album_artist}")


def print_search(store: Store, text: str) -> None:
    print(f'\nSearching for "{text}"')
    for hit in store.media.search(text):
        print(f"  {hit.kind}: {hit.title}")


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Draw a bar on a terminal when rich is installed; print a line per phase otherwise."""
    if not (sys.stdout.isatty() and find_spec("rich")):
        yield print_phase
        return
    from rich.progress import Progress as Bar

    with Bar(transient=True) as bar:
        task = bar.add_task(title)
        yield lambda phase, done, total: bar.update(
            task, description=f"{title}: {phase}", completed=done, total=total
        )


def print_phase(phase: str, done: int, total: int) -> None:
    if done == total:
        print(f"    {phase}: {done} of {total}")


if __name__ == "__main__":
    main()
