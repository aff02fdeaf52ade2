"""The evaluation report of a version: figures, plots and one page to read them on."""
