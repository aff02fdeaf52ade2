"""The figures of a version, and its model card."""
