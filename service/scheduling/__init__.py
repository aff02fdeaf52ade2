"""What is computed when. Knows runners, but neither labels nor the web."""
