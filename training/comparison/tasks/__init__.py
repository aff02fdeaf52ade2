"""Three memory tasks from the literature: how long each kind of cell remembers, and what."""
