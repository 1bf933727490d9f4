"""viewra-lite transcodes: transcoding sessions, and the cache of their results."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..arguments import add_limit, asking
from ..exit_codes import DONE
from ..opening import existing
from ..output import note, print_json, print_table, readable_size, say

if TYPE_CHECKING:
    from ...transcoding.cache import CacheUsage
    from ...transcoding.models import TranscodeSession
    from ..parser import Commands

STATUSES = ("pending", "running", "completed", "failed", "cancelled")
_FACTS = (
    "id",
    "media_file_id",
    "input_path",
    "status",
    "priority",
    "profile",
    "container",
    "video_codec",
    "audio_codec",
    "quality",
    "height",
    "progress",
    "provider",
    "attempts",
    "error_message",
    "created_at",
    "started_at",
    "completed_at",
    "output_path",
    "content_hash",
)
_HEADINGS = ("file", "status", "profile", "%", "provider", "attempts", "error")
_LONGEST_ERROR = 100  # characters in the table; --json has all of it


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    transcodes = commands.add(
        "transcodes",
        run_transcodes,
        "list transcoding sessions and the size of the cache",
        "List queued, running and ended transcoding sessions, the latest first, and the size of "
        "the cache of their results.",
        example="transcodes --status running",
    )
    transcodes.add_argument("--status", choices=STATUSES, help="only sessions with this status")
    add_limit(transcodes)


def run_transcodes(args: Namespace) -> int:
    """List transcoding sessions and print the size of the cache."""
    with existing(args) as store, asking():
        sessions = store.transcoding.sessions(status=args.status, limit=args.limit)
        usage = store.transcoding.cache_usage()
    if args.json:
        facts = [{name: getattr(session, name) for name in _FACTS} for session in sessions]
        print_json({"transcodes": facts, "cache": asdict(usage)})
        return DONE
    if sessions:
        print_table(
            _HEADINGS,
            map(_row, sessions),
            numbers=("%", "attempts"),
            texts=("file", "profile", "provider", "error"),
        )
    else:
        note(f"No session is {args.status}" if args.status else "Nothing was transcoded yet")
    say(_cache_line(usage))
    return DONE


def _row(session: TranscodeSession) -> Sequence[object]:
    name = os.path.basename(session.input_path or "") or session.media_file_id
    return (
        name,
        session.status,
        profile_text(session),
        f"{session.progress * 100:.0f}",
        session.provider,
        session.attempts,
        _shortened(session.error_message or ""),
    )


def profile_text(session: TranscodeSession) -> str:
    """Return the requested profile in a few words: mp4 h264+aac 720p q23."""
    codecs = "+".join(filter(None, (session.video_codec, session.audio_codec)))
    height = None if session.height is None else f"{session.height}p"
    quality = None if session.quality is None else f"q{session.quality}"
    return " ".join(filter(None, (session.container, codecs, height, quality)))


def _shortened(error: str) -> str:
    text = " ".join(error.split())
    return text if len(text) <= _LONGEST_ERROR else f"{text[:_LONGEST_ERROR]}..."


def _cache_line(usage: CacheUsage) -> str:
    entries = "1 entry" if usage.entries == 1 else f"{usage.entries} entries"
    pinned = f", {readable_size(usage.pinned_bytes)} of it pinned" if usage.pinned_bytes else ""
    return f"cache: {entries}, {readable_size(usage.bytes)}{pinned}"
