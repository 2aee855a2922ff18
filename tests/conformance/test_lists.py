"""Every reader of lists: its specification, its sample, and what it refuses. Finds new plug-ins by itself."""

from __future__ import annotations

import gzip
import io
import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from comity import intake, plugins
from comity.errors import BadInput
from comity.lists import ListSpec
from comity.model import AccountId, Listing, ListingKind

NAMES = plugins.names("lists")


@pytest.fixture(params=NAMES)
def plugin(request: pytest.FixtureRequest) -> ModuleType:
    return plugins.load("lists", request.param)


def entries(plugin: ModuleType, data: bytes) -> list[Listing]:
    return list(plugin.read(io.BytesIO(data)).listings)


def test_the_readers_are_found() -> None:
    assert {"ofac_sdn", "un_sc", "eu_fsf", "tagpack", "actorpack", "extract"} <= set(NAMES)


def test_specification(plugin: ModuleType) -> None:
    spec = plugin.SPEC
    assert isinstance(spec, ListSpec)
    assert spec.id == plugin.__name__.rsplit(".", 1)[1]
    assert spec.authority and spec.title and spec.terms
    assert spec.at_least >= 1
    assert spec.url == "" or spec.url.startswith("https://")


def test_only_its_own_reader_recognises_a_sample(plugin: ModuleType) -> None:
    head = plugin.SAMPLE[:4096]
    assert [name for name in NAMES if plugins.load("lists", name).sniff(head)] == [plugin.SPEC.id]


def test_no_reader_recognises_something_else(plugin: ModuleType) -> None:
    for head in (b"", b"\x00" * 64, b"<html><body>", b'{"a": 1}', b"a,b\n1,2\n", b"\xff\xfe\x00"):
        assert not plugin.sniff(head)


def test_sample_reads(plugin: ModuleType) -> None:
    edition = plugin.read(io.BytesIO(plugin.SAMPLE))
    found = list(edition.listings)
    assert found
    assert len({entry.entry_id for entry in found}) == len(found)
    for entry in found:
        assert entry.list_id == edition.list_id
        assert entry.entry_id and entry.party.name
        assert 0 < entry.confidence <= 1
        assert entry.kind is ListingKind.ATTRIBUTION or entry.confidence == 1
        assert all(AccountId.parse(wallet.value) == wallet for wallet in entry.wallets)
        assert re.fullmatch(r"|\d{4}(-\d{2}(-\d{2})?)?", entry.party.birth_date)
        assert all(re.fullmatch(r"[A-Z]{2}", country) for country in entry.party.countries)


def test_version_is_iso_8601(plugin: ModuleType) -> None:
    version = plugin.read(io.BytesIO(plugin.SAMPLE)).version
    assert datetime.fromisoformat(version)
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?", version)


def test_reading_twice_gives_the_same(plugin: ModuleType) -> None:
    assert entries(plugin, plugin.SAMPLE) == entries(plugin, plugin.SAMPLE)


def test_a_truncated_file_is_refused_or_gives_fewer_entries_never_others(plugin: ModuleType) -> None:
    """Cut anywhere, a file is refused; only text formats cut at a line's end can still be whole."""
    whole = entries(plugin, plugin.SAMPLE)
    refused = 0
    for cut in range(0, len(plugin.SAMPLE) - 2, 7):
        try:
            entries(plugin, plugin.SAMPLE[:cut])
        except BadInput:
            refused += 1
        else:
            assert plugin.SPEC.id in ("tagpack", "actorpack")
    assert refused
    assert entries(plugin, plugin.SAMPLE) == whole


def test_a_truncated_compressed_file_is_refused(plugin: ModuleType, tmp_path: Path) -> None:
    packed = gzip.compress(plugin.SAMPLE)
    path = tmp_path / "list.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(BadInput), intake.open_source(path) as stream:
        list(plugin.read(stream).listings)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x00\x00\x00",
        b"\xff\xfe<\x00",
        b"<",
        b"{",
        b"[]",
        b"null",
        b"- a\n- b\n",
        b"<a/>",
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        b"\x1f\x8b\x08",
    ],
)
def test_nonsense_is_refused(plugin: ModuleType, data: bytes) -> None:
    with pytest.raises(BadInput):
        entries(plugin, data)


def test_nul_bytes_and_wrong_encodings_are_refused(plugin: ModuleType) -> None:
    middle = len(plugin.SAMPLE) // 2
    for bad in (b"\x00", b"\xc3\x28", b"\xff"):
        with pytest.raises(BadInput):
            entries(plugin, plugin.SAMPLE[:middle] + bad + plugin.SAMPLE[middle:])


def test_doctype_and_entities_are_refused(plugin: ModuleType) -> None:
    if not plugin.SAMPLE.lstrip().startswith(b"<"):
        return  # not XML: there is no DOCTYPE to write
    declared = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    for doctype in (declared, b'<!DOCTYPE x SYSTEM "file:///etc/passwd">'):
        data = plugin.SAMPLE.replace(b"?>", b"?>" + doctype, 1)
        assert doctype in data
        with pytest.raises(BadInput):
            entries(plugin, data)


def test_each_entry_once(plugin: ModuleType) -> None:
    """A second entry of the same id is refused, wherever the format lets one write ids."""
    ids = {
        "ofac_sdn": (b"<uid>2</uid><lastName>", b"<uid>1</uid><lastName>"),
        "un_sc": (b"9000002", b"9000001"),
        "eu_fsf": (b"EU.90.2", b"EU.90.1"),
    }
    if plugin.SPEC.id not in ids:
        return  # its ids cannot be written twice so simply: see the unit tests of its reader
    old, new = ids[plugin.SPEC.id]
    assert old in plugin.SAMPLE
    with pytest.raises(BadInput, match="two entries"):
        entries(plugin, plugin.SAMPLE.replace(old, new))


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "name", "count"),
    [
        ("sanctions/ofac_sdn_2024-05-07.xml.gz", "ofac_sdn", 14_966),
        ("sanctions/un_consolidated_2024-05-15.xml.gz", "un_sc", 875),
        ("sanctions/eu_fsf_full_2024-05-13.xml.gz", "eu_fsf", 4_811),
    ],
)
def test_real_lists(data: Path, file: str, name: str, count: int) -> None:
    with intake.open_source(data / file) as stream:
        plugin = plugins.recognise("lists", intake.peek(stream))
        assert plugin.SPEC.id == name
        ids = [entry.entry_id for entry in plugin.read(stream).listings]
    assert len(ids) == len(set(ids)) == count
    assert count >= plugin.SPEC.at_least


def test_samples_are_our_own_and_differ() -> None:
    samples = [plugins.load("lists", name).SAMPLE for name in NAMES]
    assert all(first != second for first, second in pairwise(samples))
