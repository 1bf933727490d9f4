"""Sidecars, the files beside the media: nfo files, pictures, subtitles and lyrics."""
