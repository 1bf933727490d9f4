"""Opening a path: each fault has its own message with the path and the remedy; nothing is changed.

Every case is tried by Store.open, twice, and by the command line, as a user without privileges; in
`make torture` as root too, where the suite runs as root. Cases that need a file system of their own
skip where none can be mounted.
"""

from __future__ import annotations

import gzip
import os
import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.places import (
    IS_ROOT,
    NOBODY,
    chown_all,
    contents_of,
    fill,
    immutable,
    mount,
    mount_read_only,
    open_folder,
    without_privileges,
)
from tests.support.processes import running_python
from tests.support.rows import ids
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.cli import main
from viewra_lite.database import files
from viewra_lite.errors import (
    ConfigError,
    CorruptStoreError,
    StoreBusyError,
    StoreFullError,
    StoreUnavailableError,
    ViewraError,
)

KILLED = """
import os, sys
from tests.support.rows import add
from viewra_lite import Store
store = Store.open(sys.argv[1])
add(store, "c")
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of a closed store and of one whose process was killed."""
    closed, killed = tmp_path_factory.mktemp("closed"), tmp_path_factory.mktemp("killed")
    Store.open(f"sqlite:///{closed}/viewra.db").close()
    shutil.copytree(closed, killed, dirs_exist_ok=True)
    with running_python("-c", KILLED, f"sqlite:///{killed}/viewra.db") as process:
        process.wait()
    return {"closed": closed, "killed": killed}


class Place:
    """A folder of the user's, in which a case prepares a path."""

    def __init__(self, folder: Path, stores: dict[str, Path]) -> None:
        self.folder = folder
        self._stores = stores
        self.held: list[Any] = []

    def store(self, where: str = "d", *, state: str = "closed") -> Path:
        """Put a store of the user's into a folder."""
        target = self.folder / where
        shutil.copytree(self._stores[state], target, dirs_exist_ok=True)
        chown_all(target)
        return target / "viewra.db"

    def folder_of(self, mode: int, *, owner: int = 0) -> Path:
        made = self.folder / "d"
        made.mkdir()
        os.chown(made, owner if IS_ROOT else -1, -1)
        made.chmod(mode)
        return made

    def mounted(self, *options: str) -> Path:
        point = self.folder / "m"
        point.mkdir()
        mount("-t", "tmpfs", "-o", ",".join(("mode=777", *options)), "none", str(point))
        return point


@dataclass(frozen=True)
class Case:
    prepare: Callable[[Place], Path]
    error: type[ViewraError]
    words: str
    """A pattern; ~ is the folder of the place."""
    root_may: bool = False
    """Root is not refused."""


CASES: dict[str, Case] = {}


def case(
    error: type[ViewraError], words: str, *, root_may: bool = False
) -> Callable[[Callable[[Place], Any]], Callable[[Place], Any]]:
    def add_case(prepare: Callable[[Place], Any]) -> Callable[[Place], Any]:
        CASES[prepare.__name__] = Case(prepare, error, words, root_may)
        return prepare

    return add_case


# The way to the file


@case(StoreUnavailableError, "because ~/a does not exist: mount its disk, or create the folder")
def two_parents_missing(place: Place) -> Any:
    return place.folder / "a/b/viewra.db"


@case(StoreUnavailableError, "because ~/a does not exist: mount its disk, or create the folder")
def five_parents_missing(place: Place) -> Any:
    return place.folder / "a/b/c/d/e/viewra.db"


@case(ConfigError, "is a folder: add the file's name")
def a_folder(place: Place) -> Any:
    return place.folder_of(0o755)


@case(ConfigError, "is a folder: add the file's name")
def a_link_to_a_folder(place: Place) -> Any:
    place.folder_of(0o755)
    return link(place, "l", "d")


@case(ConfigError, "~/x is not a folder: database_path cannot be in it")
def a_file_as_parent(place: Place) -> Any:
    (place.folder / "x").touch()
    return place.folder / "x/viewra.db"


@case(ConfigError, "~/x is not a folder: database_path cannot be in it")
def a_file_as_grandparent(place: Place) -> Any:
    (place.folder / "x").touch()
    return place.folder / "x/y/viewra.db"


