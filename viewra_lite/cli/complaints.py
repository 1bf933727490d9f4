"""The message of an error at the prompt (one line, no password) and its exit code."""

from __future__ import annotations

import re

from ..errors import ConfigError, ViewraError
from .exit_codes import NOT_WELL, WRONG_USAGE

_PROGRAM = "viewra-lite "
_URL = re.compile(r"(?<!sqlite)://([^:@/\s]*)(.*)@", re.DOTALL)
_QUERY = re.compile(r"([?&]password=)(?![*]{3})[^&#]*", re.IGNORECASE)


class UsageError(Exception):
    """The arguments of the command are wrong."""


def exit_code(error: Exception) -> int:
    """Return 2 if the arguments or the configuration are wrong, 1 for all other errors."""
    return WRONG_USAGE if isinstance(error, (UsageError, ConfigError)) else NOT_WELL


def reason(error: Exception) -> str:
    """Return the message of an error in one line."""
    if isinstance(error, (ViewraError, UsageError)):
        text = str(error)
    elif isinstance(error, OSError) and error.strerror:
        text = ": ".join(str(part) for part in (error.filename, error.strerror) if part is not None)
    else:
        text = f"unexpected {type(error).__name__}: {error}"
    return without_passwords(" ".join(text.split()))


def without_passwords(text: str) -> str:
    """Mask the password of every URL in a message, up to the last @ of the URL.

    The message and the command that it proposes are masked separately: otherwise all text between
    their two URLs would be taken for a password.
    """
    return _PROGRAM.join(
        _QUERY.sub(r"\1***", _URL.sub(_masked, part)) for part in text.split(_PROGRAM)
    )


def _masked(url: re.Match[str]) -> str:
    user, rest = url.groups()
    if not rest:
        return url.group()
    return f"://{user}:***@" if rest.startswith(":") else "://***@"
