"""Names that both sides know."""

VERSION = "BENCHMARK_VERSION"
"""The environment variable that holds the version's folder."""
