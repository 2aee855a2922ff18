"""Seeded worlds with known truth, exercises and grading."""
