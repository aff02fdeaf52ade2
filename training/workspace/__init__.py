"""Files of a training at work: checkpoints, locks, interruption."""
