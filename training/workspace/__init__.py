"""The work folder of a running training: checkpoints and locks. Also: interruption."""
