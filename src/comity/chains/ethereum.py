"""Ethereum and its kin: what a node answers and what ethereum-etl exports, read into exact transfers.

Sources: Ethereum JSON-RPC (execution-apis), the trace module, Geth's callTracer, ethereum-etl's schema;
EIP-20, 155, 658 and 4895; CAIP-2, 10 and 19; SLIP-44. A file is one answer, an array, or one a line; or
CSV. Its parts may come in any order; a transfer is given once, however often the file states it.

- ``HASH:value``: what a transaction itself pays. ``HASH:call:0_1``: what a call within it pays, at that
  place in its tree, or a contract made or destroyed there. ``HASH:log:N``: a token (``CHAIN/erc20:0x…``);
  to wrap or unwrap the coin is a transfer between an account and the contract. ``reward:…``,
  ``withdrawal:N``, ``genesis:…``, ``daofork:…``: coins from outside, from ``CHAIN:coinbase`` and the like.
- What failed moves nothing: a transaction of status 0, a call with an error and every call within it.
  Nothing is made of a transfer of zero, a collectible (ERC-721), or a `Transfer` event of another form.
- Fees have no transfer, as on Bitcoin (ADR 0004): an account of fees would join everyone.
- A contract whose address is not stated is ``CHAIN:new-HASH``. Time is the block's.
- What the ledger holds already, from another answer, is not given again; if it differs, Conflict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from comity.chains import ChainSpec, Intake
from comity.chains import _ethereum_etl as etl
from comity.chains import _ethereum_rpc as rpc
from comity.chains._ethereum_facts import Facts
from comity.chains._ethereum_transfers import Maker, Settled, settle
from comity.chains._evm import NFT, ODD
from comity.chains._evm_tokens import WRAPPED, Tokens
from comity.chains._json_stream import values
from comity.errors import BadInput
from comity.model import ETH, AssetId, Transfer

COINS = {
    1: 60,
    10: 60,
    25: 394,
    30: 137,
    56: 714,
    61: 61,
    100: 700,
    137: 966,
    250: 1007,
    8453: 60,
    42161: 60,
    43114: 9005,
    59144: 60,
    534352: 60,
}
"""A chain's own coin by its number in SLIP-44; rollups of Ethereum pay in ether.

Not here: chains whose coin is at once a token with events of its own (zkSync Era, Celo): a payment would
be read twice.
"""

TRON_ID = 728126428

SPEC = ChainSpec(
    id="ethereum",
    title="Ethereum and other EVM chains: a node's answers, ethereum-etl's exports",
    source="Ethereum JSON-RPC; OpenEthereum's and Geth's traces; ethereum-etl; EIP-20, 155, 658, 4895",
    options={
        "chain_id": "the chain's number of EIP-155 (1, Ethereum, is the default)",
        "coin": "the SLIP-44 number of the chain's own coin, where the chain is not known here",
        "decimals": "decimal places of tokens that are not known here: TOKEN:PLACES,TOKEN:PLACES",
        "receipts": "required: refuse a payment that no receipt, log or trace proves to have taken effect",
    },
    reference=str(ETH),
)

_A, _B, _C = ("0x" + digits * 20 for digits in ("a1", "b2", "c3"))
_USDT = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
_BLOCK, _PAID, _TOKEN, _FAILED = ("0x" + digits * 32 for digits in ("0b", "01", "02", "03"))
_IN = f'"blockHash":"{_BLOCK}","blockNumber":"0x1312d00"'
_TOPIC = "0x" + "0" * 24
SAMPLE = f"""\
{{"jsonrpc":"2.0","id":1,"result":{{"number":"0x1312d00","hash":"{_BLOCK}","parentHash":"0x{"0a" * 32}",
 "timestamp":"0x66524b4b","miner":"{_C}","transactions":[
 {{"hash":"{_PAID}",{_IN},"transactionIndex":"0x0","type":"0x2","chainId":"0x1","nonce":"0x7","gas":"0x15f90",
  "from":"{_A}","to":"{_B}","value":"0x14d1120d7b160000","input":"0x"}},
 {{"hash":"{_TOKEN}",{_IN},"transactionIndex":"0x1","type":"0x2","chainId":"0x1","nonce":"0x8","gas":"0x15f90",
  "from":"{_A}","to":"{_USDT}","value":"0x0","input":"0xa9059cbb"}},
 {{"hash":"{_FAILED}",{_IN},"transactionIndex":"0x2","type":"0x2","chainId":"0x1","nonce":"0x9","gas":"0x5208",
  "from":"{_A}","to":"{_B}","value":"0xde0b6b3a7640000","input":"0x"}}],
 "withdrawals":[{{"index":"0x2a","validatorIndex":"0x7","address":"{_C}","amount":"0x1194f32"}}]}}}}
{{"jsonrpc":"2.0","id":2,"result":[
 {{"transactionHash":"{_PAID}",{_IN},"contractAddress":null,"gasUsed":"0xa410","status":"0x1","logs":[]}},
 {{"transactionHash":"{_TOKEN}",{_IN},"contractAddress":null,"gasUsed":"0xb41d","status":"0x1","logs":[
  {{"address":"{_USDT}","topics":["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
   "{_TOPIC}{_A[2:]}","{_TOPIC}{_B[2:]}"],"data":"0x{2_500_000:064x}",{_IN},
   "transactionHash":"{_TOKEN}","transactionIndex":"0x1","logIndex":"0x0","removed":false}}]}},
 {{"transactionHash":"{_FAILED}",{_IN},"contractAddress":null,"gasUsed":"0x5208","status":"0x0","logs":[]}}]}}
{{"jsonrpc":"2.0","id":3,"result":[{{"txHash":"{_PAID}","result":{{"type":"CALL","from":"{_A}","to":"{_B}",
 "value":"0x14d1120d7b160000","gas":"0x15f90","gasUsed":"0xa410","input":"0x","calls":[
 {{"type":"CALL","from":"{_B}","to":"{_C}","value":"0x3782dace9d90000","gas":"0x8fc","gasUsed":"0x0","input":"0x"}}
 ]}}}}]}}
