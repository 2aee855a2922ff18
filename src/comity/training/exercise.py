"""The first exercise, ``first-case``: an analyst at an FIU, some reported accounts, and schemes among them.

A bundle is a directory: ``BRIEFING.md``, ``accounts.csv``, ``transfers.csv``, ``customers.jsonl``,
``answers-template.json`` and ``exercise.json``. The truth is in none of them: it comes back from the seed,
which the trainer keeps, when ``answers.json`` is graded. A seal in the bundle shows that the seed is the one.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from comity import codec, intake
from comity.errors import BadInput, StoreError, Unverified
from comity.model import Institution, Party, Role, Transfer
from comity.training.grade import Grade, grade, read_answers
from comity.training.places import PLACES
from comity.training.scheme import MEANINGS, Scheme, SchemeKind
from comity.training.world import World, generate

NAME = "first-case"
_START = datetime(2026, 3, 2, tzinfo=UTC)
_TRANSFERS, _DAYS = 8_000, 45
_DECOYS = 70
_MOST_BYTES = 1024 * 1024
_COLUMNS = (
    "id",
    "time",
    "originator",
    "beneficiary",
    "amount",
    "asset",
    "value_usd",
    "originator_institution",
    "beneficiary_institution",
    "originator_name",
    "beneficiary_name",
    "reference",
)
_TEMPLATE = b"""{
  "schemes": [
    {"kind": "fan_in", "accounts": ["acct:example-bank:0001", "iban:GB82WEST12345698765432"]},
    {"kind": "structuring", "accounts": ["acct:example-bank:0003"]}
  ]
}
"""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What an analyst is told: ``text`` in Markdown, ``questions``; and the names of the ``files`` given."""

    exercise: str
    institution: Institution
    text: str
    questions: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """``exercise.json``: which exercise a bundle holds, and the seal of its truth (SHA-256, hex)."""

    exercise: str
    institution: str
    seal: str


@dataclass(frozen=True, slots=True)
class _Case:
    fiu: Institution
    world: World
    transfers: tuple[Transfer, ...]
    customers: dict[str, Party]
    schemes: tuple[Scheme, ...]


def _in_view(scheme: Scheme, transfers: dict[str, Transfer]) -> Scheme | None:
    """The scheme as far as this FIU's institutions see it, if that is at least half of it."""
    seen = [transfers[name] for name in scheme.transfers if name in transfers]
    if 2 * len(seen) < len(scheme.transfers) or len(seen) < 3:
        return None
    ends = {str(end) for transfer in seen for end in (transfer.originator, transfer.beneficiary)}
    accounts = tuple(account for account in scheme.accounts if account in ends)
    return replace(scheme, accounts=accounts, transfers=tuple(transfer.id for transfer in seen))


def _view(world: World, country: str) -> dict[str, Transfer]:
    """What the institutions of a country see, each transfer once, in order."""
    houses = [house.id for house in world.obliged if house.jurisdictions == (country,)]
    found = {transfer.id: transfer for house in houses for transfer in world.transfers(house)}
    return dict(sorted(found.items(), key=lambda item: (item[1].time, item[0])))


def _chosen(world: World, view: dict[str, Transfer]) -> tuple[Scheme, ...]:
    """Of each kind the scheme of which most is in view."""
    best: dict[SchemeKind, Scheme] = {}
    for scheme in world.schemes:
        seen = _in_view(scheme, view)
        if seen and (seen.kind not in best or len(seen.transfers) > len(best[seen.kind].transfers)):
            best[seen.kind] = seen
    return tuple(best.values())


def _case(seed: int) -> _Case:
    """The case of a seed: in the country where the schemes of most kinds are in view."""
    world = generate(seed, transfers=_TRANSFERS, days=_DAYS, start=_START)
    views = [_view(world, place.code) for place in PLACES]
    chosen = [_chosen(world, view) for view in views]
    place = max(range(len(PLACES)), key=lambda one: len(chosen[one]))
    schemes, view, country = chosen[place], views[place], PLACES[place].code
    houses = [house.id for house in world.obliged if house.jurisdictions == (country,)]
    held = {a: party for house in houses for a, party in world.customers[house].items()}
    guilty = {account for scheme in world.schemes for account in scheme.accounts}
    active = [str(end) for t in view.values() for end in (t.originator, t.beneficiary) if str(end) in held]
    honest = sorted({account for account in active if account not in guilty})
    rng = np.random.default_rng([seed, 1])
    decoys = {honest[i] for i in rng.permutation(len(honest))[:_DECOYS]}
    wanted = decoys | {account for scheme in schemes for account in scheme.accounts}
    ours = {name for scheme in schemes for name in scheme.transfers}
    others = {name for scheme in world.schemes for name in scheme.transfers} - ours
    kept = tuple(
        transfer
        for transfer in view.values()
        if transfer.id not in others and wanted & {str(transfer.originator), str(transfer.beneficiary)}
    )
    ends = {str(end) for transfer in kept for end in (transfer.originator, transfer.beneficiary)}
    fiu = next(i for i in world.institutions if i.role is Role.FIU and i.jurisdictions == (country,))
    return _Case(fiu, world, kept, {a: party for a, party in held.items() if a in ends & wanted}, schemes)


