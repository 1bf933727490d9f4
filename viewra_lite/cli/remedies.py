"""Commands in messages, which the user can paste unchanged."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace

from .complaints import without_passwords
from .output import PROGRAM


def command(args: Namespace, *words: str) -> str:
    """Return a command with the --config of this one; a password in its URL is masked."""
    return shlex.join((PROGRAM, *words, *_shared(args)))


def completed(args: Namespace, text: str) -> str:
    """Return a message of the store, which knows no --config, with that of this command."""
    if "--config" in text or args.config is None:
        return text
    program = shlex.join((PROGRAM, *_shared(args)))
    return re.sub(rf"\b{PROGRAM} (?=[a-z])", lambda _: f"{program} ", text)


def _shared(args: Namespace) -> tuple[str, ...]:
    return () if args.config is None else ("--config", without_passwords(args.config))
