"""Commands in messages, which the user can paste unchanged."""

from __future__ import annotations

import shlex
from argparse import Namespace

from .complaints import without_passwords
from .output import PROGRAM


def command(args: Namespace, *words: str) -> str:
    """Return a command with the --config of this one; a password in its URL is masked."""
    shared = () if args.config is None else ("--config", without_passwords(args.config))
    return shlex.join((PROGRAM, *words, *shared))
