"""Inspects a dataset before a training, and reports its faults."""
