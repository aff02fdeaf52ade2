"""Quantizes a network in ONNX, as ONNX Runtime's documentation says for transformers on a CPU."""

import tempfile
from pathlib import Path

import onnxruntime


def quantize(source: Path, target: Path) -> None:
    """Write a network that multiplies in int8, with scales measured for each text.

    Weights may be stored as int8 already. Then it would still multiply in float32, so they are
    folded into float32 first.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic  # needs onnx, to fit alone

    with tempfile.TemporaryDirectory() as scratch:
        folded = Path(scratch) / "folded.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(folded)
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
        part = target.with_suffix(".part")
        quantize_dynamic(folded, part, weight_type=QuantType.QInt8, per_channel=True)
        part.replace(target)
