"""Tron: what a java-tron node answers over HTTP, read into exact transfers.

Sources: java-tron's HTTP API as developers.tron.network gives it (`getblock`, `getblockbynum`,
`getblockbylimitnext`, `gettransactioninfobyblocknum`, `gettransactioninfobyid`) and its protocol buffers;
TRC-10, TRC-20; CAIP-2 and 10 of the namespace tron. A file is one answer, an array, or one a line.

- From a block: ``TXID:value``: TRX that a transaction pays (a transfer, a call, the making of a contract, a
  purchase in a token's sale); ``TXID:token``: a TRC-10 token (``CHAIN/trc10:1002000``).
- From the information on transactions: ``TXID:log:N``: a TRC-20 token (``CHAIN/trc20:T…``);
  ``TXID:internal:N:K``: TRX or a TRC-10 token that a contract pays. Blocks alone show neither.
- What did not succeed moves nothing: contractRet other than SUCCESS, FAILED, a rejected internal
  transaction. Nothing is made of a zero, of a collectible, of fees, or of staking.
- A contract whose address is not stated is ``CHAIN:new-TXID``. Time is the block's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from comity.chains import ChainSpec, Intake
from comity.chains._evm import NFT, ODD, array, moment, movement, record, shown, topics
from comity.chains._evm_tokens import WRAPPED, Tokens, exact
from comity.chains._json_stream import SPREAD, values
from comity.chains._tron_wire import address, digest, encoded, number, token
from comity.errors import BadInput, TooLarge
from comity.intake import MAX_AMOUNT
from comity.model import TRON, AccountId, Amount, AssetId, Transfer

CHAINS = {"728126428": "main", "2494104990": "Shasta", "3448148188": "Nile"}
MAX_TRANSACTIONS = 3_000_000

SPEC = ChainSpec(
    id="tron",
    title="Tron: blocks and transaction information of a java-tron node",
    source="java-tron's HTTP API; TRC-10, TRC-20; CAIP-2 and CAIP-10 of tron",
    options={
        "chain_id": "728126428, the main network (the default), 2494104990 (Shasta) or 3448148188 (Nile)",
        "decimals": "decimal places of tokens that are not known here: TOKEN:PLACES,TOKEN:PLACES",
    },
    reference=f"{TRON}/slip44:195",
)

_A, _B, _C = ("41" + digits * 20 for digits in ("a1", "b2", "c3"))
_PAID, _CALLED, _FAILED = (digits * 32 for digits in ("d1", "d2", "d3"))
_USDT = "a614f803b6fd780986a42c78ec9c7f77e6ded13c"
_TYPE = "type.googleapis.com/protocol."
_PAD = "0" * 24
SAMPLE = f"""\
{{"blockID":"{"0" * 8}{"ab" * 28}","block_header":{{"raw_data":{{"number":61234567,"timestamp":1714557000000,
 "witness_address":"{_C}","parentHash":"{"cd" * 32}"}},"witness_signature":"00"}},"transactions":[
 {{"ret":[{{"contractRet":"SUCCESS"}}],"txID":"{_PAID}","raw_data":{{"contract":[{{"parameter":{{"value":{{
  "amount":1500000,"owner_address":"{_A}","to_address":"{_B}"}},"type_url":"{_TYPE}TransferContract"}},
  "type":"TransferContract"}}],"timestamp":1714556990000}},"signature":["00"]}},
 {{"ret":[{{"contractRet":"SUCCESS"}}],"txID":"{_CALLED}","raw_data":{{"contract":[{{"parameter":{{"value":{{
  "data":"a9059cbb","owner_address":"{_A}","contract_address":"41{_USDT}"}},
  "type_url":"{_TYPE}TriggerSmartContract"}},"type":"TriggerSmartContract"}}]}},"signature":["00"]}},
 {{"ret":[{{"contractRet":"OUT_OF_ENERGY"}}],"txID":"{_FAILED}","raw_data":{{"contract":[{{"parameter":{{"value":{{
  "call_value":9000000,"owner_address":"{_A}","contract_address":"{_C}"}},
  "type_url":"{_TYPE}TriggerSmartContract"}},"type":"TriggerSmartContract"}}]}},"signature":["00"]}}]}}
