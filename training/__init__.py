"""Datasets in, model versions out."""
