"""The media room: libraries, files, and what they are."""
