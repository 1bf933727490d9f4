"""The command line, viewra-lite: the only place that prints, exits or reads the environment.

Every error becomes one line and an exit code here. Each command imports only the modules that it
needs, so that it starts quickly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .exit_codes import DONE, INTERRUPTED, PIPE_CLOSED

if TYPE_CHECKING:
    from argparse import Namespace


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; see exit_codes."""
    try:
        return _run(argv)
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        return _pipe_closed()
    except Exception as exc:  # a traceback does not help a user, and may show a password
        return _refused(exc)


def _run(argv: Sequence[str] | None) -> int:
    from .output import flush, make_safe
    from .parser import parse
    from .times import use_utc

    make_safe()
    try:
        args = parse(argv)
        use_utc(args.utc)
        code: int = _answered(args)
    except SystemExit as exc:  # --help and --version
        code = exc.code if isinstance(exc.code, int) else DONE
    flush()  # reports a full disk or a closed pipe here at the latest
    return code


def _answered(args: Namespace) -> int:
    from ..errors import ViewraError

    try:
        code: int = args.run(args)
    except ViewraError as exc:
        from .remedies import completed

        raise type(exc)(completed(args, str(exc))) from exc
    return code


def _interrupted() -> int:
    try:
        from .output import complain

        complain("interrupted")
    except KeyboardInterrupt:
        pass  # again: the exit code says it
    return INTERRUPTED


def _pipe_closed() -> int:
    from .output import silence

    silence()
    return PIPE_CLOSED


def _refused(error: Exception) -> int:
    from .complaints import exit_code, reason
    from .output import complain, silence

    complain(f"error: {reason(error)}")
    if isinstance(error, OSError):
        silence()  # the error may be stdout's: Python would report it again at exit
    return exit_code(error)
