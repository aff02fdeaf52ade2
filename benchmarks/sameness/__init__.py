"""Compares the behaviour of two checkouts of this project."""