""".encode()
SAMPLE_TRANSFERS = 4

_OWN = re.compile(
    rb'"(?:logsBloom|parentHash|transactionHash|txHash|traceAddress|transactionIndex|logIndex'
    rb"|parent_hash|transaction_hash|trace_address|log_index|from_address|token_address)\"[ \t\r\n]*:"
)
_OTHERS = re.compile(rb'"(?:block_header|raw_data|txID|blockTimeStamp|contractRet|blockhash)"[ \t\r\n]*:')


def sniff(head: bytes) -> bool:
    """JSON with names that only EVM nodes and their exporters use, or the first line of an export."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if start[:1] in (b"{", b"["):
        return _OWN.search(start) is not None and _OTHERS.search(start) is None
    try:
        names = start.split(b"\n", 1)[0].decode("ascii").strip().split(",")
    except UnicodeDecodeError:
        return False
    return bool(etl.table(set(names)))


def read(stream: BinaryIO, intake: Intake) -> Iterator[Transfer]:
    """Every transfer that took effect, by block. Raises BadInput, TooLarge or Conflict."""
    chain_id, coin = _chain(intake)
    chain = f"eip155:{chain_id}"
    tokens = Tokens.of(chain, intake.options.get("decimals", ""))
    proof = intake.options.get("receipts", "")
    if proof not in {"", "required"}:
        raise BadInput(f"receipts: {proof[:40]!r}", remedy="write receipts=required, or leave it out")
    facts = Facts(intake.now, chain_id, WRAPPED.get(chain, ""))
    head = stream.read(1)
    while head and not head[-1:].strip(b" \t\r\n\xef\xbb\xbf"):
        head = stream.read(1)
    if head in (b"{", b"["):
        for value in values(stream, ("result",), head):
            rpc.take(value, facts)
    else:
        for row in etl.rows(head, stream):
            etl.row(row, facts)
    found = settle(facts)
    if found.unproven and proof:
        raise BadInput(
            f"{len(found.unproven):,} payments are not proved to have taken effect: {found.unproven[0]} …",
            why="a block lists transactions that failed, too",
            remedy="put eth_getBlockReceipts of the block into the same file, or leave out receipts=required",
        )
    intake.transactions += len(
        facts.transactions.keys() | facts.calls.keys() | facts.outcomes.keys() | facts.gas_used.keys()
    )
    maker = Maker(facts, intake, tokens, AssetId(f"{chain}/slip44:{coin}"))
    yield from maker.transfers(found.rows)
    intake.notes += [*_notes(facts, found, maker), *tokens.notes()]


def _chain(intake: Intake) -> tuple[int, int]:
    numbers = {}
    for name in ("chain_id", "coin"):
        text = intake.options.get(name)
        if text is not None and not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text)):
            raise BadInput(f"{name}: {text[:40]!r} is not a number", remedy=f"write for example {name}=60")
        numbers[name] = None if text is None else int(text)
    chain_id = numbers["chain_id"] or 1
    if chain_id == TRON_ID:
        raise BadInput(
            "Tron is not read through its copy of Ethereum's interface",
            why="its accounts are written T…, and so must be the same in every list and ledger",
            remedy="fetch /wallet/getblockbynum and /wallet/gettransactioninfobyblocknum instead",
        )
    coin = numbers["coin"] or COINS.get(chain_id)
    if coin is None:
        raise BadInput(
            f"the coin of chain {chain_id:,} is not known here",
            why="its amounts need an asset, and none is guessed",
            remedy="give its number in SLIP-44, for example coin=60 for ether",
        )
    return chain_id, coin


def _notes(facts: Facts, found: Settled, maker: Maker) -> list[str]:
    kinds = list(facts.aside.values())
    said = [
        (
            len(found.unproven),
            "payments stand in blocks only: that they took effect is not proved; add receipts",
        ),
        (found.failed, "transfers were undone with their transaction or call, and moved nothing"),
        (found.empty, "transactions and token events of zero moved nothing"),
        (found.nameless, "contracts were made whose address the file does not state"),
        (found.unknown, "transactions are named by blocks only: ask for blocks with whole transactions"),
        (kinds.count(NFT), "transfers of collectibles (ERC-721) are no amounts, and left out"),
        (
            kinds.count(ODD),
            "Transfer events of another form than ERC-20's may be no amounts, and are left out",
        ),
        (facts.skipped["removed"], "logs of blocks that the chain has left are left out"),
        (facts.skipped["other"], "answers and rows about other things than transfers are left out"),
        (maker.held, "transfers are in the ledger already, and not added again"),
    ]
    if facts.skipped["table"] and maker.tokens.unknown:
        said.append((facts.skipped["table"], "rows of token_transfers do not tell amounts from collectibles"))
    return [f"{count:,} {what}" for count, what in said if count]
