"""The questions of the playback room: query builders that run nothing."""
