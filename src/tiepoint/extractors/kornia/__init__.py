"""Extractors that run in PyTorch; kornia has their networks."""
