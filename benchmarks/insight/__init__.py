"""What contributions and stopping rules are worth."""
