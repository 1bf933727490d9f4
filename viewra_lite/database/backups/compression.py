"""Backups compressed by zstd, where Python or the package `backports.zstd` has it.

A file is read and written in pieces, so memory does not grow with it. The threads of a server go
on meanwhile: zstd works without Python's lock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...errors import BackupError
from ..files import refuse_full, sha256, why_unreadable

SUFFIX = ".zst"
COMPRESSED_SHARE = 0.5  # of a store, at most: measured are 0.1 to 0.3
_MAGIC = b"\x28\xb5\x2f\xfd"
_PIECE_BYTES = 1 << 20
_HEADER_BYTES = 18  # the longest of a frame
_SPARE_BYTES = 16 << 20


def zstd() -> Any:
    """Return the module of zstd, or None where it is not installed."""
    try:
        if sys.version_info >= (3, 14):
            import compression.zstd as found
        else:
            import backports.zstd as found
    except ImportError:  # the extra is not installed, or Python was built without it
        return None
    return found


def required_zstd(path: Path) -> Any:
    """Return the module of zstd; raises BackupError, which says how to install it."""
    found = zstd()
    if found is None:
        raise BackupError(f"{path} is compressed: pip install backports.zstd")
    return found


def is_compressed(path: Path) -> bool:
    """Whether a file begins as zstd's do; raises BackupError if it cannot be read."""
    return _begin(path).startswith(_MAGIC)


def compress(source: Path, target: Path) -> None:
    """Compress a file into an empty one and read it back; raises BackupError if they differ."""
    module = required_zstd(target)
    parameter = module.CompressionParameter
    digest = hashlib.sha256()
    with open(source, "rb") as plain, open(target, "wb") as file:
        compressor = module.ZstdCompressor(options={parameter.checksum_flag: 1})
        compressor.set_pledged_input_size(os.fstat(plain.fileno()).st_size)
        while piece := plain.read(_PIECE_BYTES):
            digest.update(piece)
            file.write(compressor.compress(piece))
        file.write(compressor.flush())
    again = hashlib.sha256()
    for piece in _pieces(target, module):
        again.update(piece)
    if again.digest() != digest.digest():
        raise BackupError(f"{target} could not be compressed unchanged: check its disk")


def unpack(path: Path, target: Path) -> None:
    """Write the content of a compressed file to another one; raises BackupError at damage."""
    module = required_zstd(path)
    refuse_full(target.parent, _unpacked_size(path, module) + _SPARE_BYTES)
    descriptor = os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with open(descriptor, "wb") as file:
        for piece in _pieces(path, module):
            file.write(piece)
        file.flush()
        os.fsync(descriptor)


@contextmanager
def plain(path: Path) -> Iterator[Path]:
    """Yield a file that is not compressed: this one, or its content in a temporary file.

    It is put beside it, or, where that folder can only be read, into the system's folder.
    """
    if not is_compressed(path):
        yield path
        return
    beside = path.parent if os.access(path.parent, os.W_OK) else None
    with TemporaryDirectory(prefix=".viewra-", dir=beside) as folder:
        content = Path(folder) / path.name.removesuffix(SUFFIX)
        unpack(path, content)
        yield content


def copy(path: Path, target: Path, digest: str) -> None:
    """Copy a backup of this SHA-256, and unpack it; raises BackupError if it has changed."""
    if is_compressed(path):
        unpack(path, target)
        found = sha256(path)
    else:
        refuse_full(target.parent, path.stat().st_size + _SPARE_BYTES)
        descriptor = os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with open(path, "rb") as source, open(descriptor, "wb") as file:
            shutil.copyfileobj(source, file, _PIECE_BYTES)
            file.flush()
            os.fsync(file.fileno())
        found = sha256(target)
    if found != digest:
        raise BackupError(f"{path} could not be copied unchanged: check both disks")


def _pieces(path: Path, module: Any) -> Iterator[bytes]:
    try:
        with module.ZstdFile(path, "rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except (EOFError, module.ZstdError) as exc:
        raise BackupError(f"{path} is damaged: {exc}") from exc


def _unpacked_size(path: Path, module: Any) -> int:
    with suppress(module.ZstdError):  # it is damaged, which reading it names
        return int(module.get_frame_info(_begin(path)).decompressed_size or 0)
    return 0


def _begin(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_HEADER_BYTES)
    except OSError as exc:
        raise BackupError(f"{path} cannot be read: {why_unreadable(exc)}") from exc
