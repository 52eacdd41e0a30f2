"""Optimistic execution in a window, where what is stale at its turn is redone from a log instead of executed again."""
