"""Fixtures of the tests of migrations."""

from __future__ import annotations

import sys

import pytest

from tests.support.script_packages import Guest


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The folder of a test, where the backups of a server's store go."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def guest(tmp_path, monkeypatch, request):
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    name = f"guest_{abs(hash(request.node.name))}"
    yield Guest(tmp_path / "packages", name)
    for loaded in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[loaded]