@case(StoreUnavailableError, "~/l is a link to nowhere, which does not exist: mount its disk, or")
def a_dangling_link(place: Place) -> Any:
    return link(place, "l", "nowhere")


@case(StoreUnavailableError, "~/l is a link to nowhere, which does not exist: mount its disk, or")
def a_dangling_link_as_parent(place: Place) -> Any:
    return link(place, "l", "nowhere") / "viewra.db"


@case(StoreUnavailableError, "~/l is a link to nowhere, which does not exist: mount its disk, or")
def a_dangling_link_as_grandparent(place: Place) -> Any:
    return link(place, "l", "nowhere") / "data/viewra.db"


@case(ConfigError, "~/l is a symbolic link that leads to itself")
def a_link_to_itself(place: Place) -> Any:
    return link(place, "l", "l")


@case(ConfigError, "~/l is a symbolic link that leads to itself")
def two_links_to_each_other(place: Place) -> Any:
    link(place, "m", "l")
    return link(place, "l", "m")


@case(ConfigError, "~/l is a symbolic link that leads to itself")
def a_loop_as_parent(place: Place) -> Any:
    return link(place, "l", "l") / "viewra.db"


@case(ConfigError, "~/n59 is a symbolic link that leads to itself, or through more than 40 others")
def sixty_links(place: Place) -> Any:
    (place.folder / "n").touch()
    link(place, "n0", "n")
    for number in range(59):
        link(place, f"n{number + 1}", f"n{number}")
    return place.folder / "n59"


@case(ConfigError, "is too long for database_path: at most 504 bytes as a whole, and 245 for the")
def a_name_that_is_too_long(place: Place) -> Any:
    return place.folder / ("x" * 300)


@case(ConfigError, "is too long for database_path: .* 245 for the name")
def a_name_that_leaves_no_place_for_the_log(place: Place) -> Any:
    return place.folder / ("x" * 246)


@case(ConfigError, "is too long for database_path: at most 504 bytes as a whole")
def a_path_that_is_too_long(place: Place) -> Any:
    return Path(f"{place.folder}{'/x' * 3000}")


@case(ConfigError, "is too long for database_path: at most 504 bytes as a whole")
def a_path_that_is_too_long_for_sqlite_alone(place: Place) -> Any:
    folder = place.folder
    for _ in range(6):
        folder = folder / ("y" * 100)
        folder.mkdir()
        chown_all(folder)
    return folder / "viewra.db"


@case(ConfigError, "a path without control characters")
def a_nul_in_the_path(place: Place) -> Any:
    return f"{place.folder}/a\0b"


@case(ConfigError, "a path without control characters")
def a_newline_in_the_path(place: Place) -> Any:
    return f"{place.folder}/a\nb"


@case(ConfigError, "expected a path, but it is empty")
def an_empty_path(place: Place) -> Any:
    return ""


@case(ConfigError, "this is a folder: add the file's name")
def a_trailing_slash(place: Place) -> Any:
    return f"{place.folder}/viewra/"


@case(ConfigError, "cannot be kept in memory: give the path of a file")
def memory(place: Place) -> Any:
    return ":memory:"


@case(ConfigError, "expected a plain path, not a file: URI")
def a_uri_of_sqlite(place: Place) -> Any:
    return "file:viewra.db?mode=ro"


@case(ConfigError, "a URL cannot be the value of an option")
def a_url(place: Place) -> Any:
    return "sqlite:///viewra.db"


@case(ConfigError, "/dev/null is not a regular file: database_path must name one")
def a_device(place: Place) -> Any:
    return Path("/dev/null")


@case(ConfigError, "/dev/full is not a regular file: database_path must name one")
def a_device_that_is_full(place: Place) -> Any:
    return Path("/dev/full")


@case(ConfigError, "~/p is not a regular file: database_path must name one")
def a_pipe(place: Place) -> Any:
    os.mkfifo(place.folder / "p")
    return place.folder / "p"


@case(ConfigError, "~/s is not a regular file: database_path must name one")
def a_socket(place: Place) -> Any:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(place.folder / "s"))
    return place.folder / "s"


