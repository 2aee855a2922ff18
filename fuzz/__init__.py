"""Coverage-guided fuzzing of everything that reads a stranger's bytes: `make fuzz SECONDS=60`.

Each reader of the seams `chains` and `lists` is a target, found by itself. For whatever bytes: it ends
within ten seconds; it raises no error but Comity's own; what it gives is the same when read again; amounts
are finite and not below zero; and the columns made of it add up to what the transfers state.

Inputs that found something new are kept in ``fuzz/seeds/NAME``, and tried first the next time.
"""
