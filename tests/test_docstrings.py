"""The examples in the docstrings of the public verbs are calls that the verbs take."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator

import pytest

from viewra_lite.media.module import MediaModule
from viewra_lite.playback.module import PlaybackModule
from viewra_lite.transcoding.module import TranscodingModule

NOUNS = {"media": MediaModule, "playback": PlaybackModule, "transcoding": TranscodingModule}


def examples(noun: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the indented blocks of the docstrings of a module's verbs, parsed."""
    for name, verb in inspect.getmembers(NOUNS[noun], inspect.isfunction):
        for block in re.findall(r"(?:^ {4}.*\n?)+", inspect.getdoc(verb) or "", re.MULTILINE):
            yield name, ast.parse(textwrap.dedent(block))


def calls(tree: ast.Module) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield noun and verb of each call of a verb of the store."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found = re.fullmatch(r"store\.(\w+)\.(\w+)", ast.unparse(node.func))
            if found:
                yield found[1], found[2], node


@pytest.mark.parametrize("noun", NOUNS)
def test_the_examples_call_verbs_with_what_they_take(noun: str) -> None:
    called = set()
    for name, tree in examples(noun):
        for other, verb, call in calls(tree):
            signature = inspect.signature(getattr(NOUNS[other], verb))
            signature.bind(None, *call.args, **{each.arg or "": each for each in call.keywords})
            called.add((name, verb))
    assert len({name for name, verb in called if name == verb}) >= 2, called