@case(StoreUnavailableError, "/proc takes no files|/proc cannot be written to: permission denied")
def in_a_file_system_without_files(place: Place) -> Any:
    return Path("/proc/viewra.db")


# Permissions

DENIED = r"cannot be read and written: permission denied \(owner {}, mode {}; this program runs as "
CHOWN = ": as root, chown -R [^ ]+ "


@case(StoreUnavailableError, "~/d/viewra.db " + DENIED.format(".*", "0000"), root_may=True)
def a_file_without_permission(place: Place) -> Any:
    return with_mode(place.store(), 0)


@case(StoreUnavailableError, DENIED.format(".*", "0444") + ".*chmod u.rwX ~/d", root_may=True)
def a_read_only_file(place: Place) -> Any:
    return with_mode(place.store(), 0o444)


@case(StoreUnavailableError, DENIED.format(".*", "0222") + ".*chmod u.rwX ~/d", root_may=True)
def a_write_only_file(place: Place) -> Any:
    return with_mode(place.store(), 0o222)


@case(StoreUnavailableError, "~/d/viewra.db .*owner root.*" + CHOWN + "~/d/v", root_may=True)
def a_file_of_root(place: Place) -> Any:
    path = place.store()
    return of_root(path, path)


@case(StoreUnavailableError, "~/d cannot be written to: permission denied", root_may=True)
def no_file_in_a_folder_that_is_read_only(place: Place) -> Any:
    return place.folder_of(0o555) / "viewra.db"


@case(StoreUnavailableError, "~/d cannot be written to: .*choose another folder", root_may=True)
def no_folder_in_a_folder_that_is_read_only(place: Place) -> Any:
    needs_root()
    return place.folder_of(0o555) / "data/viewra.db"


@case(StoreUnavailableError, "~/d cannot be written to: .*: chmod u.rwX ~/d", root_may=True)
def a_store_in_a_folder_that_is_read_only(place: Place) -> Any:
    path = place.store()
    with_mode(path.parent, 0o555)
    return path


@case(StoreUnavailableError, "~/d cannot be written to: .*mode 0600", root_may=True)
def a_folder_that_may_not_be_entered(place: Place) -> Any:
    path = place.store()
    with_mode(path.parent, 0o600)
    return path


@case(StoreUnavailableError, "~/d cannot be written to: .*mode 0000", root_may=True)
def a_folder_above_that_may_not_be_entered(place: Place) -> Any:
    path = place.store("d/e")
    with_mode(place.folder / "d", 0)
    return path


@case(StoreUnavailableError, "~/d cannot be written to: .*mode 0000", root_may=True)
def a_new_file_below_a_folder_that_may_not_be_entered(place: Place) -> Any:
    return place.folder_of(0, owner=NOBODY) / "e/viewra.db"


@case(
    StoreUnavailableError,
    "~/d/viewra.db and ~/d/viewra.db-wal and ~/d/viewra.db-shm and ~/d/viewra.db-lock cannot be "
    "read and written: .*owner root.*" + CHOWN + "~/d/viewra.db ~/d/viewra.db-wal "
    "~/d/viewra.db-shm ~/d/viewra.db-lock$",
    root_may=True,
)
def all_files_of_a_program_of_root_that_was_killed(place: Place) -> Any:
    path = place.store(state="killed")
    return of_root(path, *path.parent.iterdir(), *lock_files(path))


@case(StoreUnavailableError, "~/d/viewra.db-wal and ~/d/viewra.db-shm .*" + CHOWN, root_may=True)
def the_log_of_a_program_of_root_that_was_killed(place: Place) -> Any:
    path = place.store(state="killed")
    return of_root(path, beside(path, "-wal"), beside(path, "-shm"), mode=0o600)


@case(StoreUnavailableError, "~/d/viewra.db-wal cannot be read .*" + CHOWN, root_may=True)
def a_log_that_cannot_be_read(place: Place) -> Any:
    path = place.store(state="killed")
    return of_root(path, beside(path, "-wal"), mode=0o600)


