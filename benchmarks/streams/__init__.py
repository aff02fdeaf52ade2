"""What streams cost and bear."""
