"""What stays when files move: their ids, and the works that they are of."""
