"""Plans a fleet from what one machine measures."""
