"""Compares the recurrent cells on a dataset, under equal conditions: python -m training compare."""
