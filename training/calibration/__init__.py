"""From logits to calibrated probabilities, and the figures that measure them."""
