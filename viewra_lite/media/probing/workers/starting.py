"""How a worker process is started: by the interpreter, or by a frozen program as itself."""

from __future__ import annotations

import os
import re
import sys

# A worker takes our sys.path unchanged, so that it imports the same package.
_START = (
    "import importlib, sys; module, argument, *sys.path[:] = sys.argv[1:]; "
    "importlib.import_module(module).serve(argument)"
)
_INTERPRETER = re.compile("python|pypy|graalpy", re.IGNORECASE)


def command(module: str, argument: str) -> list[str]:
    """Return the command line of a process that runs module.serve(argument).

    A frozen program starts itself, and the run-time hook of PyInstaller makes a worker of it.
    """
    if hook := _hook():
        return [sys.executable, hook, module, argument]
    return [sys.executable, "-c", _START, module, argument, *sys.path]


def why_in_process() -> str | None:
    """Return why this process cannot start workers, or None."""
    if os.name == "nt":
        return "Windows cannot wait for the pipes of worker processes"
    if _hook():
        return None
    # Started with the arguments of an interpreter, it would run again as what it is.
    is_frozen = hasattr(sys, "frozen") or hasattr(sys, "oxidized") or "__compiled__" in globals()
    if is_frozen:
        return "this program was frozen without viewra_lite's hook for PyInstaller"
    if not _INTERPRETER.search(os.path.basename(sys.executable or "")):
        return f"sys.executable is not a Python interpreter: {sys.executable or 'empty'}"
    return None


def _hook() -> str | None:
    """Return the argument that makes a worker of this program, if it was frozen with our hook."""
    argument: str | None = getattr(sys, "_viewra_lite_worker", None)
    return argument
