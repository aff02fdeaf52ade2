"""The contract between training and serving: tokenizer, metadata and the store of versions.

Imports neither TensorFlow nor FastAPI, so either side can use it alone.
"""

__version__ = "0.1.0"
