"""Vectors of words that others learned, for a network to start from."""
