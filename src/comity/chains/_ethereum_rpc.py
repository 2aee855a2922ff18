"""The answers of an EVM node, by their shape: blocks, transactions, receipts, logs and traces.

Sources: Ethereum's execution APIs (`eth_getBlockByNumber`, `eth_getBlockReceipts`,
`eth_getTransactionReceipt`, `eth_getLogs`); EIP-658 (status), EIP-4895 (withdrawals); the trace module of
OpenEthereum, Erigon, Nethermind and Besu (`trace_block`, `trace_filter`, `trace_transaction`,
`trace_replayBlockTransactions`); Geth's `debug_traceBlockByNumber` with callTracer.
"""

from __future__ import annotations

from typing import Any

from comity.chains import _ethereum_etl as etl
from comity.chains._ethereum_both import place, reward, settle, transfer, unknown, withdraw
from comity.chains._ethereum_facts import MAX_CALLS, Call, Calls, Facts, Path, Sent
from comity.chains._evm import address, array, digest, movement, quantity, record, shown, small, topics
from comity.chains._json_stream import SPREAD
from comity.errors import BadInput

PARITY, GETH = "parity", "geth"
_NOTHING_MOVES = frozenset({"CALLCODE", "DELEGATECALL", "STATICCALL"})
_MOVES = frozenset({"CALL", "CREATE", "CREATE2", "SELFDESTRUCT"})


def take(value: Any, facts: Facts) -> None:
    """Keep what one JSON value of a file states. Raises BadInput."""
    if isinstance(value, list):
        for item in value:
            take(item, facts)
        return
    item = record(value, "a value at the top")
    if "action" in item:
        _parity(item, None, facts)
    elif "txHash" in item:
        _geth(item, facts)
    elif "trace" in item and "transactionHash" in item:
        _replayed(item, facts)
    elif _is_answer(item):
        _answer(item, facts)
    elif "logs" in item and "transactionHash" in item:
        _receipt(item, facts)
    elif "topics" in item and "transactionHash" in item:
        _log(item, facts)
    elif "parentHash" in item:
        _block(item, facts)
    elif "hash" in item and "from" in item and "nonce" in item:
        _transaction(item, facts)
    elif "from" in item and "gasUsed" in item and "type" in item:
        raise BadInput(
            "a call of callTracer without its transaction",
            why="debug_traceTransaction, and Geth before 1.12, do not say which transaction they traced",
            remedy="ask for debug_traceBlockByNumber, or for trace_block",
        )
    else:
        etl.row(item, facts)


def _is_answer(item: dict[str, Any]) -> bool:
    return "jsonrpc" in item or "result" in item or ("error" in item and "id" in item)


def _answer(item: dict[str, Any], facts: Facts) -> None:
    """A JSON-RPC answer. Raises BadInput when it is an error, or says that there is no such thing."""
    if item.get("error") is not None:
        raise BadInput(
            f"the node answered with an error: {shown(_message(item['error']))}",
            why="so the file lacks what was asked for",
            remedy="ask the node again, and leave its error out of the file",
        )
    result = item.get("result")
    if isinstance(result, (dict, list)):
        take(result, facts)
    elif result is None:
        raise BadInput(
            "the node answered null",
            why="it does not have what was asked for, or not yet",
            remedy="ask a node that does, and leave this answer out of the file",
        )
    elif result is not SPREAD:
        facts.skipped["other"] += 1  # a number, a filter's id: the answer to another question


def _message(error: Any) -> Any:
    return error.get("message") if isinstance(error, dict) else error


def _block(item: dict[str, Any], facts: Facts) -> None:
    number = _number(item.get("number"), "a block")
    where = f"block {number:,}"
    facts.block(number, digest(item.get("hash"), where), small(item.get("timestamp"), f"{where}: timestamp"))
    for transaction in array(item.get("transactions") or [], f"{where}: transactions"):
        if isinstance(transaction, str):
            facts.keep()
            facts.named[digest(transaction, f"{where}: transactions")] = number
        else:
            _transaction(record(transaction, f"{where}: transactions"), facts)
    for withdrawal in array(item.get("withdrawals") or [], f"{where}: withdrawals"):
        withdraw(record(withdrawal, f"{where}: withdrawals"), number, facts)


def _number(value: Any, what: str) -> int:
    if value is None:
        raise BadInput(
            f"{what} that is pending: it has no number",
            why="it may never become part of the chain",
            remedy="fetch it again once it is in a block",
        )
    return small(value, f"{what}: its block's number")


def _transaction(item: dict[str, Any], facts: Facts) -> None:
    name = digest(item.get("hash"), "a transaction's hash")
    where = f"transaction {name}"
    number = _number(item.get("blockNumber"), where)
    chain = item.get("chainId")
    if chain is not None and quantity(chain, f"{where}: chainId") not in {0, facts.chain_id}:
        raise BadInput(
            f"{where} is of chain {quantity(chain, where):,}, not {facts.chain_id:,}",
            why="chains that differ in nothing but their id share addresses, and must not be mixed",
            remedy=f"give the option chain_id={quantity(chain, where)}",
        )
    block_hash = item.get("blockHash")
    facts.block(number, None if block_hash is None else digest(block_hash, f"{where}: blockHash"), None)
    to, gas = item.get("to"), item.get("gas")
    sent = Sent(
        number,
        small(item.get("transactionIndex") or 0, f"{where}: transactionIndex"),
        address(item.get("from"), f"{where}: from"),
        None if to is None else address(to, f"{where}: to"),
        quantity(item.get("value"), f"{where}: value"),
        None if gas is None else quantity(gas, f"{where}: gas"),
    )
    facts.transaction(name, sent)
    if to is None and item.get("creates") is not None:
        facts.creates(name, address(item["creates"], f"{where}: creates"))


