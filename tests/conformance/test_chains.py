"""What every reader of a ledger holds to. A new file under chains/ is found by itself."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from comity import codec, plugins
from comity.chains import ChainSpec, Intake
from comity.errors import BadInput, ComityError
from comity.model import AccountId, AssetId, Transfer

NAMES = plugins.names("chains")


def read(name: str, data: bytes, now: datetime) -> tuple[list[Transfer], Intake]:
    intake = Intake(now)
    return list(plugins.load("chains", name).read(io.BytesIO(data), intake)), intake


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_reads(name: str):
    spec = plugins.load("chains", name).SPEC
    assert isinstance(spec, ChainSpec)
    assert spec.id == name
    assert spec.title
    assert spec.source
    assert all(spec.options.values())


@pytest.mark.parametrize("name", NAMES)
def test_it_alone_recognises_its_sample(name: str):
    sample = plugins.load("chains", name).SAMPLE
    assert [other for other in NAMES if plugins.load("chains", other).sniff(sample[:4096])] == [name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("head", [b"", b"\0" * 100, b"\xff" * 100, b"{}", b"<a/>", b"hello\n"])
def test_it_does_not_claim_what_is_not_its_own(name: str, head: bytes):
    assert not plugins.load("chains", name).sniff(head)


@pytest.mark.parametrize("name", NAMES)
def test_its_sample_gives_sound_transfers(name: str, now: datetime):
    module = plugins.load("chains", name)
    transfers, intake = read(name, module.SAMPLE, now)
    assert len(transfers) == module.SAMPLE_TRANSFERS > 0
    assert 0 < intake.transactions <= len(transfers)
    assert len({transfer.id for transfer in transfers}) == len(transfers)
    for transfer in transfers:
        assert transfer.time.tzinfo is UTC
        assert AccountId.parse(str(transfer.originator)) == transfer.originator
        assert AccountId.parse(str(transfer.beneficiary)) == transfer.beneficiary
        if transfer.amount is not None:
            assert AssetId.parse(str(transfer.amount.asset)) == transfer.amount.asset
            assert transfer.amount.quantity >= 0
        assert codec.from_json(Transfer, codec.to_json(transfer)) == transfer


@pytest.mark.parametrize("name", NAMES)
def test_reading_twice_gives_the_same(name: str, now: datetime):
    sample = plugins.load("chains", name).SAMPLE
    assert read(name, sample, now)[0] == read(name, sample, now)[0]


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_nothing_from_before_it_happened(name: str):
    with pytest.raises(BadInput):
        read(name, plugins.load("chains", name).SAMPLE, datetime(1990, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("name", NAMES)
def test_damage_is_refused_or_harmless_and_never_a_crash(name: str, now: datetime):
    sample = plugins.load("chains", name).SAMPLE
    step = max(1, len(sample) // 200)
    refused = 0
    for at in range(0, len(sample), step):
        for data in (sample[:at], sample[:at] + bytes([sample[at] ^ 0x55]) + sample[at + 1 :]):
            try:
                read(name, data, now)
            except ComityError as error:
                assert error.what
                refused += 1
    assert refused > 50
