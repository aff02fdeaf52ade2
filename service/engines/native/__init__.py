"""The native engine: the cells in C, in fixed point; see docs/native.md."""
