"""Who is said to be behind an account, by whom, and how sure of it they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from comity.model.columns import Mark


@dataclass(frozen=True, slots=True)
class Attribution:
    """``account`` belongs to ``actor`` (an id, "" where none is named), called ``label``.

    ``categories`` are the words of the lists (exchange, mixing_service, ransomware, sanction …);
    ``confidence`` lies in [0, 1]; ``source`` says where it was read; ``country`` is ISO 3166-1 alpha-2, ""
    where none or more than one is known: ``countries`` has them all. ``name`` is the actor's full name.
    ``others`` is what else is said of the account, the surest first: nothing that disagrees is lost.
    """

    account: str
    label: str
    actor: str
    categories: tuple[str, ...]
    confidence: float
    source: str
    country: str = ""
    name: str = ""
    countries: tuple[str, ...] = ()
    others: tuple[Attribution, ...] = ()

    @property
    def called(self) -> str:
        """What to call who is behind the account: the actor's full name, or else the label."""
        return self.name or self.label


MARKS = {
    "sanction": Mark.SANCTIONED,
    "black_list": Mark.SANCTIONED,
    "terrorism": Mark.TERRORISM,
    "ransomware": Mark.RANSOMWARE,
    "service_hack": Mark.THEFT,
    "hack": Mark.THEFT,
    "hacking": Mark.THEFT,
    "theft": Mark.THEFT,
    "perpetrator": Mark.THEFT,
    "scam": Mark.FRAUD,
    "ponzi_scheme": Mark.FRAUD,
    "phishing": Mark.FRAUD,
    "social_engineering": Mark.FRAUD,
    "extortion": Mark.FRAUD,
    "sextortion": Mark.FRAUD,
    "market": Mark.DARKNET,
    "darknet": Mark.DARKNET,
    "mixing_service": Mark.MIXER,
    "mixer": Mark.MIXER,
    "coinjoin": Mark.MIXER,
    "gambling": Mark.GAMBLING,
    "exchange": Mark.EXCHANGE,
    "bridge": Mark.BRIDGE,
    "defi_bridge": Mark.BRIDGE,
    "swap": Mark.SWAP,
    "dex": Mark.SWAP,
    "defi_dex": Mark.SWAP,
    "p2p": Mark.P2P,
    "atm": Mark.KIOSK,
    "kiosk": Mark.KIOSK,
    "csam": Mark.ABUSE,
    "weak_kyc": Mark.WEAK_KYC,
    "service": Mark.OTHER_SERVICE,
    "hosted_wallet": Mark.OTHER_SERVICE,
    "wallet_service": Mark.OTHER_SERVICE,
    "defi": Mark.OTHER_SERVICE,
    "defi_derivative": Mark.OTHER_SERVICE,
    "defi_lending": Mark.OTHER_SERVICE,
    "faucet": Mark.OTHER_SERVICE,
    "hosting": Mark.OTHER_SERVICE,
    "marketplace": Mark.OTHER_SERVICE,
    "mining_service": Mark.OTHER_SERVICE,
    "payment_processor": Mark.OTHER_SERVICE,
    "miner": Mark.OTHER_SERVICE,
}
"""What the categories of lists and TagPacks (INTERPOL's taxonomy, as GraphSense spells it) mark."""


def mark_of(categories: Iterable[str]) -> Mark:
    """The marks of these categories; one that is not known marks nothing."""
    found = Mark(0)
    for category in categories:
        found |= MARKS.get(category.lower(), Mark(0))
    return found
