"""Whether two checkouts of this project behave the same."""
