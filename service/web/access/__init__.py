"""Who may ask what, and how much: API keys, their scopes and their rates."""
