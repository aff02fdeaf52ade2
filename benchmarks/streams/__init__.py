"""Measures cost and limits of streams."""
