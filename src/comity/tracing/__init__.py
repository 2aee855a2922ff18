"""Follows value forward and backward, and draws it."""
