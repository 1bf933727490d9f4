"""Finding: something about a store that its owner should know, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a store that its owner should know."""

    id: str
    """What found it: the id of a check, such as "free-space"."""
    severity: Literal["info", "warning", "error"]
    """info: the store is well; warning: it needs attention; error: it is damaged or will fail."""
    text: str
    """What was found, with the file, table or row."""
    remedy: str = ""
    """What to do about it; empty if there is nothing to do."""
    fixable: bool = False
    """Whether `viewra-lite doctor --fix` does it."""


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether findings are information alone."""
    return all(finding.severity == "info" for finding in findings)
