"""Fits a network. Knows no terminal; observers report the progress."""
