"""Serves the application of `service.web` as replicas of Ray Serve."""
