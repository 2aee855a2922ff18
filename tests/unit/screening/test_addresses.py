from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from comity.columnar import assemble
from comity.lists import _wallets
from comity.model import BTC, AccountId, Columns, FindingKind, Level, Listing, ListingKind, Party
from comity.screening import addresses
from comity.screening.addresses import WalletIndex
from comity.screening.store import ListStore

BAD = "eip155:1:0x00000000000000000000000000000000c0ffee01"
CUSTOMER = "acct:vasp:alice"
OTHER = "acct:vasp:bob"
HUB = "bip122:000000000019d6689c085ae165831e93:tx-ab"
HOUR = 3_600_000_000


def listing(
    *wallets: str,
    kind: ListingKind = ListingKind.SANCTION,
    entry: str = "1",
    programmes: tuple[str, ...] = ("CYBER2",),
    confidence: float = 1.0,
) -> Listing:
    return Listing(
        "sample",
        entry,
        kind,
        Party("Orsolo Vantermeer"),
        programmes,
        tuple(AccountId(wallet) for wallet in wallets),
        source="Sample list of 2026-02-03",
        confidence=confidence,
    )


def tag(wallet: str, category: str, confidence: float) -> Listing:
    return listing(wallet, kind=ListingKind.ATTRIBUTION, programmes=(category,), confidence=confidence)


def columns(transfers: Sequence[tuple[str, str, int]]) -> Columns:
    """A ledger of (from, to, value in cents or -1), an hour apart from 1970-01-01."""
    accounts = sorted({end for transfer in transfers for end in transfer[:2]})
    src = np.array([accounts.index(start) for start, _, _ in transfers], dtype=np.int32)
    dst = np.array([accounts.index(end) for _, end, _ in transfers], dtype=np.int32)

    return assemble(
        np.arange(len(transfers), dtype=np.int64) * HOUR,
        src,
        dst,
        np.array([value for _, _, value in transfers], dtype=np.int64),
        hub=np.array([":tx-" in account for account in accounts]),
        accounts=accounts,
        ids=[f"t{number}" for number in range(len(transfers))],
        reference="iso4217:EUR",
        scale=2,
    )


def test_a_sanctioned_wallet_is_an_alert() -> None:
    (finding,) = WalletIndex([listing(BAD)]).screen(AccountId(BAD))
    assert finding.kind is FindingKind.SCREENING
    assert finding.level is Level.ALERT
    assert finding.score == 1.0
    assert finding.subject == BAD
    assert finding.evidence == ("sample:1",)
    assert finding.source == "Sample list of 2026-02-03"
    assert "Orsolo Vantermeer" in finding.reasons[0]
    assert all(reason.endswith(".") for reason in finding.reasons)


def test_another_wallet_is_nothing() -> None:
    index = WalletIndex([listing(BAD)])
    assert index.screen(AccountId(BAD[:-1] + "2")) == ()
    assert index.screen(AccountId("iban:DE89370400440532013000")) == ()
    assert index.screen(AccountId(CUSTOMER)) == ()
    assert len(index) == 1


def test_the_same_address_on_another_evm_chain_is_to_watch() -> None:
    polygon = BAD.replace("eip155:1:", "eip155:137:")
    (finding,) = WalletIndex([listing(BAD)]).screen(AccountId(polygon))
    assert finding.level is Level.WATCH
    assert finding.score == addresses.OTHER_CHAIN
    assert "eip155:1" in finding.reasons[-1]
    (once,) = WalletIndex([listing(BAD, polygon)]).screen(AccountId(polygon))
    assert once.level is Level.ALERT


def test_a_listing_on_several_chains_is_found_once_on_a_third() -> None:
    index = WalletIndex([listing(BAD, BAD.replace("eip155:1:", "eip155:137:"))])
    assert len(index.screen(AccountId(BAD.replace("eip155:1:", "eip155:56:")))) == 1


def test_every_listing_speaks_gravest_first() -> None:
    index = WalletIndex([tag(BAD, "exchange", 0.5), listing(BAD, entry="2")])
    assert [finding.score for finding in index.screen(AccountId(BAD))] == [1.0, 0.05]


@pytest.mark.parametrize(
    ("category", "confidence", "level"),
    [
        ("ransomware", 0.5, Level.ALERT),
        ("ransomware", 0.2, Level.WATCH),
        ("exchange", 1.0, Level.WATCH),
        ("something new", 1.0, Level.WATCH),
    ],
)
def test_an_attribution_ranks_by_category_and_confidence(
    category: str, confidence: float, level: Level
) -> None:
    (finding,) = WalletIndex([tag(BAD, category, confidence)]).screen(AccountId(BAD))
    assert finding.level is level
    assert finding.kind is FindingKind.EXPOSURE, "no authority's designation: no duty to freeze"
    gravity = addresses.GRAVITY.get(category, addresses.UNNAMED)
    assert finding.score == pytest.approx(gravity * confidence, abs=1e-4)
    assert category in finding.reasons[0]
    assert f"{confidence:.2f}" in finding.reasons[1]


def test_an_attribution_without_category_is_weighed_as_unnamed() -> None:
    plain = listing(BAD, kind=ListingKind.ATTRIBUTION, programmes=(), confidence=1.0)
    assert WalletIndex([plain]).screen(AccountId(BAD))[0].score == addresses.UNNAMED