@case(StoreUnavailableError, "~/d/viewra.db-wal cannot be read .*" + CHOWN, root_may=True)
def a_log_that_can_only_be_read(place: Place) -> Any:
    path = place.store(state="killed")
    return of_root(path, beside(path, "-wal"), mode=0o644)


@case(StoreUnavailableError, "~/d/viewra.db-shm cannot be read .*" + CHOWN, root_may=True)
def an_index_of_the_log_that_cannot_be_read(place: Place) -> Any:
    path = place.store(state="killed")
    return of_root(path, beside(path, "-shm"), mode=0o600)


@case(StoreUnavailableError, "~/d/viewra.db-shm cannot be read .*" + CHOWN, root_may=True)
def an_index_of_the_log_that_can_only_be_read(place: Place) -> Any:
    path = place.store(state="killed")
    return of_root(path, beside(path, "-shm"), mode=0o644)


@case(StoreUnavailableError, "~/d/viewra.db-lock cannot be written to: .*" + CHOWN, root_may=True)
def a_folder_of_locks_of_root(place: Place) -> Any:
    path = place.store()
    return of_root(path, beside(path, "-lock"))


@case(StoreUnavailableError, "~/d/viewra.db-lock cannot be written to: .*chmod", root_may=True)
def a_folder_of_locks_that_is_read_only(place: Place) -> Any:
    path = place.store()
    with_mode(beside(path, "-lock"), 0o555)
    return path


@case(StoreUnavailableError, "~/d/viewra.db-lock/open cannot be .*" + CHOWN, root_may=True)
def a_lock_of_root(place: Place) -> Any:
    path = place.store()
    return of_root(path, beside(path, "-lock") / "open")


@case(StoreUnavailableError, "~/d/viewra.db-lock/migrate cannot be .*" + CHOWN, root_may=True)
def a_lock_of_root_that_is_needed_later(place: Place) -> Any:
    path = place.store()
    (beside(path, "-lock") / "migrate").touch(mode=0o600)
    return of_root(path, beside(path, "-lock") / "migrate")


@case(StoreUnavailableError, "~/d/viewra.db-lock/store cannot be .*chmod", root_may=True)
def a_note_that_cannot_be_read(place: Place) -> Any:
    path = place.store()
    with_mode(beside(path, "-lock") / "store", 0)
    return path


@case(StoreUnavailableError, "~/d/viewra.db-lock/store cannot be .*chmod", root_may=True)
def a_note_that_can_only_be_read(place: Place) -> Any:
    path = place.store()
    with_mode(beside(path, "-lock") / "store", 0o444)
    return path


@case(StoreUnavailableError, "~/d/viewra.db cannot be changed although the mode allows .*chattr -i")
def a_file_with_the_attribute_immutable(place: Place) -> Any:
    return immutable(place.store())


@case(StoreUnavailableError, "~/d cannot be changed although the mode allows it: .*chattr -i")
def a_folder_with_the_attribute_immutable(place: Place) -> Any:
    path = place.store()
    immutable(path.parent)
    return path


# Other kinds of files in the places of ours

NOT_A_FILE = "is not a file, and the store needs one of this name: move it away"


@case(StoreUnavailableError, "~/d/viewra.db-lock is not a folder, and the store needs one of this")
def a_file_as_folder_of_locks(place: Place) -> Any:
    path = place.store()
    shutil.rmtree(beside(path, "-lock"))
    beside(path, "-lock").touch()
    return path


@case(StoreUnavailableError, f"~/d/viewra.db-lock/open {NOT_A_FILE}")
def a_folder_as_lock(place: Place) -> Any:
    return replaced_by_a_folder(place.store(), "-lock/open")


@case(StoreUnavailableError, f"~/d/viewra.db-lock/store {NOT_A_FILE}")
def a_folder_as_note(place: Place) -> Any:
    return replaced_by_a_folder(place.store(), "-lock/store")


@case(StoreUnavailableError, f"~/d/viewra.db-wal {NOT_A_FILE}")
def a_folder_as_log(place: Place) -> Any:
    return replaced_by_a_folder(place.store(), "-wal")


