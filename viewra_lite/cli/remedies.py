"""Commands in messages, which the user can paste unchanged."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace

from .complaints import without_passwords
from .output import PROGRAM, say


def command(args: Namespace, *words: str) -> str:
    """Return a command with the --config of this one; a password in its URL is masked."""
    return shlex.join((PROGRAM, *words, *_shared(args)))


def completed(args: Namespace, text: str) -> str:
    """Return a message of the store, which knows no --config, with that of this command."""
    if "--config" in text or args.config is None:
        return text
    program = shlex.join((PROGRAM, *_shared(args)))
    return re.sub(rf"\b{PROGRAM} (?=[a-z])", lambda _: f"{program} ", text)


def say_finding(
    args: Namespace, id: str, severity: str, text: str, remedy: str, fixable: bool
) -> None:
    """Print a finding and its remedy."""
    say(completed(args, f"{severity}: {id}: {text}"))
    if remedy:
        by_itself = f" (or: {command(args, 'doctor', '--fix')})" if fixable else ""
        say(f"    {completed(args, remedy)}{by_itself}")


def _shared(args: Namespace) -> tuple[str, ...]:
    return () if args.config is None else ("--config", without_passwords(args.config))
