"""viewra-lite sessions, history, continue, stats: current and past plays of users."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..arguments import add_limit, add_user, asking, moment, user_of
from ..bars import by_period, print_bars
from ..complaints import UsageError
from ..exit_codes import DONE
from ..opening import existing
from ..output import note, print_facts, print_json, print_table, printable, say
from ..remedies import command
from ..times import in_utc, zone

if TYPE_CHECKING:
    from ...playback.history.stats import Stats
    from ...playback.models import PlaybackHistory, PlaybackHistoryArchive, PlaybackSession
    from ...playback.watching.items import WatchItem
    from ..parser import Commands

_SESSION = (
    "id",
    "user_id",
    "device_id",
    "media_file_id",
    "kind",
    "title",
    "method",
    "state",
    "position",
    "duration",
    "start_time",
    "last_activity",
)
_PLAY = (
    "id",
    "user_id",
    "device_id",
    "media_file_id",
    "kind",
    "title",
    "top_title",
    "method",
    "played_at",
    "duration_watched",
    "completed",
)
_UNTITLED = "(no title)"
_DATE = "2024-05-31 (its midnight), 2024-05-31T20:15, or 2024-05-31T20:15+02:00"


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    sessions = commands.add(
        "sessions",
        run_sessions,
        "list the current playback sessions",
        example="sessions --user anna",
    )
    add_user(sessions, "only sessions of this user")
    _add_history(commands)
    unfinished = commands.add(
        "continue",
        run_continue,
        "list a user's unfinished titles",
        example="continue anna --next-up",
    )
    add_user(unfinished, "the user; required")
    add_limit(unfinished)
    unfinished.add_argument(
        "--next-up",
        action="store_true",
        help="also list the next episode of each show, unless it was begun",
    )
    _add_stats(commands)


def _add_history(commands: Commands) -> None:
    history = commands.add(
        "history",
        run_history,
        "list past plays, the latest first",
        example="history anna --limit 50",
    )
    add_user(history, "only plays of this user")
    add_limit(history)
    history.add_argument(
        "--after",
        metavar="CURSOR",
        help="continue after this cursor (printed below the previous page)",
    )
    history.add_argument("--archived", action="store_true", help="include archived plays")


def _add_stats(commands: Commands) -> None:
    stats = commands.add(
        "stats",
        run_stats,
        "print totals by title and user",
        "Print the number of plays and hours, in total and by title and user, including archived "
        "plays.",
        example="stats --since 2024-05-01 --until 2024-06-01 --plot",
    )
    add_user(stats, "only plays of this user")
    for option, about in (("--since", "count plays from"), ("--until", "count plays before")):
        stats.add_argument(option, type=moment, metavar="DATE", help=f"{about} {_DATE}")
    stats.add_argument(
        "--plot", action="store_true", help="draw bars of the hours per day, title and user"
    )


# Sessions


def run_sessions(args: Namespace) -> int:
    """List the sessions that have not ended."""
    with existing(args) as store, asking():
        sessions = store.playback.active_sessions(user_id=user_of(args))
    if args.json:
        print_json({"sessions": [_fields(session, _SESSION) for session in sessions]})
    elif sessions:
        print_table(
            ("user", "title", "device", "state", "position", "since"),
            map(_session_row, sessions),
            texts=("user", "title", "device"),
        )
    else:
        note(f"Nothing is being played{_by(args)}")
    return DONE


def _by(args: Namespace) -> str:
    user = user_of(args)
    return "" if user is None else f" by {user}"


def _session_row(session: PlaybackSession) -> Sequence[object]:
    return (
        session.user_id,
        session.title or session.media_file_id,
        session.device_id,
        session.state,
        position_text(session.position, session.duration),
        session.start_time,
    )


def _fields(row: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def position_text(position: float, duration: float | None) -> str:
    """Return a position in seconds as 0:12:34 of 1:52:00, or 0:12:34 without a duration."""
    return f"{time_text(position)} of {time_text(duration)}" if duration else time_text(position)


def time_text(seconds: float | None) -> str:
    """Return a running time as 1:52:00."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


# History


def run_history(args: Namespace) -> int:
    """List plays."""
    with existing(args) as store, asking():
        page = store.playback.history(
            user_of(args), limit=args.limit, after=args.after, archived=args.archived
        )
    if args.json:
        print_json({"items": [_play_facts(play) for play in page.items], "next": page.next})
    elif page.items:
        headings = ("when", "user", "title", "minutes", "completed")
        print_table(
            headings, map(_play_row, page.items), numbers=("minutes",), texts=("user", "title")
        )
        if page.next:
            note(f"There is more: {_next_page(args, page.next)}")
    else:
        note(f"Nothing was watched{_by(args)}")
    return DONE


def _next_page(args: Namespace, cursor: str) -> str:
    user = user_of(args)
    return command(
        args,
        "history",
        *([user] if user else []),
        "--limit",
        str(args.limit),
        *(["--archived"] if args.archived else []),
        "--after",
        cursor,
    )


