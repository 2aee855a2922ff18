"""Finding together what none can see alone: match (private set intersection)."""
