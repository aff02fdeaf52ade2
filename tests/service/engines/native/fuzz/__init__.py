"""Calls the library with classifiers, texts and states at random; see __main__.py."""
