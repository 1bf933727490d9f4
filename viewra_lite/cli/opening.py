"""Opens the store of the command line."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from .output import complain
from .remedies import command

if TYPE_CHECKING:
    from ..config.options import Config
    from ..store import Store

CONFIG_FILE = "viewra.yaml"


def configured(args: Namespace) -> Config:
    """Return the configuration of --config, of ./viewra.yaml or the default; ConfigError."""
    from ..config.loading import load_config

    _show_warnings()
    return load_config(source_of(args), environ=os.environ)


def source_of(args: Namespace) -> str | None:
    """Return --config, or else ./viewra.yaml if it exists."""
    source: str | None = args.config
    if source is None and os.path.lexists(CONFIG_FILE):
        source = CONFIG_FILE
    return source


def created(args: Namespace) -> Store:
    """Open the store; create it if it does not exist."""
    from ..store import Store

    return Store.open(configured(args))


def existing(args: Namespace) -> Store:
    """Open an existing store, migrated; raises NotFoundError if it does not exist."""
    from ..store import Store

    with looking(args) as store:
        config = store.config
    return Store.open(config)


@contextmanager
def looking(args: Namespace) -> Iterator[Store]:
    """Open an existing store without migrating it; raises NotFoundError if it does not exist."""
    config = configured(args)
    with _found(args, config) as store:
        store.migrations.pending()  # refuses a newer store before anything else is read
        if not any(script["applied"] for script in store.migrations.status()):
            _refuse_unmigrated(args, store)
        yield store


def _found(args: Namespace, config: Config) -> Store:
    """Open a store without migrating it; a lost one, or an unusable path, has its own error."""
    from ..errors import StoreUnavailableError
    from ..store import Store

    try:
        return Store.open(config, migrate=False)
    except StoreUnavailableError as exc:
        if config.exists() or not str(exc).startswith("no store at"):
            raise
    _refuse(args, config)


@lru_cache(maxsize=None)  # once in a process
def _show_warnings() -> None:
    """Print what the database warns of, but for what it raises as an error too.

    What the other packages warn of is in the answers of the commands.
    """
    import logging  # opening a store imports it anyway

    class Warnings(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not getattr(record, "is_raised", False):
                complain(f"warning: {record.getMessage()}")

    logging.getLogger("viewra_lite.database").addHandler(Warnings(logging.WARNING))


def _refuse_unmigrated(args: Namespace, store: Store) -> None:
    from ..errors import NotFoundError

    if "media_libraries" in store.tables():
        raise NotFoundError(
            f"{store.config.url} has tables made by hand from the specification and is not a store "
            f"yet: {command(args, 'init')} adopts it and keeps every row"
        )
    _refuse(args, store.config)


def _refuse(args: Namespace, config: Config) -> NoReturn:
    from ..errors import NotFoundError

    raise NotFoundError(f"no store at {config.url}: run {command(args, 'init')}")
