from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest

from comity import intake
from comity.errors import BadInput
from comity.lists import ofac_sdn
from comity.model import BITCOIN, ETHEREUM, TRON, AccountId, Identifier, Listing, PartyKind


def read(data: bytes = ofac_sdn.SAMPLE) -> list[Listing]:
    return list(ofac_sdn.read(io.BytesIO(data)).listings)


def test_a_person() -> None:
    person = read()[0]
    assert person.party.name == "Orsolo VANTERMEER"
    assert person.party.kind is PartyKind.NATURAL
    assert person.party.aliases == ("Orso VAN TERMEER", "THE FERRYMAN")
    assert person.party.birth_date == "1971-03-25"
    assert person.party.countries == ("MT",)
    assert person.party.identifiers == (
        Identifier("birth_date", "1970/1972"),
        Identifier("passport", "X0000001", "MT"),
    )
    assert person.programmes == ("SAMPLE", "CYBER2")
    assert [wallet.chain for wallet in person.wallets] == [BITCOIN, ETHEREUM]
    assert person.source == "OFAC SDN list of 2026-02-03"
    assert "Weak aliases: THE FERRYMAN." in person.remarks


def test_organisations_and_vessels() -> None:
    _, company, vessel = read()
    assert company.party.kind is PartyKind.LEGAL
    assert company.party.addresses == ("1 Sample Quay, Valletta, Malta",)
    assert vessel.party.kind is PartyKind.UNKNOWN


def test_any_namespace_or_none() -> None:
    assert b'xmlns="urn:comity:sample"' in ofac_sdn.SAMPLE
    assert read(ofac_sdn.SAMPLE.replace(b' xmlns="urn:comity:sample"', b"")) == read()


def test_fewer_entries_than_the_file_says_are_refused() -> None:
    with pytest.raises(BadInput, match="3 entries where the file says 4"):
        read(ofac_sdn.SAMPLE.replace(b"Record_Count>3<", b"Record_Count>4<"))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"02/03/2026", b"2026-02-03", "Publish_Date"),
        (b"Record_Count>3<", b"Record_Count>many<", "Record_Count"),
        (b"<uid>1</uid><firstName>", b"<firstName>", "without its uid"),
        (b"<lastName>QUILLFEATHER STAR</lastName>", b"", "without a name"),
        (b"sdnList", b"sdnLost", "not an OFAC SDN list"),
        (b"publshInformation", b"somethingElse", "not an OFAC SDN list"),
    ],
)
def test_what_is_missing_is_named(old: bytes, new: bytes, what: str) -> None:
    assert old in ofac_sdn.SAMPLE
    with pytest.raises(BadInput, match=what):
        read(ofac_sdn.SAMPLE.replace(old, new))


def test_a_bad_wallet_is_noted_and_the_rest_kept() -> None:
    data = ofac_sdn.SAMPLE.replace(b"1BitcoinEaterAddressDontSendf59kuE", "кошелёк".encode())
    person = read(data)[0]
    assert len(person.wallets) == 1
    assert "Not screened" in person.remarks


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(BadInput):
        read(ofac_sdn.SAMPLE.replace(b"A fictional person.", b"x" * 30_000))


@pytest.mark.data
def test_the_real_list(data: Path) -> None:
    with intake.open_source(data / "sanctions/ofac_sdn_2024-05-07.xml.gz") as stream:
        edition = ofac_sdn.read(stream)
        entries = list(edition.listings)
    assert edition.version == "2024-05-07"
    assert len(entries) == 14_966
    wallets = [wallet for entry in entries for wallet in entry.wallets]
    assert len({wallet.address for wallet in wallets}) == 587
    assert not any("Not screened" in entry.remarks for entry in entries)
    chains = Counter(wallet.chain for wallet in set(wallets))
    assert chains[BITCOIN] == 390
    # listed under XBT, and a Tron address by its checksum
    assert AccountId(f"{TRON}:TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq") in wallets
    # only codes without a published chain id, and one transaction id given as a Monero address
    listed = {chain for chain in chains if chain and chain.startswith("listed:")}
    assert listed == {"listed:BTG", "listed:DASH", "listed:XMR", "listed:XVG", "listed:ZEC"}
    assert sum(bool(entry.party.birth_date) for entry in entries) > 6_000
    kinds = Counter(entry.party.kind for entry in entries)
    assert (kinds[PartyKind.NATURAL], kinds[PartyKind.LEGAL]) == (6_855, 6_884)
