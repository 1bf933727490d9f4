"""The configuration of a test's store with other options."""

from __future__ import annotations

from typing import Any

from viewra_lite import Config, load_config
from viewra_lite.config.options import options_of


def configured(source: Any, **options: Any) -> Config:
    """Return a configuration with other options."""
    config = load_config(source)
    known = {name: getattr(config, name) for name in options_of(type(config))}
    return type(config)(**{**known, **options})
