"""The structures of the C sources for ctypes, in the same order."""

import ctypes
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Precision = Literal["int16", "int8", "float32"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
BYTES: dict[Precision, int] = {"int16": 2, "int8": 1, "float32": 4}
"""Bytes of a number in the products of each precision; its code in C."""

Pointer = ctypes.c_void_p
Int = ctypes.c_int32


def address_of(array: NDArray[np.generic]) -> int:
    """Return the address of a contiguous array that may be written to."""
    if array.size:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    address: int = array.__array_interface__["data"][0]  # takes five times as long
    return address


class MatrixStruct(ctypes.Structure):
    """`Matrix` of gatewise.h."""

    _fields_ = (
        ("weights", Pointer),
        ("start", Pointer),
        ("scale", Pointer),
        ("bias", Pointer),
        ("rows", Int),
    )


class LayerStruct(ctypes.Structure):
    """`Layer` of gatewise.h."""

    _fields_ = (
        ("units", Int),
        ("width", Int),
        ("table", Pointer),
        ("table_scale", Pointer),
        ("kernel", MatrixStruct),
        ("recurrent", MatrixStruct),
    )


class ModelStruct(ctypes.Structure):
    """`Model` of gatewise.h."""

    _fields_ = (
        ("cell", Int),
        ("precision", Int),
        ("layers", Int),
        ("vocabulary", Int),
        ("layer", ctypes.POINTER(LayerStruct)),
        ("labels", Int),
        ("exclusive", Int),
        ("head", Pointer),
        ("bias", Pointer),
        ("ngrams", Pointer),
        ("buckets", ctypes.c_int64),
        ("columns", Int),
        ("ngram_scale", ctypes.c_float),
    )


class TextsStruct(ctypes.Structure):
    """`Texts` of texts.c."""

    _fields_ = (
        ("count", Int),
        ("ids", Pointer),
        ("begin", Pointer),
        ("before", Pointer),
        ("after", Pointer),
        ("looks", Pointer),
        ("look_begin", Pointer),
        ("probabilities", Pointer),
        ("gates", Pointer),
    )


class WordsStruct(ctypes.Structure):
    """`Words` of words.c."""

    _fields_ = (
        ("chars", Pointer),
        ("begin", Pointer),
        ("places", Pointer),
        ("slots", Pointer),
        ("tokens", Int),
        ("mask", ctypes.c_uint32),
        ("longest", Int * 2),
    )
