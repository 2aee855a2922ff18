"""One standard: law as data, resolved, computed per transfer and compared."""
