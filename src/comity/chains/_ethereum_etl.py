"""What ethereum-etl exports, as JSON Lines or CSV: blocks, transactions, receipts, logs, transfers, traces.

Source: ethereum-etl, docs/schema.md; BigQuery's crypto_ethereum has the same columns. A CSV may hold several
tables, one after another, each with its own first line: that is how blocks.csv gives the times of a
token_transfers.csv (``cat blocks.csv token_transfers.csv``).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from comity.chains._ethereum_both import place, reward, settle, transfer, withdraw
from comity.chains._ethereum_facts import Credit, Facts, Sent
from comity.chains._evm import Moved, address, digest, movement, quantity, record, small, topics, wrong
from comity.errors import BadInput, TooLarge

ETL = "ethereum-etl"
MAX_LINE = 16 * 1024 * 1024

TABLES = {
    "token_transfers": {
        "token_address",
        "from_address",
        "to_address",
        "value",
        "transaction_hash",
        "log_index",
    },
    "logs": {"log_index", "transaction_hash", "address", "data", "topics", "block_number"},
    "receipts": {"transaction_hash", "cumulative_gas_used", "gas_used", "block_number"},
    "traces": {"trace_type", "trace_address", "from_address", "to_address", "value", "block_number"},
    "transactions": {"hash", "nonce", "from_address", "to_address", "value", "block_number"},
    "blocks": {"number", "hash", "parent_hash", "timestamp"},
    "": {"address", "bytecode"},
    "tokens": {"address", "symbol", "decimals"},
}
"""The columns by which a row is known; contracts and tokens move nothing."""


def table(names: set[str]) -> str | None:
    """Which table has these columns, or None."""
    return next((name for name, needed in TABLES.items() if needed <= names), None)


def row(item: dict[str, Any], facts: Facts) -> None:
    """Keep what one row states; in CSV an empty cell is None. Raises BadInput."""
    kind = table(set(item))
    if kind is None:
        raise BadInput(
            f"neither a node's answer nor an exporter's row: it has {', '.join(sorted(item)[:8])[:120]}",
            why="what it means is not known, so it is not passed over",
            remedy="leave it out of the file, or check that its chain is an EVM chain",
        )
    reader = {
        "token_transfers": _token_transfer,
        "logs": _log,
        "receipts": _receipt,
        "traces": _trace,
        "transactions": _transaction,
        "blocks": _block,
    }.get(kind)
    if reader is None:
        facts.skipped["other"] += 1
    else:
        reader(item, facts)


def _known(item: dict[str, Any], where: str, facts: Facts) -> int:
    """The block of a row: its hash and time are kept where the row states them."""
    number = small(item.get("block_number"), f"{where}: block_number")
    block_hash = item.get("block_hash")
    facts.block(
        number,
        None if block_hash is None else digest(block_hash, f"{where}: block_hash"),
        _seconds(item.get("block_timestamp"), f"{where}: block_timestamp"),
    )
    return number


def _seconds(value: Any, where: str) -> int | None:
    """Seconds since 1970; BigQuery writes a date and UTC."""
    if not isinstance(value, str) or not value.endswith((" UTC", "+00:00", "Z")):
        return None if value is None else small(value, where)
    try:
        time = datetime.fromisoformat(value.replace(" UTC", "+00:00"))
    except ValueError:
        raise wrong(value, "a time", where) from None
    return int(time.timestamp())


def _block(item: dict[str, Any], facts: Facts) -> None:
    number = small(item.get("number"), "a block's number")
    where = f"block {number:,}"
    seconds = _seconds(item.get("timestamp"), f"{where}: timestamp")
    if seconds is None:
        raise wrong(None, "a time", f"{where}: timestamp")
    facts.block(number, digest(item.get("hash"), f"{where}: hash"), seconds)
    given = item.get("withdrawals")
    if isinstance(given, str):  # in CSV the objects stand one after another, without an array around them
        try:
            given = json.loads(f"[{given}]") if not given.startswith("[") else json.loads(given)
        except (ValueError, RecursionError):
            raise wrong(given, "a list of withdrawals", where) from None
    if given is not None and not isinstance(given, list):
        raise wrong(given, "a list of withdrawals", where)
    for withdrawal in given or ():
        withdraw(record(withdrawal, f"{where}: withdrawals"), number, facts)


def _transaction(item: dict[str, Any], facts: Facts) -> None:
    name = digest(item.get("hash"), "a transaction's hash")
    where = f"transaction {name}"
    number = _known(item, where, facts)
    to, gas = item.get("to_address"), item.get("gas")
    sent = Sent(
        number,
        small(item.get("transaction_index") or 0, f"{where}: transaction_index"),
        address(item.get("from_address"), f"{where}: from_address"),
        None if to is None else address(to, f"{where}: to_address"),
        quantity(item.get("value"), f"{where}: value"),
        None if gas is None else quantity(gas, f"{where}: gas"),
    )
    facts.transaction(name, sent)
    used = item.get("receipt_gas_used")
    settle(name, item.get("receipt_status"), item.get("receipt_root"), used, where, facts)
    if item.get("receipt_contract_address") is not None:
        facts.creates(name, address(item["receipt_contract_address"], where))


def _receipt(item: dict[str, Any], facts: Facts) -> None:
    name = digest(item.get("transaction_hash"), "a receipt's transaction_hash")
    where = f"the receipt of {name}"
    _known(item, where, facts)
    facts.keep()
    settle(name, item.get("status"), item.get("root"), item.get("gas_used"), where, facts)
    if item.get("contract_address") is not None:
        facts.creates(name, address(item["contract_address"], f"{where}: contract_address"))


def _log(item: dict[str, Any], facts: Facts) -> None:
    name = digest(item.get("transaction_hash"), "a log's transaction_hash")
    where = f"log of {name}"
    number = _known(item, where, facts)
    token = address(item.get("address"), f"{where}: address")
    names = topics(item.get("topics"), f"{where}: topics")
    moved = movement(names, item.get("data") or "", f"{where}: data", wraps=token == facts.wrapped)
    facts.log(name, small(item.get("log_index"), f"{where}: log_index"), number, token, moved)


def _token_transfer(item: dict[str, Any], facts: Facts) -> None:
    name = digest(item.get("transaction_hash"), "a token transfer's transaction_hash")
    where = f"token transfer of {name}"
    number = _known(item, where, facts)
    facts.skipped["table"] += 1
    token = address(item.get("token_address"), f"{where}: token_address")
    moved = Moved(
        address(item.get("from_address"), f"{where}: from_address")[2:],
        address(item.get("to_address"), f"{where}: to_address")[2:],
        quantity(item.get("value"), f"{where}: value"),
    )
    facts.log(name, small(item.get("log_index"), f"{where}: log_index"), number, token, moved)


def _trace(item: dict[str, Any], facts: Facts) -> None:
    number = _known(item, "a trace", facts)
    what, value = item.get("trace_type"), item.get("value")
    sender, receiver = item.get("from_address"), item.get("to_address")
    if what == "reward":
        reward(number, item.get("reward_type"), receiver, value, facts)
        return
    if what in ("genesis", "daofork"):
        where = f"a trace of the {what}"
        to = address(receiver, f"{where}: to_address")
        origin = "genesis" if what == "genesis" else address(sender, f"{where}: from_address")
        name = to if what == "genesis" else origin
        facts.credit(f"{what}:{name}", Credit(number, origin, to, quantity(value, f"{where}: value")))
        return
    name = digest(item.get("transaction_hash"), "a trace's transaction_hash")
    steps = item.get("trace_address")
    if isinstance(steps, str):
        steps = steps.split(",") if steps else None
    path = place(steps, f"a trace of {name}")
    where = f"call {'_'.join(map(str, path)) or '(outermost)'} of {name}"
    status = item.get("status")
    stands = None if status is None else quantity(status, f"{where}: status", 2) == 1
    failed = stands is False or item.get("error") is not None
    move = None if failed else transfer(what, item.get("call_type"), sender, receiver, value, where)
    calls = facts.traced(name, number, ETL)
    facts.call(calls, path, move, failed, where)
    if stands:
        calls.sure.add(path)


def rows(head: bytes, stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """The rows of one or several tables of CSV. Raises BadInput, TooLarge, naming the line."""
    names: list[str] = []
    number = 0
    data = head + stream.readline(MAX_LINE)
    while data:
        number += 1
        cells = _cells(data, number)
        if cells and table(set(cells)) is not None:
            names = cells
            if len(set(names)) != len(names):
                raise BadInput(f"line {number:,}: a column is there twice", remedy="rename one of them")
        elif cells:
            if len(cells) != len(names):
                raise BadInput(
                    f"line {number:,}: {len(cells):,} cells where the header has {len(names):,}",
                    why="the file is damaged, or its first line is not that of a table of ethereum-etl",
                    remedy="export it again",
                )
            yield {name: cell or None for name, cell in zip(names, cells, strict=True)}
        data = stream.readline(MAX_LINE)


def _cells(data: bytes, number: int) -> list[str]:
    if len(data) >= MAX_LINE:
        raise TooLarge(f"line {number:,} has more than {MAX_LINE:,} bytes", remedy="export it again")
    try:
        line = data.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInput(f"line {number:,}: not UTF-8", remedy="export it again") from None
    if '"' not in line:
        return line.split(",") if line else []
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise BadInput(
            f"line {number:,}: not CSV", why=str(error), remedy="export it again, one row a line"
        ) from None
