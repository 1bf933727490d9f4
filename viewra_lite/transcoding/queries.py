"""The questions of the transcoding room: query builders that run nothing."""
