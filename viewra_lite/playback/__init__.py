"""The playback module: sessions, progress, history and what to watch next."""
