"""Labelled and unlabelled texts: found, read, checked and split."""
