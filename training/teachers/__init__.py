"""Teachers: who gives texts the labels that a network learns from."""
