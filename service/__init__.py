"""Model versions in, answers out."""

import os

# Its own products of matrices are small; a second thread of theirs would only wait for the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is imported