[{{"id":"{_CALLED}","blockNumber":61234567,"blockTimeStamp":1714557000000,"contractResult":[""],"fee":13844850,
 "contract_address":"41{_USDT}","receipt":{{"result":"SUCCESS","energy_usage_total":64285}},
 "log":[{{"address":"{_USDT}","topics":["ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
  "{_PAD}{_A[2:]}","{_PAD}{_B[2:]}"],"data":"{2_500_000:064x}"}}],
 "internal_transactions":[{{"hash":"{"e5" * 32}","caller_address":"41{_USDT}","transferTo_address":"{_C}",
  "callValueInfo":[{{"callValue":250000}}],"note":"63616c6c"}}]}},
 {{"id":"{_FAILED}","blockNumber":61234567,"blockTimeStamp":1714557000000,"contractResult":[""],"result":"FAILED",
 "resMessage":"","contract_address":"{_C}","receipt":{{"result":"OUT_OF_ENERGY"}}}}]
""".encode()
SAMPLE_TRANSFERS = 3

_OWN = re.compile(rb'"(?:block_header|txID|blockTimeStamp|raw_data|contractResult)"[ \t\r\n]*:')
_NOTES = [
    name if plain else name.encode().hex() for name in ("call", "create", "suicide") for plain in (0, 1)
]
_SURE = frozenset({"TransferContract", "TransferAssetContract", "ParticipateAssetIssueContract"})
"""A block with one of these that failed is invalid, so before they stated it (2018), they succeeded."""
_FINE = (None, "SUCESS", 0)  # the protocol's own spelling
_CALLS = frozenset({"TriggerSmartContract", "CreateSmartContract"})


def sniff(head: bytes) -> bool:
    """JSON with names that only java-tron uses."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1] in (b"{", b"[") and bool(
        _OWN.search(head)
    )


@dataclass(slots=True)
class _Reading:
    chain: str
    intake: Intake
    tokens: Tokens
    wrapped: str
    outcomes: dict[str, bool] = field(default_factory=dict)
    told: dict[str, dict[str, int]] = field(default_factory=lambda: {"block": {}, "information": {}})
    skipped: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    def outcome(self, name: str, succeeded: bool) -> None:
        if self.outcomes.setdefault(name, succeeded) != succeeded:
            raise BadInput(
                f"transaction {name}: one answer says that it succeeded, another that it failed",
                remedy="fetch its block and its information again, from one node",
            )

    def new(self, name: str, part: str, made: tuple[Transfer, ...]) -> bool:
        """Whether this part of a transaction comes for the first time. Raises BadInput when it differs."""
        if not any(name in seen for seen in self.told.values()):
            self.intake.transactions += 1
            if sum(map(len, self.told.values())) >= MAX_TRANSACTIONS:
                raise TooLarge(
                    f"more than {MAX_TRANSACTIONS:,} transactions in one file",
                    remedy="split the file by ranges of blocks",
                )
        content, first = hash(made), name not in self.told[part]
        known = self.told[part].setdefault(name, content)
        if known != content:
            raise BadInput(
                f"transaction {name} is there twice, and differs",
                why="one of the two is of a fork, or was altered",
                remedy="fetch its block again, from one node",
            )
        return first


def read(stream: BinaryIO, intake: Intake) -> Iterator[Transfer]:
    """Transfers in the order of the file. Raises BadInput or TooLarge, naming the transaction."""
    choice = intake.options.get("chain_id", "728126428")
    if choice not in CHAINS:
        raise BadInput(f"no Tron network {choice[:40]!r}", remedy=f"one of: {', '.join(CHAINS)}")
    chain = f"tron:{choice}"
    tokens = Tokens.of(chain, intake.options.get("decimals", ""))
    reading = _Reading(chain, intake, tokens, WRAPPED.get(chain, ""))
    for value in values(stream, ("block",)):
        yield from _answer(value, reading)
    intake.notes += [*_said(reading), *tokens.notes()]


def _said(reading: _Reading) -> list[str]:
    common = ", ".join(f"{name} ({count:,})" for name, count in reading.others.most_common(5))
    said = [
        (reading.skipped["failed"], "transactions did not succeed, and moved nothing"),
        (reading.skipped["unproved"], "calls of contracts without contractRet are left out"),
        (reading.skipped["rejected"], "internal transactions were rejected, and moved nothing"),
        (reading.skipped["zero"], "transfers of zero moved nothing"),
        (reading.skipped[NFT], "transfers of collectibles are no amounts, and left out"),
        (reading.skipped[ODD], "Transfer events of another form than TRC-20's are left out"),
        (reading.others.total(), f"transactions of other kinds are not read as transfers: {common}"),
    ]
    return [f"{count:,} {what}" for count, what in said if count]


def _answer(value: Any, reading: _Reading) -> Iterator[Transfer]:
    if isinstance(value, list):  # an answer in an array of answers
        for inner in value:
            yield from _answer(record(inner, "an answer in an array"), reading)
        return
    item = record(value, "a value at the top")
    if "block_header" in item:
        yield from _block(item, reading)
    elif "blockTimeStamp" in item and "id" in item:
        yield from _information(item, reading)
    elif "block" in item:
        blocks = item["block"]
        for inner in [] if blocks is SPREAD else array(blocks, "block"):
            yield from _answer(inner, reading)
    else:
        said = next((item[name] for name in ("Error", "error", "message") if name in item), None)
        raise BadInput(
            "neither a block nor the information on a transaction"
            + (f": the node says {shown(said)}" if said is not None else ""),
            why="a transaction alone does not state the time of its block"
            if "txID" in item
            else "without block_header or blockTimeStamp it has no time",
            remedy="ask for /wallet/getblockbynum and /wallet/gettransactioninfobyblocknum",
        )


def _block(item: dict[str, Any], reading: _Reading) -> Iterator[Transfer]:
    raw = record(record(item["block_header"], "block_header").get("raw_data"), "block_header: raw_data")
    height = number(raw.get("number"), "a block's number")
    where = f"block {height:,}"
    time = moment(number(raw.get("timestamp"), where) // 1000, where, reading.intake.now)
    block = digest(item.get("blockID"), f"{where}: blockID")
    for transaction in array(item.get("transactions") or [], f"{where}: transactions"):
        yield from _transaction(record(transaction, f"{where}: transactions"), time, block, reading)


def _transaction(item: dict[str, Any], time: datetime, block: str, reading: _Reading) -> Iterator[Transfer]:
    name = digest(item.get("txID"), "a transaction's txID")
    where = f"transaction {name}"
    raw = record(item.get("raw_data"), f"{where}: raw_data")
    contracts = array(raw.get("contract"), f"{where}: contract")
    if len(contracts) != 1:
        raise BadInput(
            f"{where}: {len(contracts):,} contracts",
            why="every transaction has exactly one",
            remedy="get the block again",
        )
    contract = record(contracts[0], f"{where}: contract")
    kind = contract.get("type")
    kind = kind if isinstance(kind, str) and len(kind) < 64 else ""
    made: tuple[Transfer, ...] = ()
    if not _succeeded(item, kind, where, name, reading):
        pass
    elif kind in _SURE or kind in _CALLS:
        parameter = record(contract.get("parameter"), f"{where}: parameter")
        body = record(parameter.get("value"), f"{where}: parameter")
        maker = _Maker(name, time, block, reading)
        made = tuple(_paid(kind, body, item, maker, where))
    else:
        reading.others[kind] += 1
    if reading.new(name, "block", made):
        yield from made


def _succeeded(item: dict[str, Any], kind: str, where: str, name: str, reading: _Reading) -> bool:
    results = array(item.get("ret") or [], f"{where}: ret")
    stated = record(results[0], f"{where}: ret") if results else {}
    result = stated.get("contractRet")
    if result is None and stated.get("code") in _FINE:
        reading.skipped["unproved"] += kind in _CALLS
        return kind not in _CALLS
    succeeded = result == "SUCCESS" and stated.get("code") in _FINE
    reading.outcome(name, succeeded)
    reading.skipped["failed"] += not succeeded
    return succeeded


@dataclass(slots=True)
class _Maker:
    """Transfers of one transaction."""

    name: str
    time: datetime
    block: str
    reading: _Reading

    def make(self, part: str, sender: str, receiver: str, amount: Amount | None) -> Transfer:
        chain = self.reading.chain
        return Transfer(
            id=f"{self.name}:{part}",
            time=self.time,
            originator=AccountId(f"{chain}:{sender}"),
            beneficiary=AccountId(f"{chain}:{receiver}"),
            amount=amount,
            reference=self.block,
        )

    def trx(self, part: str, sender: str, receiver: str, sun: int) -> Iterator[Transfer]:
        if not sun:
            self.reading.skipped["zero"] += 1
            return
        quantity = exact(sun, 6)
        assert quantity < MAX_AMOUNT  # 63 bits of sun
        amount = Amount(quantity, AssetId(f"{self.reading.chain}/slip44:195"))
        yield self.make(part, sender, receiver, amount)

    def held(self, kind: str, part: str, ends: tuple[str, str], what: str, raw: int) -> Iterator[Transfer]:
        if not raw:
            self.reading.skipped["zero"] += 1
            return
        yield self.make(part, *ends, self.reading.tokens.amount(kind, what, raw))


def _paid(
    kind: str, body: dict[str, Any], item: dict[str, Any], maker: _Maker, where: str
) -> Iterator[Transfer]:
    """What the one contract of a transaction moves."""
    sender = address(body.get("owner_address"), f"{where}: owner_address")
    if kind in _SURE:
        receiver = address(body.get("to_address"), f"{where}: to_address")
        amount = number(body.get("amount"), f"{where}: amount")
        if kind != "TransferAssetContract":
            yield from maker.trx("value", sender, receiver, amount)
            return
        visible = str(body.get("owner_address"))[:1] == "T"
        what = token(body.get("asset_name"), f"{where}: asset_name", plain=visible)
        yield from maker.held("trc10", "token", (sender, receiver), what, amount)
        return
    sun = body.get("call_value")
    if kind == "CreateSmartContract":
        sun = record(body.get("new_contract"), f"{where}: new_contract").get("call_value")
        stated = item.get("contract_address")
        receiver = f"new-{maker.name}" if stated is None else address(stated, f"{where}: contract_address")
    else:
        receiver = address(body.get("contract_address"), f"{where}: contract_address")
    yield from maker.trx("value", sender, receiver, number(sun, f"{where}: call_value"))
    if tokens := number(body.get("call_token_value"), f"{where}: call_token_value"):
        what = token(body.get("token_id"), f"{where}: token_id", plain=True)
        yield from maker.held("trc10", "token", (sender, receiver), what, tokens)


def _information(item: dict[str, Any], reading: _Reading) -> Iterator[Transfer]:
    name = digest(item.get("id"), "a transaction's id")
    where = f"transaction {name}"
    time = moment(number(item.get("blockTimeStamp"), where) // 1000, where, reading.intake.now)
    result = record(item.get("receipt") or {}, f"{where}: receipt").get("result")
    succeeded = item.get("result") in _FINE and result in (None, "DEFAULT", "SUCCESS")
    if result not in (None, "DEFAULT") or not succeeded:
        reading.outcome(name, succeeded)
    made: tuple[Transfer, ...] = ()
    if succeeded:
        maker = _Maker(name, time, "", reading)
        logs = array(item.get("log") or [], f"{where}: log")
        calls = array(item.get("internal_transactions") or [], f"{where}: internal_transactions")
        made = (
            *(moved for place, log in enumerate(logs) for moved in _log(log, place, maker)),
            *(moved for place, call in enumerate(calls) for moved in _internal(call, place, maker)),
        )
    if reading.new(name, "information", made):
        yield from made


def _log(value: Any, place: int, maker: _Maker) -> Iterator[Transfer]:
    where = f"log {place:,} of {maker.name}"
    item = record(value, where)
    contract = address(item.get("address"), f"{where}: address", bare=True)
    names = topics(item.get("topics"), f"{where}: topics")
    wraps = contract == maker.reading.wrapped
    moved = movement(names, item.get("data") or "", f"{where}: data", wraps=wraps)
    if isinstance(moved, str):
        maker.reading.skipped[moved] += 1
        return
    sender, receiver = (encoded(party) if party else contract for party in moved[:2])
    yield from maker.held("trc20", f"log:{place}", (sender, receiver), contract, moved.raw)


def _internal(value: Any, place: int, maker: _Maker) -> Iterator[Transfer]:
    where = f"internal transaction {place:,} of {maker.name}"
    item = record(value, where)
    if item.get("rejected") is True:
        maker.reading.skipped["rejected"] += 1
        return
    note = item.get("note")
    if note not in _NOTES:
        maker.reading.others[f"internal {shown(note)}"] += 1
        return
    sender = address(item.get("caller_address"), f"{where}: caller_address")
    for number_, part in enumerate(array(item.get("callValueInfo") or [], f"{where}: callValueInfo")):
        info = record(part, f"{where}: callValueInfo")
        amount = number(info.get("callValue"), f"{where}: callValue")
        if not amount:
            continue
        receiver = address(item.get("transferTo_address"), f"{where}: transferTo_address")
        name = f"internal:{place}:{number_}"
        if info.get("tokenId") in (None, ""):
            yield from maker.trx(name, sender, receiver, amount)
        else:
            what = token(info["tokenId"], f"{where}: tokenId", plain=True)
            yield from maker.held("trc10", name, (sender, receiver), what, amount)
