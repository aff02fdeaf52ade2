"""The alternatives to Gatewise. They run in environments of their own, without its packages."""
