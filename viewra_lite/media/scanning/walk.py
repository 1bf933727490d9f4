"""Walking a library's folder: media files only, every folder once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from operator import attrgetter

from ..beside.folders import Folders, is_for_subtitles, signature_of
from ..files.relink import exists
from ..libraries import is_inside, why_too_long
from ..names import kinds
from ..names.films.extras import kind_of_extra
from ..names.left_out import INCOMPLETE, is_incomplete, why_left_out
from .discs import Disc
from .facts import FileFacts
from .ignoring import IGNORE_FILES, Rules
from .reconcile import Reconciliation

_NO_RULES = Rules()
_REPORT_EVERY = 16  # folders: those without media are not counted otherwise
_name_of = attrgetter("name")
_EXCLUDED = "ignore file"
_KINDS = {"movie": "video", "tv": "video", "music": "audio"}


class Walk:
    """The media files of a reconciliation's library, or of its part, as FileFacts.

    The tally counts the files and folders that are left out, by reason. Links to folders are
    followed after all real folders, and a folder that was already entered under another name is
    skipped: so loops end, and a file has the same path each time. A folder or file that cannot be
    read, and a file whose path is too long to be stored, is a problem of the reconciliation, which
    keeps their state. `beside` takes the folders with sidecars.
    """

    def __init__(self, files: Reconciliation, beside: Folders) -> None:
        self._files = files
        self._beside = beside
        self._root = files.library.path
        self._below = len(os.path.join(self._root, ""))
        self._part = files.folder
        self._kind = _KINDS[files.library.type]
        self._entered: set[tuple[int, int]] = set()
        self._folders: list[tuple[str, Rules]] = []
        self._links = deque[tuple[str, Rules]]()

    def __iter__(self) -> Iterator[FileFacts]:
        if self._is_left_out():
            return
        for listed in count():
            if not self._folders and not self._links:
                return
            if listed % _REPORT_EVERY == 0:
                self._files.report("walk", self._files.tally.seen, 0)
                if self._files.is_cancelled:
                    return
            yield from self._in_folder(
                *(self._folders.pop() if self._folders else self._links.popleft())
            )

    def _in_folder(self, folder: str, rules: Rules) -> Iterator[FileFacts]:
        entries = _listing(folder, self._entered, self._unreadable)
        names = [entry.name for entry in entries]
        found: Rules | None = rules
        if ignoring := IGNORE_FILES.intersection(names):
            found = self._rules_of(folder, rules, ignoring)
            entries = [entry for entry in entries if entry.name not in ignoring]
        if found is None:
            return
        disc = Disc.found_in(folder, names, entries) if self._kind == "video" else None
        if disc:
            yield from self._disc(disc)
            entries = [entry for entry in entries if not disc.holds(entry.name)]
        has_sidecars = False
        for entry in entries:
            is_folder = _is_folder(entry)
            why = why_left_out(entry.name)
            if why is None and found is not _NO_RULES:
                why = _EXCLUDED if found.exclude(entry.path, is_folder=is_folder) else None
            if why is not None:
                self._files.tally.ignore(why)
            elif is_folder:
                self._follow(entry, found)
                has_sidecars = has_sidecars or is_for_subtitles(entry.name)
            elif (kind := kinds.kind_or_sidecar(entry.name)) == self._kind:
                facts = self._media_file(entry)
                if facts is not None:
                    yield facts
            elif kind == kinds.SIDECAR:
                has_sidecars = True
            else:
                self._files.tally.ignore(INCOMPLETE if is_incomplete(entry.name) else "not media")
        if has_sidecars and not why_too_long(folder):
            self._beside.add(folder, signature_of(entries))

    def _disc(self, disc: Disc) -> Iterator[FileFacts]:
        try:
            facts = FileFacts(disc.path, None, disc.modified_ns())
        except OSError as exc:
            self._unreadable(disc.folder, exc.strerror or str(exc))
            return
        if too_long := why_too_long(disc.path):
            self._unreadable(disc.path, too_long)
        else:
            yield facts

    def _rules_of(self, folder: str, rules: Rules, names: Iterable[str]) -> Rules | None:
        """Return the rules of a folder; None if all of it is left out."""
        try:
            found = rules.read(folder, names)
        except OSError as exc:
            self._unreadable(folder, f"its ignore file: {exc.strerror or exc}")
            return None
        if found.everything:
            self._files.tally.ignore(_EXCLUDED)
            return None
        return found

    def _is_left_out(self) -> bool:
        """Whether a walk of the whole library would not get to the part, or finds it deleted."""
        if self._part is None:
            self._folders = [(self._root, _NO_RULES)]
            return False
        folder, rules = self._root, _NO_RULES
        for name in os.path.relpath(self._part, self._root).split(os.sep):
            found = self._rules_of(folder, rules, IGNORE_FILES)
            if found is None:
                return True
            folder, rules = os.path.join(folder, name), found
            why = why_left_out(name)
            if why is None and rules.exclude(folder, is_folder=True):
                why = _EXCLUDED
            if why is not None:
                self._files.tally.ignore(why)
                return True
        self._folders = [(self._part, rules)]
        return self._files.accept_missing and not exists(self._part)

    def _follow(self, entry: os.DirEntry[str], rules: Rules) -> None:
        if not entry.is_symlink():
            self._folders.append((entry.path, rules))
        elif self._is_walked_elsewhere(entry.path):
            self._files.skip(entry.path)
        else:
            self._links.append((entry.path, rules))

    def _is_walked_elsewhere(self, link: str) -> bool:
        """Whether a link leads out of the part into the library: only a walk of it all decides."""
        if self._part is None:
            return False
        real, root, part = map(os.path.realpath, (link, self._root, self._part))
        return is_inside(real, root) and not is_inside(real, part)

    def _unreadable(self, path: str, reason: str) -> None:
        self._files.skip(path)
        self._files.tally.problem(path, f"cannot be read: {reason}")

    def _media_file(self, entry: os.DirEntry[str]) -> FileFacts | None:
        try:
            if not entry.is_file():
                return None  # a broken link, a pipe, a socket
            status = entry.stat()
        except OSError as exc:
            self._unreadable(entry.path, exc.strerror or str(exc))
            return None
        parts = entry.path[self._below :].split(os.sep)
        extra = kind_of_extra(parts, self._files.library.type)
        if extra == "sample" or (extra is None and kinds.is_sample(parts, status.st_size)):
            self._files.tally.ignore("sample")
            return None
        too_long = why_too_long(entry.path)
        if too_long is not None:
            self._unreadable(entry.path, too_long)
            return None
        return FileFacts(entry.path, status.st_size, status.st_mtime_ns)


def _listing(
    folder: str, entered: set[tuple[int, int]], unreadable: Callable[[str, str], None]
) -> list[os.DirEntry[str]]:
    """Return the entries of a folder, by name; none if it was entered before."""
    try:
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in entered:
            return []
        entered.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError as exc:
        unreadable(folder, exc.strerror or str(exc))
        return []
    found.sort(key=_name_of)
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
