"""The network, layer by layer."""
