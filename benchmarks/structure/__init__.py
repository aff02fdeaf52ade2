"""Counts and draws the import graph of a checkout: rooms, floors, arrows and circles."""
