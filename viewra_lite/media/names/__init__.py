"""Reading names: a movie, an episode or a track from a file's path."""
