"""viewra-lite libraries, search: list, rename, move and remove libraries; search the store."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...arguments import add_limit, named
from ...choices import chosen_library, short_ids
from ...complaints import UsageError
from ...exit_codes import DONE
from ...opening import existing
from ...output import note, print_json, print_table, say
from ...parser import Commands, Parser
from ...remedies import command

if TYPE_CHECKING:
    from ....store import Store

_COLUMNS = ("id", "name", "type", "files", "missing", "last_scan", "path")


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    libraries = commands.add(
        "libraries",
        run_libraries,
        "list the libraries, rename, move or remove one",
        example="libraries --json",
    )
    below = Commands(libraries, "action", required=False)
    remove = below.add(
        "remove",
        run_remove,
        "remove a library from the store; media stays on disk",
        "Remove a library and its files from the store. The media stay on disk, and the watch "
        "history is kept.",
        example="libraries remove Films --yes",
    )
    _add_library(remove)
    remove.add_argument("--yes", action="store_true", help="confirm the removal")
    rename = below.add(
        "rename", run_rename, "change the name of a library", example="libraries rename films Films"
    )
    _add_library(rename)
    rename.add_argument("name", metavar="NAME", type=named, help="the new name")
    move = below.add(
        "move",
        run_move,
        "change the folder of a library",
        "Change the folder of a library, after it was moved or its disk was mounted elsewhere. "
        "The files keep their ids, and with them their metadata and watch state.",
        example="libraries move Films /mnt/films",
    )
    _add_library(move)
    move.add_argument("path", metavar="PATH", help="the new folder of its files")
    search = commands.add(
        "search",
        run_search,
        "find movies, shows, episodes and music",
        example="search amelie --limit 5",
    )
    search.add_argument("text", metavar="TEXT", nargs="+", help="words, or beginnings of words")
    add_limit(search)


def _add_library(parser: Parser) -> None:
    parser.add_argument(
        "library", metavar="LIBRARY", help="its id or a unique prefix of it, its name, or its path"
    )


def run_libraries(args: Namespace) -> int:
    """List the libraries."""
    with existing(args) as store:
        rows = library_facts(store)
    if args.json:
        print_json({"libraries": rows})
    elif rows:
        _print_libraries(rows)
    else:
        adds = command(args, "scan", "PATH", "--type", "movie")
        note(f"No library yet: {adds} adds one")
    return DONE


def _print_libraries(rows: Sequence[Mapping[str, Any]]) -> None:
    short = short_ids([row["id"] for row in rows])
    print_table(
        [name.replace("_", " ") for name in _COLUMNS],
        [[short[row["id"]], *(row[name] for name in _COLUMNS[1:])] for row in rows],
        numbers=("files", "missing"),
        texts=("name", "path"),
    )


def library_facts(store: Store) -> list[dict[str, Any]]:
    """Return the columns and counts of each library; files counts the present ones."""
    counted = store.maintenance.statistics().libraries
    return [
        {
            "id": library.id,
            "name": library.name,
            "type": library.type,
            "path": library.path,
            "files": counted[library.id].files if library.id in counted else 0,
            "missing": counted[library.id].missing if library.id in counted else 0,
            "scan_interval": library.scan_interval,
            "last_scan": library.last_scan,
        }
        for library in store.media.libraries()
    ]


def run_remove(args: Namespace) -> int:
    """Remove a library."""
    with existing(args) as store:
        library = chosen_library(store, args.library, command(args, "libraries"))
        if not args.yes:
            raise UsageError(
                f"this would remove the library {library.name} ({library.path}) from the store, "
                "but no file from the disk: run "
                f"{command(args, 'libraries', 'remove', args.library, '--yes')} to confirm"
            )
        store.media.remove_library(library.id)
    if args.json:
        print_json({"removed": {"id": library.id, "name": library.name, "path": library.path}})
    else:
        say(f"Removed the library {library.name}; its files are still in {library.path}")
    return DONE


def run_rename(args: Namespace) -> int:
    """Change the name of a library."""
    with existing(args) as store:
        library = chosen_library(store, args.library, command(args, "libraries"))
        renamed = store.media.update_library(library.id, name=args.name)
    if args.json:
        names = {"id": renamed.id, "name": renamed.name, "was": library.name}
        print_json({"renamed": names})
    else:
        say(f"The library {library.name} is now {renamed.name}")
    return DONE


def run_move(args: Namespace) -> int:
    """Change the folder of a library."""
    with existing(args) as store:
        library = chosen_library(store, args.library, command(args, "libraries"))
        moved = store.media.update_library(library.id, path=args.path)
    if args.json:
        places = {"id": moved.id, "name": moved.name, "path": moved.path, "was": library.path}
        print_json({"moved": places})
    else:
        was = "already" if moved.path == library.path else f"now; it was at {library.path}"
        say(f"The library {moved.name} is at {moved.path} {was}")
        note(f"To find changes there: {command(args, 'scan', moved.path)}")
    return DONE


def run_search(args: Namespace) -> int:
    """Search and print the hits."""
    with existing(args) as store:
        hits = store.media.search(" ".join(args.text), limit=args.limit)
    if args.json:
        print_json({"hits": [asdict(hit) for hit in hits]})
    elif hits:
        rows = [(hit.kind, hit.title, hit.detail, hit.year) for hit in hits]
        print_table(
            ("kind", "title", "detail", "year"), rows, numbers=("year",), texts=("title", "detail")
        )
    else:
        note("Nothing was found")
    return DONE
