"""Names that the servers and their measurement share."""

VERSION = "BENCHMARK_VERSION"
"""The environment variable that holds the version's folder."""
