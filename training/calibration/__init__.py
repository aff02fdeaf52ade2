"""From logits to calibrated probabilities, and how good they are."""
