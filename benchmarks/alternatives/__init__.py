"""What else a user would run on a CPU: accuracy against processor time, beside Gatewise."""
