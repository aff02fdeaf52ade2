"""Looks for settings that are better than the defaults on a dataset: python -m training tune."""
