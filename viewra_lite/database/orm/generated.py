"""Functions that are written as source, with their place in tracebacks."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any


_made: dict[str, int] = {}  # of one statement there is one for each engine, and many are lambdas


def function(what: str, source: str, names: dict[str, Any]) -> Callable[[Any], Any]:
    """Compile the source of one function and return it; names are its globals.

    A traceback shows its lines, under a file named after what it is.
    """
    number = _made[what] = _made.get(what, 0) + 1
    filename = f"<viewra_lite {what}>" if number == 1 else f"<viewra_lite {what} {number}>"
    linecache.cache[filename] = len(source), None, source.splitlines(keepends=True), filename
    exec(compile(source, filename, "exec"), names)
    made: Callable[[Any], Any] = names[source[len("def ") : source.index("(")]]
    return made
