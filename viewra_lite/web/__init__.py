"""The database in a browser; needs the extra `web`."""

from .application import app as app
