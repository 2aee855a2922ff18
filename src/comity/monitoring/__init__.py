"""Runs typologies over a ledger and makes findings."""
