"""Gatewise beside other ways of serving the same SavedModel."""