@case(StoreUnavailableError, f"~/d/viewra.db-shm {NOT_A_FILE}")
def a_folder_as_index_of_the_log(place: Place) -> Any:
    return replaced_by_a_folder(place.store(), "-shm")


@case(StoreUnavailableError, f"~/d/viewra.db-journal {NOT_A_FILE}")
def a_folder_as_journal(place: Place) -> Any:
    return replaced_by_a_folder(place.store(), "-journal")


@case(StoreUnavailableError, f"~/d/viewra.db-wal {NOT_A_FILE}")
def a_dangling_link_as_log(place: Place) -> Any:
    path = place.store()
    os.symlink("nowhere", beside(path, "-wal"))
    return path


@case(StoreUnavailableError, f"~/d/viewra.db-wal {NOT_A_FILE}")
def a_pipe_as_log(place: Place) -> Any:
    path = place.store()
    os.mkfifo(beside(path, "-wal"))
    return path


# Disks

READ_ONLY = "is on a read-only file system: mount it for writing"


@case(StoreUnavailableError, f"~/m {READ_ONLY}")
def no_file_on_a_read_only_disk(place: Place) -> Any:
    return place.mounted("ro") / "viewra.db"


@case(StoreUnavailableError, f"~/m {READ_ONLY}")
def no_folder_on_a_read_only_disk(place: Place) -> Any:
    return place.mounted("ro") / "data/viewra.db"


@case(StoreUnavailableError, f"~/m {READ_ONLY}")
def a_store_on_a_read_only_disk(place: Place) -> Any:
    return mount_read_only(place.store().parent, place.folder / "m") / "viewra.db"


@case(StoreUnavailableError, f"~/m {READ_ONLY}")
def a_store_of_a_killed_program_on_a_read_only_disk(place: Place) -> Any:
    path = place.store(state="killed")
    return mount_read_only(path.parent, place.folder / "m") / "viewra.db"


@case(StoreFullError, "the disk of ~/m is full: it has 0 bytes free, and .* are needed: make room")
def a_new_store_on_a_full_disk(place: Place) -> Any:
    return fill(place.mounted("size=64k")) / "viewra.db"


@case(StoreFullError, "the disk of ~/m is full: it has .* bytes free, and 2097152 are needed: make")
def a_new_store_on_a_disk_that_is_too_small(place: Place) -> Any:
    return place.mounted("size=200k") / "data/viewra.db"


@case(StoreFullError, "the disk of ~/m/d is full: it has 0 bytes free, and 65536 are needed: make")
def a_store_on_a_full_disk(place: Place) -> Any:
    place.mounted("size=4m")
    path = place.store("m/d")
    fill(place.folder / "m")
    return path


@case(StoreFullError, "the disk of ~/m/d is full: it has 0 bytes free, and 65536 are needed: make")
def a_store_of_a_killed_program_on_a_full_disk(place: Place) -> Any:
    place.mounted("size=8m")
    path = place.store("m/d", state="killed")
    beside(path, "-shm").unlink()
    fill(place.folder / "m")
    return path


@case(StoreFullError, "the disk of ~/m has no place for another file: remove some")
def a_new_store_on_a_disk_without_inodes(place: Place) -> Any:
    point = place.mounted("size=8m", "nr_inodes=2")
    (point / "x").touch()
    return point / "viewra.db"


@case(StoreFullError, "the disk of ~/m/d has no place for another file: remove some")
def a_store_on_a_disk_without_inodes(place: Place) -> Any:
    point = place.mounted("size=8m", "nr_inodes=7")
    path = place.store("m/d")
    with pytest.raises(OSError):
        for number in range(9):
            (point / f"{number}").touch()
    return path


# Content


@case(ConfigError, "~/d/viewra.db has tables of another program: database_path must name another")
def a_database_of_another_program(place: Place) -> Any:
    return database(place, "CREATE TABLE t (x)")


@case(ConfigError, r"~/d/viewra.db belongs to another program \(application_id 0x5\): database_pat")
def a_database_that_names_another_program(place: Place) -> Any:
    return database(place, "PRAGMA application_id=5", "CREATE TABLE t (x)")


