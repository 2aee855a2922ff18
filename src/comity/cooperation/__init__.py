"""Finding together what none can see alone: match (private set intersection).

`subjects` turns what an institution holds into keys, `match` intersects two sets of them, `budget` bounds
how much may be asked, `joint` adds up what several disclosed, `value` says what it gained and cost.
"""
