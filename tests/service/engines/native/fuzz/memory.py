"""Memory for arrays, each alone and of exactly its size, so that a sanitizer sees steps beyond."""

import ctypes
import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from service.engines.native.packing import ALIGNMENT

SMALLEST_ALIGNMENT = 8  # of posix_memalign

_libc = ctypes.CDLL(None)  # what is preloaded comes first, so this is the memory of ASan
_libc.posix_memalign.argtypes = (
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_size_t,
    ctypes.c_size_t,
)
_libc.free.argtypes = (ctypes.c_void_p,)
_libc.free.restype = None


class ExactMemory:
    """Arrays in blocks of their own, without a byte behind them; NumPy reuses small blocks.

    The arrays die with the `with` block.
    """

    def __init__(self) -> None:
        self._blocks: list[ctypes.c_void_p] = []

    def __enter__(self) -> "ExactMemory":
        return self

    def __exit__(self, *_: object) -> None:
        for block in self._blocks:
            _libc.free(block)
        self._blocks.clear()

    def empty(
        self, shape: tuple[int, ...], dtype: DTypeLike, *, alignment: int = SMALLEST_ALIGNMENT
    ) -> NDArray[Any]:
        """Return an array whose numbers are whatever lies there."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        block = ctypes.c_void_p()
        if _libc.posix_memalign(ctypes.byref(block), alignment, size) or not block.value:
            raise MemoryError(f"no memory for {size} bytes")
        self._blocks.append(block)
        there = (ctypes.c_byte * size).from_address(block.value)
        return np.ndarray(shape, dtype, buffer=memoryview(there))

    def copy(self, array: NDArray[Any], *, alignment: int = SMALLEST_ALIGNMENT) -> NDArray[Any]:
        """Return a copy of an array."""
        copy = self.empty(array.shape, array.dtype, alignment=alignment)
        copy[...] = array
        return copy

    def copy_aligned(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a copy at an address that vectors can be loaded from."""
        return self.copy(array, alignment=ALIGNMENT)
