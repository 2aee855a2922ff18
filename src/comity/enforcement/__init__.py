"""Freezes: ordered by one body under a named power, served on another, in force until lifted or expired.

`freeze.order` makes the measure, `register.FreezeRegister` knows what is frozen on this node.
"""
