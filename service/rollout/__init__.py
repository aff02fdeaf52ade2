"""Canary and shadow: a version is compared with the stable one on the same texts, and judged."""
