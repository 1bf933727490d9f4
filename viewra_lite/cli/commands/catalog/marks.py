"""viewra-lite mark, undo: mark titles as watched or not, and go back to an earlier progress."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from ...arguments import asking, moment, user
from ...exit_codes import DONE
from ...opening import existing
from ...output import print_json, say
from ...parser import Commands, Parser
from ...times import in_utc
from ..playback import position_text
from .titles import EPISODE, FILE, MOVIE, SHOW, chosen

if TYPE_CHECKING:
    from ....playback.models import UserMediaProgress

_FACTS = ("user_id", "media_file_id", "position", "duration", "completed", "updated_at")


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    parser = commands.add(
        "mark",
        run_watched,
        "mark a title as watched or unwatched",
        "Mark a movie, an episode, a show or a file as watched or unwatched by a user. A mark is "
        "not a play: the history stays.",
        example="mark watched anna Dune",
    )
    below = Commands(parser, "what", required=True)
    watched = below.add(
        "watched",
        run_watched,
        "mark a title as watched",
        example="mark watched anna 'Dune (2021)' --at 2024-05-31",
    )
    _add_title(watched, "a movie, an episode as Dark S01E02, a show")
    watched.add_argument(
        "--at", type=moment, metavar="DATE", help="when it was watched; default: no date"
    )
    unwatched = below.add(
        "unwatched",
        run_unwatched,
        "mark a title as not watched",
        example="mark unwatched anna Dark S01E02",
    )
    _add_title(unwatched, "a movie, an episode as Dark S01E02, a show")
    undo = commands.add(
        "undo",
        run_undo,
        "restore a user's progress from before a mark or a jump",
        "Restore a user's progress in a movie, an episode or a file from before the last jump, "
        "mark or change of session. Each call goes one state further back.",
        example="undo anna Dune",
    )
    _add_title(undo, "a movie, an episode as Dark S01E02")


def _add_title(parser: Parser, about: str) -> None:
    parser.add_argument("user", metavar="USER", type=user, help="the user's id")
    parser.add_argument(
        "title",
        metavar="TITLE",
        nargs="+",
        help=f"{about}, by title or id; or a file by id or path",
    )


def run_watched(args: Namespace) -> int:
    """Mark as watched."""
    return _mark(args, watched=True)


def run_unwatched(args: Namespace) -> int:
    """Mark as not watched."""
    return _mark(args, watched=False)


def _mark(args: Namespace, *, watched: bool) -> int:
    with existing(args) as store, asking():
        kinds = (MOVIE, SHOW, EPISODE, FILE)
        target = chosen(args, store, " ".join(args.title), kinds=kinds)
        key = "media_file_id" if target.kind == FILE else f"{target.kind}_id"
        given = {key: target.id}
        if watched:
            states = store.playback.mark_watched(args.user, **given, at=in_utc(args.at))
        else:
            states = store.playback.mark_unwatched(args.user, **given)
    if args.json:
        print_json({"marked": [_facts(state) for state in states]})
    else:
        count = f", {len(states)} titles" if target.kind == SHOW else ""
        state = "watched" if watched else "unwatched"
        say(f"Marked as {state} by {args.user}: {target.name}{count}")
    return DONE


def run_undo(args: Namespace) -> int:
    """Go back to the state before."""
    from ....errors import ConflictError

    with existing(args) as store, asking():
        target = chosen(args, store, " ".join(args.title), kinds=(MOVIE, EPISODE, FILE))
        if target.media_file_id is None:
            raise ConflictError(f"{target.name} has no file, and so no progress to undo")
        state = store.playback.undo_progress(args.user, target.media_file_id)
    if args.json:
        print_json(_facts(state))
    else:
        where = position_text(state.position, state.duration)
        watched = "watched" if state.completed else "not watched"
        say(f"{args.user} is at {where} of {target.name}, {watched}")
    return DONE


def _facts(state: UserMediaProgress) -> dict[str, Any]:
    return {name: getattr(state, name) for name in _FACTS}
