"""The Merkle log that every act leaves its receipt in (RFC 9162).

`log.AuditLog` appends and proves; `merkle` is the arithmetic; `note` signs what the log holds.
"""
