"""PyInstaller's hook of this package, found by the entry point `pyinstaller40`."""

from __future__ import annotations

import os


def get_hook_dirs() -> list[str]:
    """Return the folders with hooks, of which PyInstaller asks each package."""
    return [os.path.dirname(__file__)]
