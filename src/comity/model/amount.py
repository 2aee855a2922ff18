"""Exact amounts, and the identifiers of assets and accounts.

Sources: CAIP-2, CAIP-10 and CAIP-19 (Chain Agnostic Standards Alliance); ISO 4217; ISO 13616 (IBAN).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from comity.errors import BadInput

BITCOIN = "bip122:000000000019d6689c085ae165831e93"
ETHEREUM = "eip155:1"
TRON = "tron:728126428"

_CHAIN = r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}"
_ASSET = re.compile(rf"(iso4217:[A-Z]{{3}}|{_CHAIN}/[-a-z0-9]{{3,8}}:[-.%a-zA-Z0-9]{{1,128}})")
_CAIP10 = re.compile(rf"({_CHAIN}):([-.%a-zA-Z0-9]{{1,128}})")
_IBAN = re.compile(r"iban:([A-Z]{2}[0-9]{2}[A-Z0-9]{10,30})")
_BANK = re.compile(r"acct:([-_.a-zA-Z0-9]{1,64}):([-_./a-zA-Z0-9]{1,64})")


class _Text:
    """An identifier that is one string in JSON, parsed wherever it is read."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        from pydantic_core import core_schema  # a hook only pydantic calls

        return core_schema.no_info_plain_validator_function(
            cls._read,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def _read(cls, given: object) -> Self:
        return given if isinstance(given, cls) else cls.parse(str(given))

    @classmethod
    def parse(cls, text: str) -> Self:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, order=True)
class AssetId(_Text):
    """An asset: CAIP-19 on a chain (``eip155:1/slip44:60``), ``iso4217:EUR`` for money (ADR 0003)."""

    value: str

    def __str__(self) -> str:
        return self.value

    @property
    def currency(self) -> str | None:
        """The ISO 4217 code, or None for an asset on a chain."""
        return self.value[8:] if self.value.startswith("iso4217:") else None

    @property
    def symbol(self) -> str:
        """What amounts of it are called in sentences: EUR, BTC, ETH; the whole id of any other asset."""
        return self.currency or {BTC: "BTC", ETH: "ETH"}.get(self, self.value)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an asset id. Raises BadInput when it is neither CAIP-19 nor ``iso4217:XXX``."""
        if not _ASSET.fullmatch(text):
            raise BadInput(
                f"not an asset id: {text[:80]!r}",
                why="an asset is written as CAIP-19 or as iso4217:XXX",
                remedy="write for example iso4217:EUR or bip122:000000000019d6689c085ae165831e93/slip44:0",
            )
        return cls(text)

    @classmethod
    def money(cls, code: str) -> AssetId:
        """The asset of an ISO 4217 code such as ``EUR``. Raises BadInput."""
        return cls.parse(f"iso4217:{code}")


BTC = AssetId(f"{BITCOIN}/slip44:0")
ETH = AssetId(f"{ETHEREUM}/slip44:60")


@dataclass(frozen=True, slots=True, order=True)
class AccountId(_Text):
    """An account: CAIP-10 on a chain, ``iban:…``, or ``acct:INSTITUTION:NUMBER`` at an institution.

    A Bitcoin transaction that joins several inputs is the account ``CHAIN:tx-TXID`` (ADR 0004).
    """

    value: str

    def __str__(self) -> str:
        return self.value

    @property
    def chain(self) -> str | None:
        """The CAIP-2 chain id, or None for a bank or customer account."""
        if self.value.startswith(("iban:", "acct:")):
            return None
        return self.value.rsplit(":", 1)[0]

    @property
    def address(self) -> str:
        """The address on its chain, the IBAN, or the account number."""
        return self.value.rsplit(":", 1)[1]

    @property
    def institution(self) -> str | None:
        """The institution id of an ``acct:`` account, else None."""
        return self.value.split(":", 2)[1] if self.value.startswith("acct:") else None

    @property
    def is_hub(self) -> bool:
        """True for a transaction that stands between its inputs and outputs: nobody's account."""
        return self.chain is not None and self.address.startswith("tx-")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an account id. Raises BadInput when the text has none of the three forms."""
        if not (_IBAN.fullmatch(text) or _BANK.fullmatch(text) or _CAIP10.fullmatch(text)):
            raise BadInput(
                f"not an account id: {text[:80]!r}",
                why="an account is CAIP-10, iban:… or acct:INSTITUTION:NUMBER",
                remedy="write for example eip155:1:0xab… or iban:DE89370400440532013000",
            )
        return cls(text)


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact quantity of one asset, in its main unit. Never a float."""

    quantity: Decimal
    asset: AssetId

    def __str__(self) -> str:
        return f"{self.quantity} {self.asset.symbol}"
