"""The transcoding room's place in a store."""

from __future__ import annotations

from ..module import Module
from .models import MODELS


class TranscodingModule(Module):
    """What is being made for people to watch."""

    name = "transcoding"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.transcoding.migrations"
