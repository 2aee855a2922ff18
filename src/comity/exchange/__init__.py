"""Sealed, signed messages between nodes, delivered exactly once in effect.

`directory` says who the members are, `keys` holds one member's own keys, `bodies` what each kind of
message says, `handling` on which terms it may go on, `envelope` seals it, `mailbox` sees it through.
"""
