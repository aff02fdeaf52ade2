"""Compares the cells on three datasets, and writes what docs/lstm-and-gru.md stands on."""