@case(CorruptStoreError, "~/d/viewra.db is empty, but it was a store: put it back, or remove ~/d/")
def nothing_where_a_store_was(place: Place) -> Any:
    return content(place, b"", noted=True)


@case(CorruptStoreError, "~/d/viewra.db is gone, but a store was here: put it back, mount its disk")
def no_file_where_a_store_was(place: Place) -> Any:
    path = place.store()
    path.unlink()
    return path


@case(CorruptStoreError, r"~/d/viewra.db is gone, but its log is here \(viewra.db-wal\): put it ba")
def no_file_beside_its_log(place: Place) -> Any:
    path = place.store(state="killed")
    path.unlink()
    return path


def has_content(
    name: str, data: bytes, error: type[ViewraError], words: str, noted: bool = False
) -> None:
    CASES[name] = Case(lambda place: content(place, data, noted=noted), error, words)


NO_DATABASE = "~/d/viewra.db is not an SQLite database: database_path must name one, or a new file"
DAMAGED = r"~/d/viewra.db is damaged \(not an SQLite database\): run viewra-lite recover"
NOISE = bytes(range(256)) * 32
for name, data in {
    "one_byte": b"a",
    "a_text": b"hello world\n" * 400,
    "a_yaml_file": b"database:\n  type: sqlite\n",
    "noise_as_of_an_encrypted_database": NOISE,
    "zeros": bytes(8192),
    "a_text_in_utf16": ("database" * 999).encode("utf-16"),
}.items():
    has_content(name, data, ConfigError, NO_DATABASE)
    has_content(f"{name}_where_a_store_was", data, CorruptStoreError, DAMAGED, noted=True)
