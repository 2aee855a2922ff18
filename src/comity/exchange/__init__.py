"""Sealed, signed messages between nodes, delivered exactly once in effect."""
