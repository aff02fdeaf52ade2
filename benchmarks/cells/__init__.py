"""Compares the cells on three datasets, and writes the figures of docs/lstm-and-gru.md."""
