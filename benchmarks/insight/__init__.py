"""Measures contributions and the rules of the early exit."""
