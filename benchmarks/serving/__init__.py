"""Measures Gatewise beside other servers of the same SavedModel."""