for name, begin, words in (
    ("a_gzip_file", gzip.compress(NOISE[:9]), r"a file packed by gzip \(unpack it first\)"),
    ("a_zstd_file", b"\x28\xb5\x2f\xfd", r"a file packed by zstd \(unpack it first\)"),
    ("a_zip_archive", b"PK\x03\x04", r"a zip archive \(unpack it first\)"),
    ("a_dump_of_postgresql", b"PGDMP", "a backup of a store on PostgreSQL"),
    ("a_log", b"\x37\x7f\x06\x82", "the log of a database"),
    ("a_journal", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", "the journal of a database"),
):
    has_content(name, begin + NOISE, ConfigError, f"is {words}, not an SQLite database: database_p")


def has_header(name: str, at: int, value: bytes, words: str) -> None:
    def prepare(place: Place) -> Path:
        path = place.store()
        whole = bytearray(path.read_bytes())
        whole[at : at + len(value)] = value
        path.write_bytes(whole)
        return path

    CASES[name] = Case(prepare, CorruptStoreError, words)


has_header("a_header_of_a_newer_sqlite", 19, b"\3", DAMAGED)
has_header("a_header_with_a_wrong_page_size", 16, b"\x12\x34", DAMAGED)
has_header("a_header_with_an_unknown_format", 44, b"\0\0\0\x09", "is damaged .unsupported file fo")
has_header("a_header_without_its_magic", 0, b"x", DAMAGED)

APPEARED = "appeared after ~/d/viewra.db had been closed: move it away if it is the log of another"


@case(CorruptStoreError, f"~/d/viewra.db-wal {APPEARED}")
def the_log_of_another_database(place: Place) -> Any:
    path = place.store()
    shutil.copy(beside(place.store("e", state="killed"), "-wal"), beside(path, "-wal"))
    chown_all(path.parent)
    return path


@case(CorruptStoreError, f"~/d/viewra.db-journal {APPEARED}")
def the_journal_of_another_database(place: Place) -> Any:
    path = place.store()
    other = sqlite3.connect(place.folder / "o.db", isolation_level=None)
    other.executescript("PRAGMA cache_size=1; CREATE TABLE t (x)")
    other.executemany("INSERT INTO t VALUES (zeroblob(?))", [(9000,)] * 9)
    other.executescript("BEGIN; UPDATE t SET x = zeroblob(8000)")
    shutil.copy(place.folder / "o.db-journal", beside(path, "-journal"))
    other.close()
    chown_all(path.parent)
    return path


@case(StoreBusyError, "another process held the writer for longer than busy_timeout_ms=50: try")
def a_database_that_another_process_locks(place: Place) -> Any:
    path = place.store()
    held = sqlite3.connect(path, isolation_level=None)
    held.executescript("PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE")
    place.held.append(held)
    return path


@case(StoreBusyError, "~/d/viewra.db is being restored or closed by another process: try again")
def a_store_that_is_being_restored(place: Place) -> Any:
    import fcntl

    path = place.store()
    held = open(beside(path, "-lock") / "open", "rb")
    fcntl.flock(held, fcntl.LOCK_EX)
    place.held.append(held)
    return path


# How


def link(place: Place, name: str, target: str) -> Path:
    os.symlink(target, place.folder / name)
    return place.folder / name


def beside(path: Path, end: str) -> Path:
    return Path(f"{path}{end}")


def lock_files(path: Path) -> list[Path]:
    return list(beside(path, "-lock").iterdir())


def with_mode(path: Path, mode: int) -> Path:
    path.chmod(mode)
    return path


def needs_root() -> None:
    if not IS_ROOT:
        pytest.skip("only root can give a file to another user")


def of_root(path: Path, *files: Path, mode: int | None = None) -> Path:
    needs_root()
    for file in files:
        os.chown(file, 0, 0)
        if mode is not None:
            file.chmod(mode)
    return path


def replaced_by_a_folder(path: Path, end: str) -> Path:
    beside(path, end).unlink(missing_ok=True)
    beside(path, end).mkdir()
    return path


def database(place: Place, *statements: str) -> Path:
    path = place.folder_of(0o755, owner=NOBODY) / "viewra.db"
    made = sqlite3.connect(path)
    made.executescript(";".join(statements))
    made.close()
    chown_all(path.parent)
    return path


def content(place: Place, data: bytes, *, noted: bool) -> Path:
    path = place.store()
    if not noted:
        shutil.rmtree(beside(path, "-lock"))
    path.write_bytes(data)
    return path


@pytest.fixture
def place(stores: dict[str, Path]) -> Iterator[Place]:
    with open_folder() as folder:
        chown_all(folder)
        made = Place(folder, stores)
        yield made
        for held in made.held:
            held.close()


def files_of(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return what is in a folder, but for the index and the empty log that a check has needed."""
    return {
        name: facts
        for name, facts in contents_of(folder).items()
        if not (name.endswith("-shm") or name.endswith("-wal") and not facts[2])
    }


@pytest.mark.parametrize("user", ["user", "root"][: tries(1, 2)])
@pytest.mark.parametrize("name", CASES)
def test_a_path_that_cannot_be_opened_says_why_and_what_to_do(
    name: str, user: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    if user == "root" and not IS_ROOT:
        pytest.skip("the suite does not run as root")
    one = CASES[name]
    path = one.prepare(place)
    before = files_of(place.folder)
    if user == "root":
        said = [opened(path), opened(path), by_command(path, capsys)]
    else:
        with without_privileges():
            said = [opened(path), opened(path), by_command(path, capsys)]
    if one.root_may and user == "root":
        assert said == ["opened", "opened", "0: "]
        return
    assert said[0] == said[1]
    kind, _, message = said[0].partition(": ")
    assert kind == one.error.__name__, said[0]
    pattern = one.words.replace("~", re.escape(str(place.folder)))
    assert re.search(pattern, message), message
    code = 2 if issubclass(one.error, ConfigError) else 1
    assert said[2].startswith(f"{code}: viewra-lite: error: ")
    assert re.search(pattern, said[2]) or isinstance(path, str) or "a folder" in said[2], said[2]
    assert files_of(place.folder) == before


GOOD: dict[str, Callable[[Place], Any]] = {
    "a new file": lambda place: place.folder / "viewra.db",
    "a new folder": lambda place: place.folder / "data/viewra.db",
    "an empty file": lambda place: with_mode(database(place), 0o600),
    "a name of 245 bytes": lambda place: place.folder / ("x" * 245),
    "a path of 504 bytes": lambda place: deep(place.folder, 504),
    "a name that is not UTF-8": lambda place: Path(os.fsdecode(bytes(place.folder) + b"/\xff.db")),
    "a name with the signs of URLs": lambda place: place.folder / "a?b#c%20'd.db",
    "a link to a store": lambda place: link(place, "l", place.store()),
    "a link to a new file's folder": lambda place: link(place, "l", place.folder_of(0o777)) / "v",
    "a closed store": lambda place: place.store(),
    "a killed store": lambda place: place.store(state="killed"),
    "a store in another journal mode": lambda place: other_mode(place.store()),
    "a store without its note": lambda place: content(
        place, place.store().read_bytes(), noted=False
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_path_that_can_be_opened_is_opened(
    name: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    path = GOOD[name](place)
    with without_privileges():
        assert [opened(path), by_command(path, capsys), opened(path)] == ["opened", "0: ", "opened"]


def deep(folder: Path, length: int) -> Path:
    while len(str(folder)) < length - 210:
        folder = folder / ("y" * 100)
        folder.mkdir()
        chown_all(folder)
    return folder / ("x" * (length - len(str(folder)) - 1))


def other_mode(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    return path


@pytest.mark.parametrize(
    "name",
    [
        "all_files_of_a_program_of_root_that_was_killed",
        "the_log_of_a_program_of_root_that_was_killed",
        "a_folder_of_locks_of_root",
        "a_lock_of_root_that_is_needed_later",
        "a_file_without_permission",
        "a_folder_of_locks_that_is_read_only",
        "a_store_in_a_folder_that_is_read_only",
        "a_note_that_cannot_be_read",
    ],
)
def test_the_command_in_a_message_is_the_remedy(name: str, place: Place) -> None:
    needs_root()
    path = CASES[name].prepare(place)
    with without_privileges():
        message = opened(path)
    command = message[message.rindex("): ") + 3 :].removeprefix("as root, ")
    subprocess.run(shlex.split(command), check=True)
    with without_privileges():
        assert opened(path) == "opened"


def test_a_store_on_a_network_share_is_warned_of(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.store()
    mounts = place.folder / "mounts"
    monkeypatch.setattr(files, "MOUNTS", str(mounts))
    for kind, warned in (("ext4", 0), ("nfs4", 1), ("cifs", 1), ("fuse.sshfs", 1), ("tmpfs", 0)):
        mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nnas:/x {path.parent} {kind} rw 0 0\n")
        caplog.clear()
        Store.open(f"sqlite:///{path}").close()
        said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert len(said) == warned, kind
        assert all(f"{path} is on a network share ({kind}), where locks" in each for each in said)


def test_what_root_leaves_belongs_to_the_owner_of_the_store(place: Place) -> None:
    """A command of root's does not lock the user's server out."""
    needs_root()
    path = place.store()
    shutil.rmtree(beside(path, "-lock"))
    with running_python("-c", KILLED, f"sqlite:///{path}") as process:
        process.wait()
    Store.open(f"sqlite:///{path}").close()
    with Store.open(f"sqlite:///{path}") as store:
        store.backups.create()
    owners = {str(each): each.stat().st_uid for each in path.parent.rglob("*")}
    assert set(owners.values()) == {NOBODY}, owners
    with without_privileges(), Store.open(f"sqlite:///{path}") as store:
        assert ids(store) == ["c"]
        store.backups.create()
        assert len(store.backups.list()) == 2
        store.backups.verify()


def opened(path: object) -> str:
    try:
        Store.open({"database": {"database_path": path, "busy_timeout_ms": 50}}).close()
    except ViewraError as exc:
        return f"{type(exc).__name__}: {exc}"
    return "opened"


def by_command(path: str | Path, capsys: pytest.CaptureFixture[str]) -> str:
    quoted = quote(os.fsencode(path))
    capsys.readouterr()
    code = main(["init", "--config", f"sqlite:///{quoted}?busy_timeout_ms=50"])
    said = capsys.readouterr()
    assert said.err.count("\n") <= 1
    # The remedies of the store name the --config of the command.
    return re.sub(
        "viewra-lite --config .*? recover", "viewra-lite recover", f"{code}: {said.err.strip()}"
    )
