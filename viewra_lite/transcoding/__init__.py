"""The transcoding module: requests, workers with leases, and the cache of their output."""
