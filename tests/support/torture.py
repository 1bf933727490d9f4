"""How often things are tried: `make torture` tries them as often as it takes, `make test` less."""

from __future__ import annotations

import os

TORTURE = bool(os.environ.get("TORTURE"))


def tries(few: int, many: int) -> int:
    """Return how often to try: many times under torture."""
    return many if TORTURE else few
