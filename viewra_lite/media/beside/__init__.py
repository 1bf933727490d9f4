"""Files beside the media: nfo files, pictures, subtitles, lyrics and extras."""
