"""The Merkle log that every act leaves its receipt in (RFC 9162)."""
