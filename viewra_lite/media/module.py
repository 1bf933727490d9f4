"""The media room's verbs."""
from ..module import Module
from .models import MODELS
class MediaModule(Module):
    """Media."""
    name = "media"
    models = MODELS
    migrations = "viewra_lite.media.migrations"
