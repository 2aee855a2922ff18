"""One organisation's node: settings, storage, keys, wiring."""