def _play_row(play: PlaybackHistory | PlaybackHistoryArchive) -> Sequence[object]:
    seconds = play.duration_watched
    return (
        play.played_at,
        play.user_id,
        play.title or play.media_file_id,
        None if seconds is None else round(seconds / 60),
        "yes" if play.completed else "no",
    )


def _play_facts(play: PlaybackHistory | PlaybackHistoryArchive) -> dict[str, Any]:
    return {**_fields(play, _PLAY), "archived_at": getattr(play, "archived_at", None)}


# Continue watching


def run_continue(args: Namespace) -> int:
    """List the titles to continue, and the next episodes."""
    user = user_of(args)
    if user is None:
        raise UsageError("continue needs a user: viewra-lite continue USER")
    with existing(args) as store, asking():
        begun = store.playback.continue_watching(user, limit=args.limit)
        following = store.playback.next_up(user, limit=args.limit) if args.next_up else []
    known = {item.media_file_id for item in begun}
    following = [item for item in following if item.media_file_id not in known]
    if args.json:
        lists = {"continue": begun, **({"next_up": following} if args.next_up else {})}
        print_json({name: [_item_facts(item) for item in items] for name, items in lists.items()})
        return DONE
    _print_begun(user, begun)
    if args.next_up:
        if begun and following:
            say("")
        _print_following(user, following)
    return DONE


def _print_begun(user: str, items: Sequence[WatchItem]) -> None:
    if not items:
        note(f"{user} has no unfinished titles")
        return
    rows = [
        (
            item.title,
            position_text(item.progress.position, _duration(item)),
            _share(item),
            item.media_file.path,
        )
        for item in items
    ]
    print_table(("title", "position", "%", "file"), rows, numbers=("%",), texts=("title", "file"))


def _print_following(user: str, items: Sequence[WatchItem]) -> None:
    if not items:
        note(f"{user} has no next episodes")
        return
    rows = [(item.title, time_text(_duration(item)), item.media_file.path) for item in items]
    print_table(("next up", "duration", "file"), rows, numbers=("duration",))


def _duration(item: WatchItem) -> float | None:
    duration: float | None = item.progress.duration or item.media_file.duration
    return duration


def _share(item: WatchItem) -> str:
    duration = _duration(item)
    return f"{item.progress.position / duration * 100:.0f}" if duration else ""


def _item_facts(item: WatchItem) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "title": item.title,
        "media_file_id": item.media_file_id,
        "path": item.media_file.path,
        "position": item.progress.position,
        "resume_position": item.progress.resume_position,
        "duration": _duration(item),
        "updated_at": item.progress.updated_at,
        "movie_id": item.movie and item.movie.id,
        "show_id": item.show and item.show.id,
        "episode_id": item.episode and item.episode.id,
        "track_id": item.track and item.track.id,
    }


# Statistics


def run_stats(args: Namespace) -> int:
    """Print the totals."""
    user, since, until = user_of(args), in_utc(args.since), in_utc(args.until)
    with existing(args) as store, asking():
        # Only the bars show days of this zone; JSON is always in UTC.
        tz = zone() if args.plot and not args.json else None
        stats = store.playback.stats(user_id=user, since=since, until=until, tz=tz)
    if args.json:
        print_json(asdict(stats))
    elif not stats.plays:
        note(f"Nothing was watched{_by(args)}{_when(since, until)}")
    else:
        print_facts(
            {"plays": stats.plays, "completed": stats.completed, "hours": _hours(stats.hours)}
        )
        (_plot if args.plot else _print_totals)(stats, by_user=user is None)
    return DONE


def _when(since: datetime | None, until: datetime | None) -> str:
    begin = f" from {printable(since)} on" if since else ""
    end = f" before {printable(until)}" if until else ""
    return begin + end


def _hours(hours: float) -> str:
    return f"{hours:.1f}"


def _print_totals(stats: Stats, *, by_user: bool) -> None:
    titles = [
        (total.title or _UNTITLED, total.kind, total.plays, total.completed, _hours(total.hours))
        for total in (*stats.top_titles, *stats.top_extras)
    ]
    users = [
        (total.user_id, total.plays, total.completed, _hours(total.hours))
        for total in stats.by_user
    ]
    numbers = ("plays", "completed", "hours")
    say("")
    print_table(("title", "kind", *numbers), titles, numbers=numbers, texts=("title",))
    if by_user:
        say("")
        print_table(("user", *numbers), users, numbers=numbers)


def _plot(stats: Stats, *, by_user: bool) -> None:
    period, hours = by_period([(total.day, total.hours) for total in stats.by_day])
    print_bars(f"Hours per {period}", hours)
    print_bars(
        "Hours per title", [(total.title or _UNTITLED, total.hours) for total in stats.top_titles]
    )
    if by_user:
        print_bars("Hours per user", [(total.user_id, total.hours) for total in stats.by_user])
