"""Looks at a dataset before anything is trained on it, and says what is wrong with it."""
