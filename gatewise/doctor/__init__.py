"""Looks at an installation as an operator would: what would serve, what is wrong, what mends it."""