def _seal(seed: int, schemes: tuple[Scheme, ...]) -> str:
    return hashlib.sha256(codec.canonical([NAME, seed, [codec.to_plain(s) for s in schemes]])).hexdigest()


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _transfers(case: _Case) -> bytes:
    return _csv(
        _COLUMNS,
        (
            (
                t.id,
                t.time.isoformat(),
                t.originator,
                t.beneficiary,
                t.amount.quantity if t.amount else "",
                t.amount.asset if t.amount else "",
                f"{t.value:.2f}",
                t.originator_institution,
                t.beneficiary_institution,
                t.originator_party.name if t.originator_party else "",
                t.beneficiary_party.name if t.beneficiary_party else "",
                t.reference,
            )
            for t in case.transfers
        ),
    )


def _accounts(case: _Case) -> bytes:
    """What is known of each reported account at a glance."""
    rows = []
    for account, party in sorted(case.customers.items()):
        out = [t for t in case.transfers if str(t.originator) == account]
        into = [t for t in case.transfers if str(t.beneficiary) == account]
        rows.append(
            (
                account,
                party.name,
                party.kind,
                len(into),
                len({t.originator for t in into}),
                f"{sum(t.value or 0 for t in into):.2f}",
                len(out),
                len({t.beneficiary for t in out}),
                f"{sum(t.value or 0 for t in out):.2f}",
            )
        )
    header = ("account", "holder", "kind", "received", "from", "in_usd", "sent", "to", "out_usd")
    return _csv(header, rows)


def _questions() -> tuple[str, ...]:
    kinds = ", ".join(
        f"{kind} ({MEANINGS[kind]})" for kind in SchemeKind if kind is not SchemeKind.SANCTIONED
    )
    return (
        "Which laundering schemes do these transfers show, and how many?",
        f"Of which kind is each: {kinds}?",
        "Which accounts and wallets belong to each scheme? Naming an honest one costs points.",
    )


def _customers(case: _Case) -> bytes:
    rows = ({"account": a, "party": codec.to_plain(party)} for a, party in sorted(case.customers.items()))
    return b"".join(codec.canonical(row) + b"\n" for row in rows)


def _text(case: _Case, questions: tuple[str, ...]) -> str:
    houses = ", ".join(
        f"{h.name} ({h.id})" for h in case.world.obliged if h.jurisdictions == case.fiu.jurisdictions
    )
    asked = "\n".join(f"{number}. {question}" for number, question in enumerate(questions, 1))
    first, last = case.transfers[0].time, case.transfers[-1].time
    period = f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"
    return f"""# First case

You are an analyst at the {case.fiu.name}.
Three institutions of your country, {houses},
have reported {len(case.customers)} accounts of their customers. Most of the holders are honest, and all of
them are made up.

You see {len(case.transfers):,} transfers from {period}: every transfer of a
reported account that one of the three institutions saw. What happened abroad you do not see.

## What you have

- `accounts.csv`: each reported account, what it received from how many and sent to how many
- `transfers.csv`: the transfers, with their value in US dollars
- `customers.jsonl`: who holds each account, with the identity document
- `answers-template.json`: how to answer

## Questions

{asked}

## How to answer

Write `answers.json` beside this file: a list `schemes`, each with its `kind` and its `accounts`, written as
in `transfers.csv`. Leave out what you are not sure of. Each scheme scores by how many of its accounts you
named, and how many of those you named belong to it (F1), and half of that if the kind is wrong; schemes you
miss or make up lower the score.
"""


def play(directory: Path, seed: int) -> Briefing:
    """Write the bundle of ``seed`` into a new or empty directory. Raises BadInput, StoreError.

    The bundle does not tell the seed: keep it, it is needed to grade.
    """
    case = _case(seed)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadInput(
            f"{directory.name} is not an empty directory",
            why="an exercise must not mix with other files",
            remedy="name a directory that does not exist yet",
        )
    questions = _questions()
    text = _text(case, questions)
    files = {
        "BRIEFING.md": text.encode(),
        "accounts.csv": _accounts(case),
        "transfers.csv": _transfers(case),
        "customers.jsonl": _customers(case),
        "answers-template.json": _TEMPLATE,
        "exercise.json": codec.to_json(Sheet(NAME, case.fiu.id, _seal(seed, case.schemes))),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (directory / name).write_bytes(data)
    except OSError as error:
        raise StoreError(
            f"cannot write the exercise to {directory.name}",
            why=error.strerror or "",
            remedy="choose a directory you may write to",
        ) from None
    return Briefing(NAME, case.fiu, text, questions, tuple(files))


def truth(seed: int) -> tuple[Scheme, ...]:
    """The schemes in the exercise of ``seed``, as far as its analyst can see them."""
    return _case(seed).schemes


def _read(path: Path) -> bytes:
    with intake.open_source(path, limit=_MOST_BYTES) as stream:
        return stream.read()


def mark(directory: Path, seed: int) -> Grade:
    """Grade ``answers.json`` in a bundle. Raises BadInput, Unverified when the seed is another's."""
    sheet = codec.from_json(Sheet, _read(directory / "exercise.json"))
    if not (directory / "answers.json").is_file():
        raise BadInput(
            f"no answers.json in {directory}",
            why="the answers are graded from that file",
            remedy="write it beside the briefing, in the form of answers-template.json",
        )
    answers = read_answers(_read(directory / "answers.json"))
    schemes = truth(seed)
    if sheet.exercise != NAME or sheet.seal != _seal(seed, schemes):
        raise Unverified(
            "this seed is not the one of this exercise",
            why="the seal in exercise.json does not fit it",
            remedy="use the seed the exercise was made with, and leave exercise.json as it was",
        )
    return grade(answers, schemes)
