"""Where a node keeps what, under its home directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """Everything of one node lies under ``home``, which only its owner may read."""

    home: Path

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def token(self) -> Path:
        """The operators' token."""
        return self.keys / "operator.token"

    @property
    def tls_certificate(self) -> Path:
        return self.keys / "tls-certificate.pem"

    @property
    def tls_key(self) -> Path:
        return self.keys / "tls-key.pem"

    @property
    def ledger(self) -> Path:
        return self.home / "ledger"

    @property
    def monitored(self) -> Path:
        """Where the last monitoring of the ledger ended."""
        return self.home / "monitored.jsonl"

    @property
    def authorisations(self) -> Path:
        """Rulings on transfers before they are sent, one a line."""
        return self.home / "authorisations.jsonl"

    @property
    def lists(self) -> Path:
        return self.home / "lists"

    @property
    def customers(self) -> Path:
        return self.home / "customers.jsonl"

    @property
    def commons_root(self) -> Path:
        """The root of trust a new member is handed."""
        return self.home / "commons-root.json"

    @property
    def commons(self) -> Path:
        """The newest bundle signed under that root."""
        return self.home / "commons.json"
