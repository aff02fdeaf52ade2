"""Explains a text's label: contributions of tokens, verdicts by sentence, gates."""
