"""What every worker imports, imported once by the process that they are forked from."""

import gc

import service.web.server  # noqa: F401

gc.freeze()  # or the first collection of each worker would write to all pages that they share