def _receipt(item: dict[str, Any], facts: Facts) -> None:
    name = digest(item.get("transactionHash"), "a receipt's transactionHash")
    where = f"the receipt of {name}"
    number = _number(item.get("blockNumber"), where)
    facts.block(number, digest(item.get("blockHash"), f"{where}: blockHash"), None)
    facts.keep()
    settle(name, item.get("status"), item.get("root"), item.get("gasUsed"), where, facts)
    if item.get("contractAddress") is not None:
        facts.creates(name, address(item["contractAddress"], f"{where}: contractAddress"))
    for log in array(item.get("logs"), f"{where}: logs"):
        _log(record(log, f"{where}: logs"), facts)


def _log(item: dict[str, Any], facts: Facts) -> None:
    if item.get("removed") is True:
        facts.skipped["removed"] += 1
        return
    name = digest(item.get("transactionHash"), "a log's transactionHash")
    number = _number(item.get("blockNumber"), f"a log of {name}")
    where = f"log of {name}"
    seconds = item.get("blockTimestamp")
    facts.block(
        number,
        digest(item.get("blockHash"), f"{where}: blockHash"),
        None if seconds is None else small(seconds, f"{where}: blockTimestamp"),
    )
    token = address(item.get("address"), f"{where}: address")
    names = topics(item.get("topics"), f"{where}: topics")
    moved = movement(names, item.get("data"), f"{where}: data", wraps=token == facts.wrapped)
    facts.log(name, small(item.get("logIndex"), f"{where}: logIndex"), number, token, moved)


def _replayed(item: dict[str, Any], facts: Facts) -> None:
    name = digest(item.get("transactionHash"), "a replayed transaction's hash")
    for trace in array(item.get("trace"), f"the trace of {name}"):
        _parity(record(trace, f"the trace of {name}"), name, facts)


def _parity(item: dict[str, Any], name: str | None, facts: Facts) -> None:
    """One call of the trace module, or a reward."""
    action = record(item.get("action"), "a trace's action")
    number = item.get("blockNumber")
    block = None if number is None and name is not None else _number(number, "a trace")
    if block is not None and item.get("blockHash") is not None:
        facts.block(block, digest(item["blockHash"], f"a trace of block {block:,}"), None)
    what = item.get("type")
    if what == "reward" and block is not None:
        reward(block, action.get("rewardType"), action.get("author"), action.get("value"), facts)
        return
    name = name or digest(item.get("transactionHash"), "a trace's transactionHash")
    path = place(item.get("traceAddress"), f"a trace of {name}")
    where = f"call {'_'.join(map(str, path)) or '(outermost)'} of {name}"
    failed = item.get("error") is not None
    move = None if failed else _move(what, action, item.get("result"), where)
    facts.call(facts.traced(name, block, PARITY), path, move, failed, where)


def _move(what: Any, action: dict[str, Any], result: Any, where: str) -> Call | None:
    sender, receiver, value = action.get("from"), action.get("to"), action.get("value")
    if what in ("create", "create2"):
        receiver = record(result, f"{where}: result").get("address")
    elif what in ("suicide", "selfdestruct"):
        sender, receiver, value = action.get("address"), action.get("refundAddress"), action.get("balance")
    return transfer(what, action.get("callType"), sender, receiver, value, where)


def _geth(item: dict[str, Any], facts: Facts) -> None:
    """A transaction's tree of calls, walked without recursion: calls nest 1,024 deep."""
    name = digest(item.get("txHash"), "a trace's txHash")
    if item.get("error") is not None:
        raise BadInput(
            f"the node could not trace {name}: {shown(item['error'])}", remedy="ask it again, or another"
        )
    if item.get("result") is SPREAD:
        return  # of flatCallTracer, whose calls look like the trace module's, and were given one by one
    if isinstance(item.get("result"), list):
        for call in item["result"]:
            _parity(record(call, f"the trace of {name}"), name, facts)
        return
    root = record(item.get("result"), f"the trace of {name}")
    if "structLogs" in root or "type" not in root:
        raise BadInput(
            f"the trace of {name} is not of callTracer",
            why="other tracers do not say who paid whom",
            remedy='ask for debug_traceBlockByNumber with {"tracer": "callTracer"}',
        )
    calls = facts.traced(name, None, GETH)
    stack: list[tuple[dict[str, Any], Path, int | None]] = [(root, (), None)]
    while stack:
        frame, around, step = stack.pop()
        path = around if step is None else (*around, step)
        if _frame(frame, path, name, calls, facts):
            inner = array(frame.get("calls") or [], f"the trace of {name}: calls")
            for number, child in enumerate(inner):
                stack.append((record(child, f"the trace of {name}: calls"), path, number))


def _frame(frame: dict[str, Any], path: Path, name: str, calls: Calls, facts: Facts) -> bool:
    """Keep one call; False when it failed, so that nothing within it stands."""
    where = f"call {'_'.join(map(str, path)) or '(outermost)'} of {name}"
    if len(path) > MAX_CALLS:
        raise BadInput(
            f"{where}: {len(path):,} calls deep",
            why="no call goes deeper than 1,024",
            remedy="get the trace again",
        )
    failed = frame.get("error") is not None
    what = frame.get("type")
    kind = what.upper() if isinstance(what, str) else ""
    move = None
    if kind not in _MOVES | _NOTHING_MOVES:
        raise unknown(what, where)
    if not failed and kind in _MOVES:
        wei = quantity(frame.get("value") or 0, f"{where}: value")
        sender = address(frame.get("from"), f"{where}: from")
        move = Call(sender, address(frame.get("to"), f"{where}: to"), wei)
    facts.call(calls, path, move, failed, where)
    return not failed
