"""Measures the native engine: its speed beside ONNX Runtime and the processor, and its errors."""
