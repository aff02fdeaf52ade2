"""What a version is worth, in figures and on its card."""
