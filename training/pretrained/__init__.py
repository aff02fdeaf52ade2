"""Networks that were taught before any label, for trainings to start from."""
