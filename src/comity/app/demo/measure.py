"""What was found and what it cost, held against the truth. Nothing here is shown to any node.

One rule for all: an alert is *about* a scheme when more than half of the transfers behind it are the
scheme's. Behind a joint alert are the transfers on which institutions rest their findings of the same rule
about the same subject.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from comity import codec
from comity.cooperation.subjects import IdentifierKind, keys_of
from comity.cooperation.value import Disclosure, Value, measure
from comity.exchange import bodies
from comity.model import AccountId, Finding, Level, Message, MessageKind, Party
from comity.training.scheme import Scheme

_KINDS = (IdentifierKind.DOCUMENT, IdentifierKind.WALLET, IdentifierKind.ACCOUNT)
BLINDED = frozenset({MessageKind.MATCH_OFFER, MessageKind.MATCH_ANSWER})
"""Messages in which nobody can read a subject: the keys in them are encrypted points."""


@dataclass(frozen=True, slots=True)
class Found:
    """``alone``: schemes alerted on by institution, ``watched``: too weak for that; ``joint``: by FIU.
    ``alerts`` counts all of them; ``value`` has the sums, as cooperation counts them.

    ``subjects``: the match keys of everybody and every account in a scheme, by scheme.
    """

    schemes: tuple[Scheme, ...]
    alone: Mapping[str, frozenset[str]]
    watched: Mapping[str, frozenset[str]]
    joint: Mapping[str, frozenset[str]]
    alerts: Mapping[str, int]
    value: Value
    disclosures: tuple[Disclosure, ...]
    subjects: Mapping[str, frozenset[str]]

    @property
    def never(self) -> tuple[str, ...]:
        """The schemes that nobody found."""
        return tuple(s.id for s in self.schemes if s.id not in self.value.together)


class Book:
    """Who is who, as only somebody outside the network can know it: all institutions' customers."""

    def __init__(self, customers: Mapping[str, Mapping[str, Party]]) -> None:
        self._holders = {account: party for held in customers.values() for account, party in held.items()}
        self._keys: dict[str, tuple[str, ...]] = {}

    def keys(self, account: str) -> tuple[str, ...]:
        """The match keys of an account: its holder's documents first, then its own."""
        if account not in self._keys:
            parties = [self._holders[account]] if account in self._holders else []
            given = [AccountId(account)]
            self._keys[account] = tuple(
                key for kind in _KINDS for key in keys_of(kind, accounts=given, parties=parties)
            )
        return self._keys[account]

    def who(self, subject: str) -> str:
        """One name for a subject, be it an account or a match key of its holder."""
        account = subject.split("|", 1)[1] if subject.startswith(("wallet|", "account|")) else subject
        if subject.startswith("document|"):
            return subject
        return next(iter(self.keys(account)), subject)


def about(evidence: Iterable[str], owner: Mapping[str, str]) -> str:
    """The scheme that more than half of these transfers belong to, '' if none. ``owner``: scheme by transfer.

    Evidence that is no transfer (an entry of a list) does not count.
    """
    transfers = {item for item in evidence if item in owner}
    if not transfers:
        return ""
    scheme, count = Counter(owner[item] for item in transfers).most_common(1)[0]
    return scheme if scheme and count * 2 > len(transfers) else ""


def behind(joint: Finding, findings: Mapping[str, Sequence[Finding]], book: Book) -> dict[str, list[Finding]]:
    """The institutions' findings that a joint one adds up, by institution."""
    found: dict[str, list[Finding]] = {}
    for institution, theirs in findings.items():
        for finding in theirs:
            if finding.rule == joint.rule and joint.subject in book.keys(finding.subject):
                found.setdefault(institution, []).append(finding)
    return found


def owners(transfers: Iterable[str], schemes: Sequence[Scheme]) -> dict[str, str]:
    """The scheme of every transfer, '' for honest ones."""
    planted = {item: scheme.id for scheme in schemes for item in scheme.transfers}
    return dict.fromkeys(transfers, "") | planted


