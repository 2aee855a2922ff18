from __future__ import annotations

import io
from pathlib import Path

import pytest

from comity import intake, plugins
from comity.errors import BadInput, TooLarge
from comity.lists import _packs, _yaml, tagpack
from comity.model import Identifier, Listing


def read(data: bytes = tagpack.SAMPLE) -> list[Listing]:
    return list(tagpack.read(io.BytesIO(data)).listings)


def test_tags_that_agree_are_one_listing() -> None:
    locker, exchange = read()
    assert locker.party.name == "Samplelocker"
    assert locker.programmes == ("ransomware",)
    assert locker.confidence == 0.5
    assert "forensic" in locker.remarks
    assert len(exchange.wallets) == 2
    assert exchange.party.aliases == ("sampleexchange",)
    assert exchange.party.identifiers == (Identifier("actor", "sampleexchange"),)
    assert locker.party.identifiers == ()
    assert exchange.source == "urn:comity:sample"


def test_the_word_of_confidence_has_a_published_figure() -> None:
    assert read(tagpack.SAMPLE.replace(b"forensic", b"ownership"))[0].confidence == 1.0
    unknown = read(tagpack.SAMPLE.replace(b"forensic", b"hearsay"))[0]
    assert unknown.confidence == tagpack.CONFIDENCE["unknown"]
    assert "hearsay" in unknown.remarks
    assert read(tagpack.SAMPLE.replace(b"confidence: forensic\n", b""))[0].confidence == 0.05


def test_scalars_are_text() -> None:
    entry = read(tagpack.SAMPLE.replace(b"Samplelocker", b"no"))[0]
    assert entry.party.name == "no"


def test_concepts_are_categories_too() -> None:
    data = tagpack.SAMPLE.replace(b"abuse: ransomware", b"concepts: [ransomware, extortion]")
    assert read(data)[0].programmes == ("ransomware", "extortion")


def test_a_network_goes_before_a_currency() -> None:
    data = tagpack.SAMPLE.replace(b"  label: Samplelocker", b"  label: Samplelocker\n  network: LTC")
    assert read(data)[0].wallets[0].chain == "listed:LTC"


def test_tags_of_transactions_are_left_out() -> None:
    data = tagpack.SAMPLE.replace(b"address: 1BitcoinEaterAddressDontSendf59kuE", b"tx_hash: " + b"ab" * 32)
    assert [entry.party.name for entry in read(data)] == ["Sample Exchange"]


def test_without_a_date_any_dated_pack_is_newer() -> None:
    assert (
        tagpack.read(io.BytesIO(tagpack.SAMPLE.replace(b"lastmod: 2026-02-03\n", b""))).version
        == "1970-01-01"
    )


def test_the_latest_day_of_any_tag_is_the_version() -> None:
    data = tagpack.SAMPLE.replace(
        b"  label: Samplelocker", b"  label: Samplelocker\n  lastmod: 2026-05-06 12:00:00.5"
    )
    assert tagpack.read(io.BytesIO(data)).version == "2026-05-06T12:00:00Z"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"tags:", b"actors:", "not a TagPack"),
        (b"lastmod: 2026-02-03", b"lastmod: soon", "lastmod"),
        (b"- address: 1BitcoinEaterAddressDontSendf59kuE\n", b"- note: x\n", "tag 1"),
        (b"currency: BTC\n", b"", "tag 1"),
        (b"  label: Samplelocker\n", b"", "tag 1"),
        (b"  label: Samplelocker\n", b"  label: {a: b}\n", "label is not text"),
        (b"tags:\n", b"tags:\n- just text\n", "tag 1 is not a mapping"),
    ],
)
def test_what_is_wrong_is_named(old: bytes, new: bytes, what: str) -> None:
    assert old in tagpack.SAMPLE
    with pytest.raises(BadInput, match=what):
        read(tagpack.SAMPLE.replace(old, new))


def test_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_packs, "MAX_ITEMS", 2)
    with pytest.raises(TooLarge, match="tags"):
        read()
    monkeypatch.setattr(_packs, "MAX_BYTES", 100)
    with pytest.raises(TooLarge, match="bytes"):
        read()


BOMB = b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    "data",
    [
        BOMB,
        b"a: &x 1\n",
        b"a: 1\na: 2\n",
        b"? [a, b]\n: 1\n",
        b"a: 1\n---\nb: 2\n",
        b"a: [1, 2\n",
        b"a: \xff\n",
        b"",
    ],
)
def test_yaml_that_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        _yaml.load(data)


def test_yaml_tags_construct_nothing() -> None:
    assert _yaml.load(b"a: !!python/object/apply:os.system [echo]\nb: !!int 3\n") == {"a": ["echo"], "b": "3"}


def test_deep_and_long_yaml_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge):
        _yaml.load(b"[" * 20 + b"]" * 20)
    with pytest.raises(BadInput):
        _yaml.load(b"[" * 100_000)
    monkeypatch.setattr(_yaml, "MAX_NODES", 10)
    with pytest.raises(TooLarge):
        _yaml.load(b"- a\n" * 20)


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "wallets"),
    [("ransomware", 7_178), ("graphsense_usdt_blacklist", 774), ("hacks", 606), ("mixing_fc2021", 66)],
)
def test_real_packs(data: Path, file: str, wallets: int) -> None:
    with intake.open_source(data / f"tagpacks/{file}.yaml") as stream:
        plugin = plugins.recognise("lists", intake.peek(stream))
        entries = list(plugin.read(stream).listings)
    assert plugin is tagpack
    assert len({wallet for entry in entries for wallet in entry.wallets}) == wallets


@pytest.mark.data
def test_an_actorpack_is_not_a_tagpack(data: Path) -> None:
    with (data / "tagpacks/actorpack.yaml").open("rb") as stream:
        assert not tagpack.sniff(stream.read(4096))
