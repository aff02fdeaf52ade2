"""Hashed n-grams, and the linear baseline."""
