"""A ledger's Arrow table as a `Batch`: column by column, each different text looked at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.errors import BadInput
from comity.model import AccountId, Institution, Party, PartyKind
from comity.standard.batch import SCALE, UNKNOWN, Batch, Coder
from comity.standard.rows import compress
from comity.standard.sides import Side, between, side

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIELDS = (
    "time",
    "originator",
    "beneficiary",
    "amount",
    "asset",
    "value",
    "originator_institution",
    "beneficiary_institution",
    "originator_country",
    "beneficiary_country",
    "originator_party",
    "beneficiary_party",
    "intermediaries",
)
_HEAD = r"^(acct:[^:]*|iban:..|[^:]*:[^:]*).*$"
_LEGAL = Party("", PartyKind.LEGAL)


def batch(
    table: pa.Table,
    parties: Mapping[str, Institution],
    facts: tuple[NDArray[np.int32], tuple[Mapping[str, str], ...]] | None = None,
) -> Batch:
    """A batch of a table with the columns `FIELDS`, typed as a ledger keeps them.

    ``value`` must be filled where the worth of a transfer in the common currency is known. ``facts``:
    for each row the index of its set of facts, and the sets. Raises BadInput for amounts beyond int64.
    """
    table = table.select(FIELDS).combine_chunks()
    count = table.num_rows
    numbers = Coder[Side]()
    originator, beneficiary = (
        _sides(table, role, parties, numbers) for role in ("originator", "beneficiary")
    )
    asset, assets = _codes(table["asset"])
    names = [text[8:] if text.startswith("iso4217:") else "" for text in assets]
    currencies = tuple(dict.fromkeys(name for name in names if name))
    known = np.array([currencies.index(name) if name else UNKNOWN for name in names], dtype=np.int16)
    currency = known[asset] if len(known) else np.full(count, UNKNOWN, dtype=np.int16)
    quantity = _worth(table["amount"])
    quantity[currency < 0] = UNKNOWN
    middle, betweens = _between(table["intermediaries"], parties)
    codes, sets = facts or (np.zeros(count, dtype=np.int32), ({},))
    return Batch(
        pc.cast(table["time"], pa.int64()).to_numpy(),
        _worth(table["value"]),
        quantity,
        currency,
        originator,
        beneficiary,
        middle,
        codes,
        sides=numbers.things(),
        betweens=betweens,
        currencies=currencies,
        fact_sets=sets,
        scale=SCALE,
    )


def _one(column: pa.ChunkedArray) -> Any:
    """A column in one piece."""
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    """Numbers of texts, and the texts; a missing text is ''."""
    coded = _one(pc.fill_null(column, "").dictionary_encode())
    return coded.indices.to_numpy(), coded.dictionary.to_pylist()


def _sides(
    table: pa.Table, role: str, parties: Mapping[str, Institution], numbers: Coder[Side]
) -> NDArray[np.int32]:
    account, heads = _heads(table[role])
    who, institutions = _codes(table[f"{role}_institution"])
    where, countries = _codes(table[f"{role}_country"])
    person, persons = _codes(table[f"{role}_party"])
    legal = np.array([_is_legal(text) for text in persons], dtype=np.int64)[person]
    key = (account.astype(np.int64) * len(institutions) + who) * len(countries) + where
    codes, keys = compress(key * 2 + legal, len(heads) * len(institutions) * len(countries) * 2)
    found = []
    for each in keys.tolist():
        rest, is_legal = divmod(each, 2)
        rest, at = divmod(rest, len(countries))
        head, name = divmod(rest, len(institutions))
        party = _LEGAL if is_legal else None
        account_id = AccountId(f"{heads[head]}:0" if not heads[head].startswith("iban:") else heads[head])
        found.append(numbers(side(role, account_id, institutions[name], countries[at], party, parties)))
    return np.array(found, dtype=np.int32)[codes]


def _heads(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    """What matters of an account: its institution, the country of its IBAN, or its chain."""
    coded = _one(column.dictionary_encode())
    short = pc.replace_substring_regex(coded.dictionary, pattern=_HEAD, replacement=r"\1").dictionary_encode()
    return short.indices.to_numpy()[coded.indices.to_numpy()], short.dictionary.to_pylist()


def _is_legal(text: str) -> bool:
    return "legal" in text and json.loads(text).get("kind") == PartyKind.LEGAL


def _worth(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Codes (`batch.code`) of exact decimals, -1 where there is none. Raises BadInput beyond int64."""
    codes, beyond = _unscaled(_one(column))
    if beyond.any():
        raise BadInput(
            "an amount beyond what duties are computed with",
            why=f"amounts lie between 0 and {2**62 // 10**SCALE:,}",
            remedy="correct the amount, or leave the transfer out",
        )
    return codes


def _unscaled(values: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    options = pc.CastOptions(pa.decimal128(38, SCALE), allow_decimal_truncate=True)
    cut = pc.cast(values, options=options)
    words = np.frombuffer(cut.buffers()[1], dtype=np.int64).reshape(-1, 2)[cut.offset : cut.offset + len(cut)]
    finer = pc.fill_null(pc.not_equal(pc.cast(cut, values.type), values), False).to_numpy(
        zero_copy_only=False
    )
    missing = values.is_null().to_numpy(zero_copy_only=False)
    beyond = ((words[:, 1] != 0) | (words[:, 0] < 0) | (words[:, 0] >= 2**62)) & ~missing
    codes = words[:, 0] * 2 + finer
    codes[missing] = UNKNOWN
    return codes, beyond


def _between(
    column: pa.ChunkedArray, parties: Mapping[str, Institution]
) -> tuple[NDArray[np.int32], tuple[tuple[Side, ...], ...]]:
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    codes = np.zeros(len(lengths), dtype=np.int32)
    found = Coder[tuple[Side, ...]](())
    for row in np.flatnonzero(lengths).tolist():
        codes[row] = found(between(tuple(column[row].as_py()), parties))
    return codes, found.things()
