"""From texts to predictions: one way for every route, stream and file."""
