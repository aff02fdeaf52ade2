"""Copies versions to and from other places: the Hugging Face Hub, buckets, folders."""
