"""What is learned in which order: language model, n-grams, network, calibration."""
