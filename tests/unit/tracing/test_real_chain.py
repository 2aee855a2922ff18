"""A block of 2019 and blocks 1 to 255 of the main network, clustered and traced."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from comity.chains import Intake, bitcoin
from comity.intake import open_source
from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, Columns
from comity.tracing.cluster import cluster
from comity.tracing.reach import reach
from comity.tracing.trace import Bounds, Direction, Method, Stop, compare, trace

pytestmark = pytest.mark.data
ALL = Bounds(hops=50, min_share=0, max_nodes=20_000)


def columns_of(path: Path) -> Columns:
    with open_source(path) as stream:
        return build(bitcoin.read(stream, Intake(datetime(2026, 11, 23, tzinfo=UTC))), BTC)


@pytest.fixture(scope="module")
def block(data: Path) -> Columns:
    (path,) = (data / "chains" / "bitcoin").glob("block-*.blk")
    return columns_of(path)


@pytest.fixture(scope="module")
def early(data: Path) -> Columns:
    return columns_of(data / "chains" / "bitcoin" / "blocks1-256.bz2")


def wallet(address: str) -> str:
    return f"{BITCOIN}:{address}"


def test_consolidations_are_clusters(block: Columns) -> None:
    """94 inputs of 92 addresses into two outputs: an exchange collects its deposits."""
    hub = block.accounts.index(
        f"{BITCOIN}:tx-1629e97f1711102b19b87bc965fc0d96992530e72e48f2fb72eba723a87a205d"
    )
    payers = {block.accounts[int(a)] for a in block.in_src[block.in_ptr[hub] : block.in_ptr[hub + 1]]}
    found = cluster(block)
    assert len(payers) == 92 and set(found.members(wallet("131JpQyEyVeoyJD99UN1sqDPnP8USd5H3x"))) >= payers
    assert sorted(found.sizes().values())[-4:] == [35, 39, 45, 92]
    assert not block.hub[np.flatnonzero(found.owner != np.arange(block.n_accounts))].any()


def test_who_pays_many_alike_is_no_coinjoin(block: Columns) -> None:
    """Three addresses of one wallet pay sixteen people 0.0006 BTC each."""
    hub = block.accounts.index(
        f"{BITCOIN}:tx-7f43e27fd3331040f32d2033167e670ec0b17a1eba5c8d770ac41ffbe74addd6"
    )
    outs = block.out_value[block.out_ptr[hub] : block.out_ptr[hub + 1]]
    assert (outs == 60_000).sum() == 16
    found = cluster(block)
    assert found.kept_apart == ()
    payers = {int(a) for a in block.in_src[block.in_ptr[hub] : block.in_ptr[hub + 1]]}
    assert len(payers) == 3 and len({int(found.owner[a]) for a in payers}) == 1


def test_in_january_2009_nobody_spent_two_inputs_at_once(early: Columns) -> None:
    assert cluster(early).sizes() == {}


@pytest.mark.parametrize("direction", Direction)
def test_nothing_is_lost_in_a_real_block_by_any_method(block: Columns, direction: Direction) -> None:
    people = np.random.default_rng(20261123).choice(np.flatnonzero(~block.hub), 60, replace=False)
    worth = dict(zip(block.ids, block.value.tolist(), strict=True))
    for person in people:
        for method, found in compare(block, block.accounts[int(person)], direction, bounds=ALL).items():
            assert sum((leaf.value for leaf in found.leaves), Decimal(0)) == found.value, method
            for step in found.steps:
                assert step.estimated or step.value.scaleb(8) <= worth[step.transfer]


@pytest.mark.parametrize("method", Method)
def test_the_first_payment_of_bitcoin_is_traced_by_every_method(early: Columns, method: Method) -> None:
    """Block 9's 50 BTC: 10 to Hal Finney in block 170, and 40 back, which are spent again."""
    start, finney = "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", "1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3"
    found = trace(early, wallet(start), bounds=ALL, method=method)
    ends = {leaf.account.rsplit(":", 1)[1]: leaf.value for leaf in found.leaves}
    assert ends[finney] == 10 and Stop.FEE not in {leaf.reason for leaf in found.leaves}
    back = trace(early, wallet(finney), Direction.BACKWARD, bounds=ALL, method=method)
    assert {leaf.account for leaf in back.leaves} == {wallet("coinbase")} and back.value == 10
    assert reach(early, wallet(start)).found(wallet(finney)) == (1, found.steps[0].time)
