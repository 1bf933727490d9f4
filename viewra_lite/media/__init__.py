"""The media module: libraries, files, and what they are."""
