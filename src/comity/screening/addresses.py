"""Wallet screening: exact matches of accounts with the wallets of lists, alone and over a ledger.

A sanctioned wallet is an alert, and what deals with it has a sanctioned party: kind SCREENING. What an
attribution says is kind EXPOSURE, and creates no duty to freeze; it ranks by how grave its category is
(our own ranking, below) times the tagger's confidence: an alert from a grave category on at least even
confidence, else to watch. An EVM address has one key on every EVM chain, so a wallet listed on one is
found on the others, to watch, and the reason says so.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from comity.model import AccountId, AssetId, Columns, Finding, FindingKind, Level, Listing, ListingKind

GRAVITY = {
    "terrorism": 1.0,
    "sanction": 1.0,
    "csam": 1.0,
    "ransomware": 0.95,
    "service_hack": 0.9,
    "hack": 0.9,
    "black_list": 0.9,
    "market": 0.85,
    "mixing_service": 0.85,
    "scam": 0.85,
    "ponzi_scheme": 0.85,
    "phishing": 0.85,
    "perpetrator": 0.85,
    "extortion": 0.85,
    "sextortion": 0.85,
    "coinjoin": 0.7,
    "gambling": 0.4,
    "exchange": 0.1,
    "hosted_wallet": 0.1,
    "wallet_service": 0.1,
    "service": 0.1,
    "miner": 0.1,
}
"""How grave a category of attribution is, from 0 to 1; a category not named here counts UNNAMED."""

UNNAMED = 0.3
GRAVE = 0.7
EVEN = 0.5
OTHER_CHAIN = 0.9
LEAST = 0.1
MAX_EVIDENCE = 1_000
SCAN_BELOW = 32
_EVM_KINDS = ("eip155:", "listed:")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Hit:
    listing: Listing
    listed: AccountId


class WalletIndex:
    """The wallets of any number of listings, for exact look-up. Build once per set of editions."""

    def __init__(self, listings: Iterable[Listing]) -> None:
        self._exact: dict[str, list[_Hit]] = {}
        self._evm: dict[str, list[_Hit]] = {}
        for listing in listings:
            if not listing.wallets:
                continue
            lean = replace(listing, wallets=())
            for wallet in listing.wallets:
                hit = _Hit(lean, wallet)
                self._exact.setdefault(wallet.value, []).append(hit)
                if _evm(wallet.value):
                    self._evm.setdefault(wallet.address, []).append(hit)

    def __len__(self) -> int:
        """How many unique wallets are listed."""
        return len(self._exact)

    def screen(self, account: AccountId) -> tuple[Finding, ...]:
        """Findings about one canonical account, one for each listing that names it; gravest first."""
        found = [_about(account.value, hit) for hit in self._hits(account.value)]
        return tuple(sorted(found, key=lambda finding: (-finding.score, finding.id)))

    def screen_columns(self, columns: Columns, *, least: float = LEAST) -> Iterator[Finding]:
        """Findings of a ledger: its accounts that are listed, and all who dealt directly with one.

        Through a transaction of many inputs and outputs (a hub, ADR 0004) the other side of it is the
        counterparty, and what is summed is the most that can have passed. Findings below ``least`` (an
        exchange, a miner) are left out. In order of account number, then of listing.
        """
        for number in self._listed(columns.accounts):
            account = columns.accounts[number]
            for hit in self._hits(account):
                own = _about(account, hit)
                if own.score < least:
                    continue
                dealings = _Dealings(columns, number)
                yield dealings.of_listed(own)
                yield from dealings.of_counterparties(own, hit)

    def _listed(self, accounts: Sequence[str]) -> Iterable[int]:
        """The numbers of the accounts that are listed, ascending.

        A ledger has many more accounts than there are wallets, as a rule: then each wallet is looked up in
        it, on every EVM chain it knows, rather than each account read.
        """
        if len(accounts) < SCAN_BELOW * len(self._exact):
            return (number for number, account in enumerate(accounts) if self._hits(account))
        wanted = {*self._exact}
        for chain in _evm_chains(accounts):
            wanted.update(f"{chain}:{address}" for address in self._evm)
        places = ((bisect_left(accounts, wallet), wallet) for wallet in wanted)
        return sorted(at for at, wallet in places if at < len(accounts) and accounts[at] == wallet)

    def _hits(self, account: str) -> list[_Hit]:
        exact = self._exact.get(account, [])
        other = self._evm.get(account.rsplit(":", 1)[1], []) if _evm(account) else []
        entries = {id(hit.listing) for hit in exact}
        more: dict[int, _Hit] = {}
        for hit in other:
            if id(hit.listing) not in entries:
                more.setdefault(id(hit.listing), hit)
        return [*exact, *more.values()]


class _Dealings:
    """What one account of a ledger sent and received, and with whom, seen through hubs."""

    def __init__(self, columns: Columns, number: int) -> None:
        self._columns, self._number = columns, number
        self._sent = _edges(columns, number, outward=True)
        self._received = _edges(columns, number, outward=False)

    def of_listed(self, finding: Finding) -> Finding:
        """The finding about the listed account itself, with its own transfers."""
        both = sorted({*self._sent, *self._received})
        if not both:
            return finding
        sent, received = self._sum(self._sent), self._sum(self._received)
        reason = (
            f"In this ledger it sent {sent:,.2f} and received {received:,.2f} {self._unit()} in "
            f"{len(both):,} transfers."
        )
        features = {"transfers": float(len(both)), "sent": sent, "received": received}
        return self._dated(finding, both, reason, features)

    def of_counterparties(self, own: Finding, hit: _Hit) -> Iterator[Finding]:
        """One finding for each account that dealt directly with the listed one, by account number."""
        sent = self._beyond(self._sent, outward=True)
        received = self._beyond(self._received, outward=False)
        listed = self._columns.accounts[self._number]
        for other in sorted({*sent, *received} - {self._number}):
            got, gave = sent.get(other), received.get(other)
            parts: list[str] = []
            edges: list[int] = []
            if got:
                parts.append(f"received {got.value:,.2f} {self._unit()} from it")
                edges += got.edges
            if gave:
                parts.append(f"sent {gave.value:,.2f} {self._unit()} to it")
                edges += gave.edges
            unique = sorted(set(edges))
            through = any(side.hub for side in (got, gave) if side)
            most = " (at most: others took part in the same transaction)" if through else ""
            subject = self._columns.accounts[other]
            reason = f"This account {' and '.join(parts)}{most}, in {len(unique):,} transfers."
            finding = replace(
                own,
                id=_id("counterparty", subject, listed, _entry(hit)),
                rule="counterparty_of_listed_wallet",
                subject=subject,
                reasons=(f"It dealt directly with {listed}.", *own.reasons),
            )
            features = {
                "transfers": float(len(unique)),
                "received_from_listed": got.value if got else 0.0,
                "sent_to_listed": gave.value if gave else 0.0,
            }
            yield self._dated(finding, unique, reason, features)

    def _beyond(self, edges: list[int], *, outward: bool) -> dict[int, _Side]:
        """The accounts on the other side of these transfers, seen through hubs, with what passed."""
        columns = self._columns
        ends = columns.dst if outward else columns.src
        sides: dict[int, _Side] = {}
        hubs: dict[int, list[int]] = {}
        for edge in edges:
            end = int(ends[edge])
            if columns.hub[end]:
                hubs.setdefault(end, []).append(edge)
            else:
                sides.setdefault(end, _Side()).add(self._sum([edge]), [edge], hub=False)
        for hub, near in hubs.items():
            far: dict[int, list[int]] = {}
            for edge in _edges(columns, hub, outward=outward):
                far.setdefault(int(ends[edge]), []).append(edge)
            for end, beyond in far.items():
                known = [self._sum(part) for part in (near, beyond) if self._known(part)]
                sides.setdefault(end, _Side()).add(min(known, default=0.0), [*near, *beyond], hub=True)
        return sides

    def _known(self, edges: list[int]) -> bool:
        return all(int(self._columns.value[edge]) >= 0 for edge in edges)

    def _sum(self, edges: list[int]) -> float:
        """What is known to have passed, in main units of the reference asset."""
        total = sum(max(0, int(self._columns.value[edge])) for edge in edges)
        return float(total / 10**self._columns.scale)

    def _unit(self) -> str:
        return AssetId(self._columns.reference).symbol

    def _dated(self, finding: Finding, edges: list[int], reason: str, features: dict[str, float]) -> Finding:
        columns = self._columns
        reasons = [*finding.reasons, reason]
        unknown = sum(int(columns.value[edge]) < 0 for edge in edges)
        if unknown:
            reasons.append(f"The value of {unknown:,} of these transfers is not known and not in the sums.")
        if len(edges) > MAX_EVIDENCE:
            reasons.append(f"The first {MAX_EVIDENCE:,} transfers are given as evidence.")
        return replace(
            finding,
            reasons=tuple(reasons),
            evidence=(*finding.evidence, *(columns.ids[edge] for edge in edges[:MAX_EVIDENCE])),
            first=_EPOCH + timedelta(microseconds=int(columns.time[edges[0]])),
            last=_EPOCH + timedelta(microseconds=int(columns.time[edges[-1]])),
            features=(*finding.features, *features.items()),
        )


@dataclass(slots=True)
class _Side:
    """What passed between the listed account and one counterparty in one direction."""

    value: float = 0.0
    edges: list[int] = field(default_factory=list)
    hub: bool = False

    def add(self, value: float, edges: list[int], *, hub: bool) -> None:
        self.value += value
        self.edges += edges
        self.hub = self.hub or hub


def _edges(columns: Columns, number: int, *, outward: bool) -> list[int]:
    """Transfer numbers out of or into an account, in time order."""
    pointer, index = (columns.out_ptr, columns.out_idx) if outward else (columns.in_ptr, columns.in_idx)
    return [int(edge) for edge in index[pointer[number] : pointer[number + 1]]]


def _about(account: str, hit: _Hit) -> Finding:
    """The finding that this account is the listed wallet."""
    listing = hit.listing
    same = account == hit.listed.value
    source = listing.source or listing.list_id
    words = ", ".join(listing.programmes) or "no category given"
    if listing.kind is ListingKind.SANCTION:
        score, level = 1.0, Level.ALERT
        reasons = [
            f"The wallet is listed for {listing.party.name}, entry {listing.entry_id} of {listing.source}.",
            f"The programmes are: {words}.",
        ]
    else:
        gravity = max((GRAVITY.get(kind, UNNAMED) for kind in listing.programmes), default=UNNAMED)
        score = gravity * listing.confidence
        alert = gravity >= GRAVE and listing.confidence >= EVEN
        level = Level.ALERT if alert else Level.WATCH
        reasons = [
            f"The wallet is attributed to {listing.party.name} ({words}) by {source}.",
            f"The tagger's confidence is {listing.confidence:.2f}; the category weighs {gravity:.2f} of 1.",
        ]
    if not same:
        score, level = score * OTHER_CHAIN, Level.WATCH
        reasons.append(
            f"The list names it on {hit.listed.chain}; one key holds an address on every EVM chain."
        )
    return Finding(
        id=_id("wallet", account, "", _entry(hit)),
        kind=FindingKind.SCREENING if listing.kind is ListingKind.SANCTION else FindingKind.EXPOSURE,
        rule="listed_wallet",
        subject=account,
        level=level,
        score=round(score, 4),
        reasons=tuple(reasons),
        evidence=(_entry(hit),),
        source=source,
        features=(("confidence", listing.confidence),),
    )


def _entry(hit: _Hit) -> str:
    return f"{hit.listing.list_id}:{hit.listing.entry_id}"


def _evm_chains(accounts: Sequence[str]) -> Iterator[str]:
    """The chains of a ledger's accounts on which an EVM address may stand: ``eip155:1``, ``listed:USDT``."""
    for kind in _EVM_KINDS:
        at = bisect_left(accounts, kind)
        while at < len(accounts) and accounts[at].startswith(kind):
            chain = accounts[at].rsplit(":", 1)[0]
            yield chain
            at = bisect_left(accounts, f"{chain};")  # the character after a colon: past all of this chain


def _evm(account: str) -> bool:
    """Whether this is an EVM address, on a known chain or under a list's own code."""
    address = account.rsplit(":", 1)[1]
    return account.startswith(_EVM_KINDS) and address.startswith("0x") and len(address) == 42


def _id(*parts: str) -> str:
    """The same finding has the same id wherever and whenever it is made."""
    return "screen-" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]
