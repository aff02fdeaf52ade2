"""What the service promises its operator, each kept to the test in a file of its own.

`docs/promises.md` lists them. `make promises` runs the long form of each, CI the short one.
"""
