"""Engines compute probabilities from token ids: one protocol, two interchangeable engines."""
