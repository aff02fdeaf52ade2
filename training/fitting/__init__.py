"""Fits a network. Knows no terminal: observers hear how it goes."""
