"""Freezes: ordered, served, acknowledged."""
