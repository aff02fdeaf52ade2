"""The evaluation report of a version: figures, plots and a page."""
