"""What PostgreSQL's error codes and messages are translated to."""

from __future__ import annotations

from ...errors import (
    ConfigError,
    ConflictError,
    InvalidValueError,
    TransactionError,
    StoreBusyError,
    StoreFullError,
    StoreUnavailableError,
    ViewraError,
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
ERRORS: dict[str, type[ViewraError]] = {
    "22": InvalidValueError,  # data exception
    "23502": InvalidValueError,  # not null
    "23514": InvalidValueError,  # check
    "23": ConflictError,
    "25": TransactionError,  # read-only transaction, aborted transaction
    "25P03": StoreUnavailableError,  # idle-in-transaction timeout
    "25P04": StoreUnavailableError,  # transaction timeout
    "28": ConfigError,  # authentication
    "3D": ConfigError,  # no such database
    "42804": InvalidValueError,  # datatype mismatch
    "40": StoreBusyError,  # serialization failure, deadlock
    "55P03": StoreBusyError,  # lock not available
    "54": InvalidValueError,  # too long to be indexed
    "53": StoreUnavailableError,  # out of memory, connections
    "53100": StoreFullError,
    "57": StoreUnavailableError,  # shutdown
    "08": StoreUnavailableError,
}

# A refused connection has no SQLSTATE, only a message.
REFUSALS = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password")

REMEDIES = {
    "25006": "this is a reader(), use a writer()",
    "25P03": "keep reader() and writer() blocks short, or raise the server's"
    " idle_in_transaction_session_timeout",
    "25P04": "keep reader() and writer() blocks short, or raise the server's transaction_timeout",
    "53100": "make room on the server's disk",
    "57P05": "raise the server's idle_session_timeout",
    "57014": "raise the server's statement_timeout",
}


def last_reason(text: str) -> str:
    """Return the reason from the last line of libpq's message; lines with a tab are guesses."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("\t")]
    return lines[-1].rpartition(" failed: ")[2].strip() if lines else "no answer"
