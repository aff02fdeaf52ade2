"""Scores files of texts without a server."""