def test_over_a_ledger_the_wallet_and_who_dealt_with_it() -> None:
    ledger = columns([(CUSTOMER, BAD, 10_000), (BAD, OTHER, 2_550), (CUSTOMER, OTHER, 5), (CUSTOMER, BAD, 1)])
    found = {finding.subject: finding for finding in WalletIndex([listing(BAD)]).screen_columns(ledger)}
    assert set(found) == {BAD, CUSTOMER, OTHER}
    assert found[BAD].evidence == ("sample:1", "t0", "t1", "t3")
    customer = found[CUSTOMER]
    assert customer.level is Level.ALERT
    assert customer.rule == "counterparty_of_listed_wallet"
    assert dict(customer.features)["sent_to_listed"] == 100.01
    assert dict(customer.features)["received_from_listed"] == 0
    assert customer.evidence == ("sample:1", "t0", "t3")
    assert customer.first == datetime(1970, 1, 1, 0, tzinfo=UTC)
    assert customer.last == datetime(1970, 1, 1, 3, tzinfo=UTC)
    assert any("sent 100.01 EUR to it" in reason for reason in customer.reasons)
    assert any("received 25.50 EUR from it" in reason for reason in found[OTHER].reasons)
    assert len({finding.id for finding in found.values()}) == 3


def test_money_on_a_chain_goes_by_its_symbol() -> None:
    ledger = replace(columns([(CUSTOMER, BAD, 10_000)]), reference=str(BTC))
    found = {finding.subject: finding for finding in WalletIndex([listing(BAD)]).screen_columns(ledger)}
    assert any("received 100.00 BTC in" in reason for reason in found[BAD].reasons)
    assert any("sent 100.00 BTC to it" in reason for reason in found[CUSTOMER].reasons)


def test_both_directions_are_one_finding() -> None:
    ledger = columns([(CUSTOMER, BAD, 100), (BAD, CUSTOMER, 50)])
    found = [f for f in WalletIndex([listing(BAD)]).screen_columns(ledger) if f.subject == CUSTOMER]
    assert len(found) == 1
    assert dict(found[0].features) == {
        "confidence": 1.0,
        "transfers": 2.0,
        "received_from_listed": 0.5,
        "sent_to_listed": 1.0,
    }


def test_through_a_hub_the_other_side_is_found_with_the_most_that_can_have_passed() -> None:
    ledger = columns([(CUSTOMER, HUB, 300), (OTHER, HUB, 700), (HUB, BAD, 900), (HUB, OTHER, 100)])
    found = {f.subject: f for f in WalletIndex([listing(BAD)]).screen_columns(ledger)}
    assert HUB not in found
    assert dict(found[CUSTOMER].features)["sent_to_listed"] == 3.0
    assert dict(found[OTHER].features)["sent_to_listed"] == 7.0
    assert any("at most" in reason for reason in found[CUSTOMER].reasons)
    assert found[CUSTOMER].evidence == ("sample:1", "t0", "t2")


def test_values_not_known_are_said_and_not_summed() -> None:
    ledger = columns([(CUSTOMER, BAD, -1), (CUSTOMER, BAD, 100)])
    found = {f.subject: f for f in WalletIndex([listing(BAD)]).screen_columns(ledger)}
    assert dict(found[CUSTOMER].features)["sent_to_listed"] == 1.0
    assert any("value of 1 of these" in reason for reason in found[CUSTOMER].reasons)


def test_a_hub_of_unknown_inputs_counts_what_came_out() -> None:
    ledger = columns([(CUSTOMER, HUB, -1), (HUB, BAD, 900)])
    found = {f.subject: f for f in WalletIndex([listing(BAD)]).screen_columns(ledger)}
    assert dict(found[CUSTOMER].features)["sent_to_listed"] == 9.0


def test_the_harmless_is_left_out_of_a_ledger() -> None:
    ledger = columns([(CUSTOMER, BAD, 100)])
    index = WalletIndex([tag(BAD, "exchange", 0.5)])
    assert list(index.screen_columns(ledger)) == []
    assert len(list(index.screen_columns(ledger, least=0.0))) == 2


def test_evidence_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MAX_EVIDENCE", 2)
    found = list(WalletIndex([listing(BAD)]).screen_columns(columns([(CUSTOMER, BAD, 1)] * 5)))
    assert all(len(finding.evidence) == 3 for finding in found)
    assert any("first 2 transfers" in reason for reason in found[0].reasons)


def test_a_self_transfer_of_a_listed_wallet_has_no_counterparty() -> None:
    found = list(WalletIndex([listing(BAD)]).screen_columns(columns([(BAD, BAD, 100)])))
    assert [finding.subject for finding in found] == [BAD]


def test_the_shipped_list_knows_its_wallets(tmp_path: Path, now: datetime) -> None:
    store = ListStore(tmp_path)
    store.bundled(now)
    index = WalletIndex(store.listings())
    assert len(index) == 590
    lazarus = _wallets.typed("0x098B716B8Aaf21512996dC57EB0615e2383E2f96")
    assert index.screen(lazarus)[0].level is Level.ALERT


@pytest.mark.parametrize("transfers", range(1, 6))
def test_looking_wallets_up_in_a_ledger_finds_what_reading_its_accounts_finds(
    transfers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = BAD.rsplit(":", 1)[1]
    ends = [BAD, CUSTOMER, f"eip155:10:{address}", f"eip155:137:{address}", f"listed:USDT:{address}", OTHER]
    ledger = columns([(ends[i], ends[(i * transfers + 1) % 6], i) for i in range(transfers)])
    other = "eip155:1:0x00000000000000000000000000000000c0ffee02"
    index = WalletIndex(
        [listing(BAD), tag(f"listed:USDT:{address}", "mixer", 0.8), listing(other, entry="2")]
    )
    read = list(index.screen_columns(ledger))
    monkeypatch.setattr(addresses, "SCAN_BELOW", 0)
    assert list(index.screen_columns(ledger)) == read != []
