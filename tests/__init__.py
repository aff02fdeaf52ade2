"""The tests. This is imported before anything else of theirs, so before libraries start threads."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # more threads would only take turns on the processors
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")
