"""viewra-lite list: the movies, shows, episodes, albums and files of the store, page by page."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...arguments import add_limit, asking
from ...choices import chosen_library
from ...complaints import UsageError
from ...exit_codes import DONE
from ...opening import existing
from ...output import note, print_json, print_table, readable_size
from ...parser import Commands
from ...remedies import command
from ..playback import time_text
from .titles import SHOW, chosen, episode_name

if TYPE_CHECKING:
    from ....database.pages import Page
    from ....media.models import MediaLibrary
    from ....store import Store

_Row = Mapping[str, Any]


class _Kind(NamedTuple):
    """How the rows of a kind are read and shown; `facts` are the keys of its JSON."""

    read: Callable[[Store, Namespace, MediaLibrary | None], Page[Any]]
    facts: Callable[[Any], _Row]
    columns: Sequence[str]
    texts: Sequence[str]


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    parser = commands.add(
        "list",
        run_list,
        "list movies, shows, episodes, albums or files",
        "List what the store holds, page by page. The id of a title or a file is what "
        "the commands mark and undo take.",
        example="list movies",
    )
    below = Commands(parser, "what", required=True)
    for name, about in (
        ("movies", "list movies by title"),
        ("shows", "list shows by title, with the number of their episodes"),
        ("episodes", "list the episodes of a show"),
        ("albums", "list albums by title"),
        ("files", "list the files of a library by path, missing ones included"),
    ):
        kind = below.add(name, run_list, about, example=f"list {name}{_EXAMPLES.get(name, '')}")
        kind.set_defaults(kind=name)
        if name == "episodes":
            kind.add_argument("show", metavar="SHOW", nargs="+", help="the title or id of a show")
        kind.add_argument(
            "--library",
            metavar="LIBRARY",
            help="only those of this library: its id or a unique prefix of it, its name or path",
        )
        add_limit(kind)
        kind.add_argument(
            "--after",
            metavar="CURSOR",
            help="continue after this cursor (printed below the previous page)",
        )


_EXAMPLES = {"episodes": " Dark", "files": " --library Films"}


def run_list(args: Namespace) -> int:
    """List one page."""
    kind = _KINDS[args.kind]
    with existing(args) as store, asking():
        library = None
        if args.library is not None:
            library = chosen_library(store, args.library, command(args, "libraries"))
        page = kind.read(store, args, library)
    rows = [kind.facts(item) for item in page.items]
    if args.json:
        print_json({args.kind: rows, "next": page.next})
    elif rows:
        print_table(
            [name.replace("_", " ") for name in kind.columns],
            [[_shown(name, row[name]) for name in kind.columns] for row in rows],
            numbers=[name for name in kind.columns if name in _NUMBERS],
            texts=kind.texts,
        )
        if page.next:
            note(f"There is more: {_next_page(args, page.next)}")
    else:
        note(f"Found no {args.kind}")
    return DONE


_NUMBERS = ("year", "seasons", "episodes", "tracks", "duration", "size")


def _shown(name: str, value: object) -> object:
    if name == "size" and isinstance(value, int):
        return readable_size(value)
    return time_text(value) if name == "duration" and isinstance(value, float) else value


def _next_page(args: Namespace, cursor: str) -> str:
    library = ["--library", args.library] if args.library is not None else []
    show = args.show if args.kind == "episodes" else []
    page = ["--limit", str(args.limit), "--after", cursor]
    return command(args, "list", args.kind, *show, *library, *page)


# Reading


def _movies(store: Store, args: Namespace, library: MediaLibrary | None) -> Page[Any]:
    return store.media.movies(library_id=_id(library), limit=args.limit, after=args.after)


def _shows(store: Store, args: Namespace, library: MediaLibrary | None) -> Page[Any]:
    return store.media.shows(library_id=_id(library), limit=args.limit, after=args.after)


def _albums(store: Store, args: Namespace, library: MediaLibrary | None) -> Page[Any]:
    return store.media.albums(library_id=_id(library), limit=args.limit, after=args.after)


def _id(library: MediaLibrary | None) -> str | None:
    return None if library is None else library.id


def _files(store: Store, args: Namespace, library: MediaLibrary | None) -> Page[Any]:
    if library is None:
        libraries = store.media.libraries()
        if len(libraries) != 1:
            raise UsageError(f"list files needs --library: {command(args, 'libraries')} lists them")
        library = libraries[0]
    return store.media.files(library.id, limit=args.limit, after=args.after)


def _episodes(store: Store, args: Namespace, library: MediaLibrary | None) -> Page[Any]:
    """Return a page of a show's episodes; its cursor is the id of its last episode."""
    from ....database.pages import Page

    hit = chosen(args, store, " ".join(args.show), kinds=(SHOW,), library=library)
    show = store.media.show(hit.id)
    episodes = [episode for season in show.seasons for episode in season.episodes]
    for season in show.seasons:
        for episode in season.episodes:
            episode.season, season.show = season, show
    start = 0
    if args.after is not None:
        ids = [episode.id for episode in episodes]
        if args.after not in ids:
            raise UsageError(f"--after: no episode of {show.title} has the id {args.after!r}")
        start = ids.index(args.after) + 1
    items = episodes[start : start + args.limit]
    is_last = start + args.limit >= len(episodes)
    return Page(items, None if is_last else items[-1].id)


# Facts


def _movie_facts(movie: Any) -> _Row:
    return {**_title(movie), **_file(movie.media_file)}


def _show_facts(show: Any) -> _Row:
    return {**_title(show), "seasons": show.season_count, "episodes": show.episode_count}


def _episode_facts(episode: Any) -> _Row:
    return {
        "id": episode.id,
        "show_id": episode.season.show.id,
        "season": episode.season.season_number,
        "episode": episode.episode_number,
        "number": episode_name(episode.season.season_number, episode.episode_number),
        "title": episode.title,
        **_file(episode.media_file),
    }


def _album_facts(album: Any) -> _Row:
    facts = {"artist": album.album_artist, "tracks": album.track_count, "duration": album.duration}
    return {**_title(album), **facts}


def _file_facts(file: Any) -> _Row:
    names = ("id", "path", "duration", "size", "status", "missing_since", "error")
    return {name: getattr(file, name) for name in names}


def _title(row: Any) -> dict[str, Any]:
    return {"id": row.id, "library_id": row.library_id, "title": row.title, "year": row.year}


def _file(file: Any) -> dict[str, Any]:
    return {
        "media_file_id": file and file.id,
        "path": file and file.path,
        "duration": file and file.duration,
    }


_KINDS = {
    "movies": _Kind(_movies, _movie_facts, ("title", "year", "duration", "id"), ("title",)),
    "shows": _Kind(_shows, _show_facts, ("title", "year", "seasons", "episodes", "id"), ("title",)),
    "episodes": _Kind(_episodes, _episode_facts, ("number", "title", "duration", "id"), ("title",)),
    "albums": _Kind(
        _albums, _album_facts, ("title", "artist", "year", "tracks", "id"), ("title", "artist")
    ),
    "files": _Kind(_files, _file_facts, ("path", "duration", "size", "status", "id"), ("path",)),
}
