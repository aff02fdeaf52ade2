"""What a student learned from its teacher: figures, page and plots."""
