"""Observers of a fit: progress bars, TensorBoard, MLflow."""
