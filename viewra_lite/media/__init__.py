"""The media module: libraries, files, and the movies, shows and music in them."""
