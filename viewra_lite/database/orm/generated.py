"""Functions compiled from generated source, which tracebacks can show."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any


_made: dict[str, int] = {}  # of one statement there is one for each engine, and many are lambdas


def function(label: str, source: str, names: dict[str, Any]) -> Callable[[Any], Any]:
    """Compile the source of one function and return it; names are its globals.

    Tracebacks show its lines, under a file name made from the label.
    """
    number = _made[label] = _made.get(label, 0) + 1
    filename = f"<viewra_lite {label}>" if number == 1 else f"<viewra_lite {label} {number}>"
    linecache.cache[filename] = len(source), None, source.splitlines(keepends=True), filename
    exec(compile(source, filename, "exec"), names)
    made: Callable[[Any], Any] = names[source[len("def ") : source.index("(")]]
    return made
