"""viewra-lite config: the options in force, and where each comes from."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING

from ...exit_codes import DONE
from ...opening import configured, source_of
from ...output import note, print_json, print_table

if TYPE_CHECKING:
    from ...parser import Commands


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    commands.add(
        "config",
        run_config,
        "print the options in force, and where each comes from",
        "Print each option with its value and its source: a line of the file, the URL, a variable "
        "of the environment, or the default. Secrets are masked. Needs no store.",
        example="config --config viewra.yaml",
    )


def run_config(args: Namespace) -> int:
    """Print the options."""
    from ....config.loading import explained

    config = configured(args)
    options = explained(source_of(args), environ=os.environ)
    if args.json:
        facts = [
            {"option": name, "value": value, "source": where} for name, value, where in options
        ]
        print_json({"url": config.url, "options": facts})
        return DONE
    print_table(("option", "value", "source"), options, texts=("value", "source"))
    note(f"The store: {config.url}")
    return DONE
