"""Events: what happened in a store, for listeners in this process and for those that were away."""
