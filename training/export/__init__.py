"""From a trained classifier to the verified files of a version."""
