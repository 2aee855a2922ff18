"""Grades answers against the truth: which schemes were seen, whose accounts are in them, of which kind.

Answers and schemes are paired one to one so that the sum of their scores is greatest. A pair scores the
F1 of its accounts, half of that where the kind is wrong. What is computed is exact (fractions), and does
not depend on the order of anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from comity import codec
from comity.errors import BadInput
from comity.model import AccountId
from comity.training.scheme import MEANINGS, Scheme, SchemeKind

MOST_SCHEMES, MOST_ACCOUNTS = 64, 5_000
ZERO, HALF = Fraction(0), Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Answer:
    """One scheme as an analyst sees it."""

    kind: SchemeKind
    accounts: tuple[AccountId, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What an analyst hands in: ``answers.json``."""

    schemes: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """How one answer did. ``scheme`` is the id of the true scheme it was paired with, or ''."""

    kind: SchemeKind
    scheme: str
    kind_right: bool
    precision: float
    recall: float
    f1: float
    score: float


@dataclass(frozen=True, slots=True)
class Grade:
    """All figures lie in [0, 1]. ``missed`` are ids of schemes no answer was paired with.

    ``score`` is the F1 over schemes: what the pairs score, against how many were named and how many there
    are. ``feedback`` is in whole sentences.
    """

    score: float
    precision: float
    recall: float
    marks: tuple[Mark, ...]
    missed: tuple[str, ...]
    feedback: tuple[str, ...]


def read_answers(data: bytes) -> Answers:
    """Answers from the bytes of ``answers.json``. Raises BadInput naming what does not fit, TooLarge."""
    answers = codec.from_json(Answers, data)
    _bounds(answers)
    return answers


def _bounds(answers: Answers) -> None:
    if len(answers.schemes) > MOST_SCHEMES:
        raise BadInput(
            f"{len(answers.schemes)} schemes named",
            remedy=f"name at most {MOST_SCHEMES}, those you are sure of",
        )
    for number, answer in enumerate(answers.schemes, 1):
        if not 1 <= len(answer.accounts) <= MOST_ACCOUNTS:
            raise BadInput(
                f"scheme {number} names {len(answer.accounts):,} accounts",
                why=f"a scheme has 1 to {MOST_ACCOUNTS:,}",
                remedy="name the accounts that are part of it, or leave the scheme out",
            )


def assign(worth: Sequence[Sequence[Fraction]]) -> list[int]:
    """For each row the column it is paired with, so that the sum is greatest (Kuhn and Munkres).

    ``worth`` has at least as many columns as rows.
    """
    rows, columns = len(worth), len(worth[0]) if worth else 0
    of_row, of_column = [ZERO] * (rows + 1), [ZERO] * (columns + 1)
    paired = [0] * (columns + 1)
    for row in range(1, rows + 1):
        paired[0], column = row, 0
        slack: list[Fraction | None] = [None] * (columns + 1)
        came, done = [0] * (columns + 1), [False] * (columns + 1)
        while paired[column]:
            done[column] = True
            step, following = None, 0
            for other in range(1, columns + 1):
                if done[other]:
                    continue
                reduced = -worth[paired[column] - 1][other - 1] - of_row[paired[column]] - of_column[other]
                known = slack[other]
                if known is None or reduced < known:
                    slack[other], came[other], known = reduced, column, reduced
                if step is None or known < step:
                    step, following = known, other
            _shift(step or ZERO, done, paired, of_row, of_column, slack)
            column = following
        while column:
            paired[column], column = paired[came[column]], came[column]
    found = [0] * rows
    for other in range(1, columns + 1):
        if paired[other]:
            found[paired[other] - 1] = other - 1
    return found


def _shift(
    step: Fraction,
    done: Sequence[bool],
    paired: Sequence[int],
    of_row: list[Fraction],
    of_column: list[Fraction],
    slack: list[Fraction | None],
) -> None:
    """Move the potentials of the alternating tree by ``step``."""
    for column, inside in enumerate(done):
        known = slack[column]
        if inside:
            of_row[paired[column]] += step
            of_column[column] -= step
        elif known is not None:
            slack[column] = known - step


def _f1(named: frozenset[str], true: frozenset[str]) -> Fraction:
    return Fraction(2 * len(named & true), len(named) + len(true))


def _mark(kind: SchemeKind, named: frozenset[str], scheme: Scheme | None, score: Fraction) -> Mark:
    if scheme is None or not score:
        return Mark(kind, "", False, 0.0, 0.0, 0.0, 0.0)
    true = frozenset(scheme.accounts)
    common = len(named & true)
    return Mark(
        kind,
        scheme.id,
        kind is scheme.kind,
        float(Fraction(common, len(named))),
        float(Fraction(common, len(true))),
        float(_f1(named, true)),
        float(score),
    )


def _words(number: int, mark: Mark, named: frozenset[str], scheme: Scheme | None) -> str:
    if scheme is None or not mark.scheme:
        return f"Answer {number} ({mark.kind}) fits no scheme: what looked like one was honest."
    true = frozenset(scheme.accounts)
    text = [
        f"Answer {number} is {scheme.id}: {scheme.story}",
        f"You named {len(named & true)} of its {len(true)} accounts",
    ]
    extra = len(named - true)
    text[1] += f", and {extra} that are not part of it." if extra else "."
    if not mark.kind_right:
        text.append(f"It is {scheme.kind}, not {mark.kind}: {MEANINGS[scheme.kind]}.")
    return " ".join(text)


def grade(answers: Answers, truth: Sequence[Scheme]) -> Grade:
    """Grade what an analyst handed in. Raises BadInput: no scheme to grade against, or too much named."""
    _bounds(answers)
    if not truth or any(not scheme.accounts for scheme in truth):
        raise BadInput("no truth to grade against", remedy="play an exercise that has schemes in view")
    schemes = sorted(truth, key=lambda scheme: (scheme.kind, sorted(scheme.accounts), scheme.id))
    given = sorted(
        ((answer.kind, frozenset(map(str, answer.accounts))) for answer in answers.schemes),
        key=lambda one: (one[0], sorted(one[1])),
    )
    width = max(len(schemes), len(given))
    worth = [
        [_f1(named, frozenset(s.accounts)) * (1 if kind is s.kind else HALF) for s in schemes]
        + [ZERO] * (width - len(schemes))
        for kind, named in given
    ]
    pairs = assign(worth)
    marks, feedback, total = [], [], ZERO
    for number, ((kind, named), row, column) in enumerate(zip(given, worth, pairs, strict=True), 1):
        scheme = schemes[column] if column < len(schemes) else None
        mark = _mark(kind, named, scheme, row[column])
        total += row[column]
        marks.append(mark)
        feedback.append(_words(number, mark, named, scheme))
    met = {mark.scheme for mark in marks}
    missed = [scheme for scheme in schemes if scheme.id not in met]
    feedback += [f"Not named: {scheme.id} ({scheme.kind}): {scheme.story}" for scheme in missed]
    return Grade(
        score=float(2 * total / (len(given) + len(schemes))),
        precision=float(total / len(given)) if given else 0.0,
        recall=float(total / len(schemes)),
        marks=tuple(marks),
        missed=tuple(sorted(scheme.id for scheme in missed)),
        feedback=tuple(feedback),
    )
