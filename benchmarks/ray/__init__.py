"""Measures what a Ray cluster adds: scoring, fits side by side, and serving."""
