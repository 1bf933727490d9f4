"""viewra-lite completion: the script that lets a shell complete commands and options."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ...complaints import UsageError
from ...exit_codes import DONE

if TYPE_CHECKING:
    from ...parser import Commands

_SHELLS = ("bash", "zsh", "fish")


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    parser = commands.add(
        "completion",
        run_completion,
        "print a script that completes commands in bash, zsh or fish",
        "Print a script for a shell, which then completes commands and options with Tab. Needs the "
        "extra cli, and no store. Write it where the shell looks for it: bash, "
        "~/.local/share/bash-completion/completions/viewra-lite; zsh, _viewra-lite in a folder of "
        "$fpath; fish, ~/.config/fish/completions/viewra-lite.fish.",
        example="completion fish > ~/.config/fish/completions/viewra-lite.fish",
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell to complete in")


def run_completion(args: Namespace) -> int:
    """Print the script."""
    try:
        import shtab
    except ImportError:
        raise UsageError("completion needs the package shtab: run pip install shtab") from None
    from ...parser import build_parser

    print(shtab.complete(build_parser(), shell=args.shell))
    return DONE
