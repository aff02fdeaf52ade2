"""Names that the servers and their measurement share."""

MODEL = "BENCHMARK_MODEL"
"""The environment variable that names the module of the model."""

FOLDER = "BENCHMARK_FOLDER"
"""The environment variable that holds the folder of the fitted model."""
