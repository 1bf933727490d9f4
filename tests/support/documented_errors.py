"""While tests run, a public verb raises only errors that its docstring, or its class's, names."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from viewra_lite.errors import ViewraError


def require_documented_errors(holder: type, patch: pytest.MonkeyPatch) -> None:
    """Make every public verb of a class fail when it raises an error that is not documented."""
    for name, verb in inspect.getmembers(holder, inspect.isfunction):
        if not name.startswith("_"):
            patch.setattr(holder, name, _checked(verb, f"{verb.__doc__}\n{holder.__doc__}"))


def _checked(verb: Callable[..., Any], text: str) -> Callable[..., Any]:
    @functools.wraps(verb)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return verb(*args, **kwargs)
        except ViewraError as error:
            name = type(error).__name__
            assert name in text, f"{verb.__qualname__} raises {name}: its docstring does not say so"
            raise

    return checked
