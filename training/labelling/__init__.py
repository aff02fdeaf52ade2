"""How many labels are enough, and which rows to label next: python -m training curve."""
