from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity import intake, plugins
from comity.errors import BadInput, TooLarge
from comity.lists import _packs, actorpack
from comity.model import Identifier, Listing, PartyKind
from comity.screening.store import ListStore


def read(data: bytes = actorpack.SAMPLE) -> list[Listing]:
    return list(actorpack.read(io.BytesIO(data)).listings)


def test_an_actor_is_an_attribution_without_wallets() -> None:
    exchange, mixer = read()
    assert (exchange.entry_id, exchange.party.name) == ("sampleexchange", "Sample Exchange")
    assert exchange.programmes == ("exchange", "organization")
    assert exchange.party.countries == ("SG",)
    assert exchange.party.aliases == ("Sample Exchange Holdings Ltd",)
    assert exchange.party.kind is PartyKind.LEGAL
    assert exchange.party.identifiers == (
        Identifier("actor", "sampleexchange"),
        Identifier("actor", "sampleex"),
        Identifier("uri", "exchange.example"),
    )
    assert exchange.wallets == mixer.wallets == ()
    assert exchange.confidence == 0.05, "a pack that states no confidence is not sure"
    assert mixer.party.countries == ()


def test_what_is_no_country_is_said() -> None:
    (exchange, _) = read(actorpack.SAMPLE.replace(b"  - SG\n", b"  - SG\n  - Atlantis\n"))
    assert exchange.party.countries == ("SG",)
    assert exchange.remarks == "No country's code: ATLANTIS."


def test_the_date_is_the_version() -> None:
    assert actorpack.read(io.BytesIO(actorpack.SAMPLE)).version == "2026-02-03"
    bare = actorpack.SAMPLE.replace(b"lastmod: 2026-02-03\n", b"")
    assert actorpack.read(io.BytesIO(bare)).version == "1970-01-01"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"actors:", b"tags:", "not an ActorPack"),
        (b"- id: sampleexchange\n ", b"-", "actor 1 has no id"),
        (b"  label: Sample Mixer\n", b"", "actor 2 has no id or no label"),
        (b"- id: samplemixer", b"- just text\n- id: samplemixer", "actor 2"),
        (b"  label: Sample Mixer\n", b"  label: {a: b}\n", "label is not text"),
        (b"samplemixer", b"sampleexchange", "two entries"),
        (b"lastmod: 2026-02-03", b"lastmod: soon", "lastmod"),
    ],
)
def test_what_is_refused(old: bytes, new: bytes, what: str) -> None:
    assert old in actorpack.SAMPLE
    with pytest.raises(BadInput, match=what):
        read(actorpack.SAMPLE.replace(old, new, 1))


def test_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_packs, "MAX_ITEMS", 1)
    with pytest.raises(TooLarge):
        read()
    monkeypatch.setattr(_packs, "MAX_BYTES", 100)
    with pytest.raises(TooLarge):
        read()


def test_it_is_stored_like_any_list(tmp_path: Path) -> None:
    path = tmp_path / "actors.yaml"
    path.write_bytes(actorpack.SAMPLE)
    store = ListStore(tmp_path / "lists")
    summary = store.load(path, now=datetime(2026, 3, 1, tzinfo=UTC))
    assert (summary.list, summary.entries, summary.wallets) == ("actorpack.comity-sample-actors", 2, 0)
    assert list(store.listings()) == read()


@pytest.mark.data
def test_the_real_pack(data: Path) -> None:
    with intake.open_source(data / "tagpacks" / "actorpack.yaml") as stream:
        plugin = plugins.recognise("lists", intake.peek(stream))
        assert plugin is actorpack
        edition = plugin.read(stream)
        found = {one.entry_id: one for one in edition.listings}
    assert (edition.list_id, edition.version) == ("actorpack.graphsense-actors", "2023-02-17")
    assert len(found) == 3_813
    assert found["mtgox"].party.countries == ("JP",)
    assert "MT" in found["binance"].party.countries and "exchange" in found["binance"].programmes
