"""Three memory tasks from the literature, which show how long and what each cell remembers."""