def found(
    schemes: Sequence[Scheme],
    owner: Mapping[str, str],
    book: Book,
    findings: Mapping[str, Sequence[Finding]],
    joint: Mapping[str, Sequence[Finding]],
    disclosures: Sequence[Disclosure],
) -> Found:
    """Measure. ``findings`` are the institutions' own, watched ones too; ``joint`` those of the FIUs."""
    alone: dict[str, list[str]] = {}
    watched: dict[str, list[str]] = {}
    for institution, theirs in findings.items():
        for level, labels in ((Level.ALERT, alone), (Level.WATCH, watched)):
            chosen = [finding for finding in theirs if finding.level is level]
            labels[institution] = [_label(about(f.evidence, owner), f.subject, book) for f in chosen]
    together: dict[str, list[str]] = {}
    for fiu, theirs in joint.items():
        together[fiu] = []
        for finding in theirs:
            parts = [part for group in behind(finding, findings, book).values() for part in group]
            scheme = about((item for part in parts for item in part.evidence), owner)
            together[fiu].append(_label(scheme, finding.subject, book))
    subjects = {
        scheme.id: frozenset({_spelt(s) for s in scheme.subjects})
        | {key for account in scheme.accounts for key in book.keys(account)}
        for scheme in schemes
    }
    everything = {label for group in (alone, together) for labels in group.values() for label in labels}
    members = {scheme.id: {scheme.id, *subjects[scheme.id]} for scheme in schemes}
    value = measure(members, alone, everything, disclosures)
    known = {scheme.id for scheme in schemes}
    return Found(
        tuple(schemes),
        {name: frozenset(labels) & known for name, labels in alone.items()},
        {name: frozenset(labels) & known for name, labels in watched.items()},
        {name: frozenset(labels) & known for name, labels in together.items()},
        {name: len(labels) for name, labels in (alone | together).items()},
        value,
        tuple(disclosures),
        subjects,
    )


def _label(scheme: str, subject: str, book: Book) -> str:
    """What an alert is about: a scheme, or somebody accused in error."""
    return scheme or f"in error: {book.who(subject)}"


def _spelt(subject: str) -> str:
    """A scheme's subject as a match key: documents are ``KIND/COUNTRY/NUMBER`` there, else accounts."""
    kind, slash, rest = subject.partition("/")
    if slash and ":" not in kind:
        country, _, number = rest.partition("/")
        plain = "".join(letter for letter in number.upper() if letter.isalnum())
        return f"document|{kind}|{country}|{plain}"
    return next(iter(keys_of(IdentifierKind.WALLET, accounts=[AccountId(subject)])), subject)


def disclosed(
    messages: Sequence[Message],
    book: Book,
    *,
    common: Mapping[tuple[str, str], frozenset[str]],
    filed: Mapping[str, Sequence[str]],
) -> tuple[Disclosure, ...]:
    """What each message told its recipient, in the order of ``messages``.

    ``common``: the keys that an FIU (first) learned a partner (second) holds too: what a match gave away is
    told by its answer. ``filed``: the subjects of each report, by its reference.
    """
    told = []
    for message in messages:
        body = bodies.check(message)
        size = len(codec.canonical(dict(message.body)))
        if isinstance(body, bodies.Match):
            keys: frozenset[str] = frozenset()
            if message.kind is MessageKind.MATCH_ANSWER:
                keys = common.get((message.recipient, message.sender), frozenset())
            names = [book.who(key) for key in sorted(keys) if key.startswith(f"{body.identifiers}|")]
            items = len(names)
        elif isinstance(body, bodies.Filing):
            items, names = 1, [book.who(subject) for subject in filed.get(body.reference, ())]
        else:
            items, names = _named(body, book)
        told.append(Disclosure(message.sender, message.recipient, size, items, tuple(dict.fromkeys(names))))
    return tuple(told)


def _named(body: bodies.Body, book: Book) -> tuple[int, list[str]]:
    """How many items a message holds, and the subjects its recipient can read in it."""
    names = [book.who(finding.subject) for finding in getattr(body, "findings", ())]
    items = len(names)
    for subject in getattr(body, "subjects", ()):
        keys = keys_of(IdentifierKind.DOCUMENT, parties=[subject.party])
        names += [*keys, *(book.who(account.value) for account in subject.accounts)]
        items += len(keys) + len(subject.accounts)
    for account in getattr(body, "accounts", ()):
        names.append(book.who(account.value))
        items += 1
    return items, names
