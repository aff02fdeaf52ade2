"""Model versions in, answers out."""
