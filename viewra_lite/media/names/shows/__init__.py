"""Names of episodes, and of the folders of shows and seasons."""
