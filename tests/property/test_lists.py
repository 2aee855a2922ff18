"""Whatever the bytes: a list is read, or refused with an error of ours."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity import plugins
from comity.errors import BadInput
from comity.lists import _wallets, _yaml, extract
from comity.lists.extract import Header, lines
from comity.model import AccountId, Identifier, Listing, ListingKind, Party, PartyKind

NAMES = plugins.names("lists")
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
NAME = TEXT.filter(bool)


@pytest.mark.parametrize("name", NAMES)
@given(at=st.integers(0, 5_000), cut=st.integers(0, 40), put=st.binary(max_size=20))
def test_a_changed_sample_is_read_or_refused(name: str, at: int, cut: int, put: bytes) -> None:
    plugin = plugins.load("lists", name)
    at %= len(plugin.SAMPLE)
    data = plugin.SAMPLE[:at] + put + plugin.SAMPLE[at + cut :]
    try:
        entries = list(plugin.read(io.BytesIO(data)).listings)
    except BadInput:
        return
    assert all(isinstance(entry, Listing) for entry in entries)


@given(st.binary(max_size=200))
def test_any_yaml_is_read_or_refused(data: bytes) -> None:
    try:
        found = _yaml.load(data)
    except BadInput:
        return
    assert isinstance(found, (str, list, dict))


@given(code=TEXT, address=TEXT)
def test_a_wallet_is_canonical_or_refused(code: str, address: str) -> None:
    try:
        account = _wallets.canonical(code, address)
    except BadInput:
        return
    assert AccountId.parse(account.value) == account


@given(st.sampled_from(["ETH", "USDT", "BSC", "KCS"]), st.integers(0, 2**160 - 1))
def test_case_never_tells_evm_addresses_apart(code: str, number: int) -> None:
    address = f"0x{number:040x}"
    assert _wallets.canonical(code, address) == _wallets.canonical(code, "0x" + address[2:].upper())


listings = st.builds(
    Listing,
    list_id=st.just("mine"),
    entry_id=NAME,
    kind=st.sampled_from(ListingKind),
    party=st.builds(
        Party,
        name=NAME,
        kind=st.sampled_from(PartyKind),
        aliases=st.lists(TEXT, max_size=3).map(tuple),
        birth_date=st.sampled_from(["", "1971", "1971-03-25"]),
        identifiers=st.lists(st.builds(Identifier, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    ),
    confidence=st.floats(0, 1),
    remarks=TEXT,
)


@given(st.lists(listings, max_size=5, unique_by=lambda listing: listing.entry_id))
def test_an_extract_gives_back_what_was_put_in(entries: list[Listing]) -> None:
    header = Header("mine", "2026-02-03", "o", "t", len(entries))
    data = b"".join(lines(header, entries))
    assert list(extract.read(io.BytesIO(data)).listings) == entries
