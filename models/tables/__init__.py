"""Files of rows: found, decoded and read alike, to train on and to score."""
