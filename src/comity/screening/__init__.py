"""Screening of names and wallets against lists and attributions."""
