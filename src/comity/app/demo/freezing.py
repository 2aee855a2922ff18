"""The freeze: from a finding that no institution could make alone to an account that is held, abroad."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from comity import codec
from comity.app.demo.facts import Frozen, Moment, Story
from comity.app.demo.progress import Steps
from comity.app.demo.story import ANALYST, Network
from comity.errors import PeerError
from comity.model import AccountId, Case, Finding, Measure, MeasureState, Message, MessageKind, Power
from comity.node.freezing import POWERS
from comity.standard.load import load
from comity.standard.resolve import resolve

PATIENCE = 30.0
T = TypeVar("T")
_OPEN = frozenset({MeasureState.REQUESTED, MeasureState.SERVED})


def powers(story: Story, countries: tuple[str, ...]) -> None:
    """The power of each country's FIU to freeze, as its law has it today; None where it has none."""
    law, today = load(), datetime.now(UTC).date()
    for country in countries:
        found = (resolve(law, country.lower(), question, today).provision for question in POWERS)
        story.powers[country] = next((p for p in found if p and isinstance(p.value, Power)), None)


def freeze(net: Network, story: Story, steps: Steps) -> None:
    """Join what was told, choose the strongest finding whose subject has an account that a partner may
    freeze, and see the freeze through."""
    with steps.step("join", "FIUs add up what each was told") as say:
        joined: dict[str, float] = {}
        began: dict[str, datetime] = {}
        for fiu in net.fius:
            found = net.fleet.post(fiu, "/join")
            joined[fiu], began[fiu] = time.monotonic(), datetime.now(UTC)
            story.joint[fiu] = tuple(codec.from_plain(Finding, each) for each in found)
        subjects = {f.subject for theirs in story.joint.values() for f in theirs}
        say(
            f"FIUs add up what each was told: {len(subjects)} subjects pass an indicator's threshold together"
        )
    with steps.step("freeze", "An FIU asks another to freeze, which orders its own institution to") as say:
        chosen = next(_candidates(net, story), None)
        if chosen is None:
            story.unfrozen = "no subject found together has an account that a partner's FIU may freeze"
            say(f"No freeze: {story.unfrozen}")
            return
        fiu, finding, account = chosen
        # the clock runs from the finding, through every act of every hop
        story.frozen = _see_through(net, fiu, finding, account, joined[fiu], began[fiu])
        done = story.frozen
        say(
            f"{done.holder} froze an account for {done.requester}, asked through {done.requested}: "
            f"{done.seconds:.1f} s after the finding"
        )


def _candidates(net: Network, story: Story) -> Iterator[tuple[str, Finding, AccountId]]:
    """Accounts abroad behind joint findings that the law there lets its FIU freeze: the firmest law first,
    then the strongest finding."""
    trust = ("high", "med", "low", "unknown")
    possible = []
    for fiu, theirs in story.joint.items():
        for finding in theirs:
            for text in net.fleet.get(fiu, "/subjects/accounts", key=finding.subject):
                account = AccountId.parse(text)
                holder = net.members.get(account.institution or "")
                if holder is None or holder.jurisdictions[0] == net.country(fiu):
                    continue
                power = story.powers.get(holder.jurisdictions[0])
                if power is not None:
                    rank = (trust.index(power.confidence.value), -finding.score, finding.id, fiu, text)
                    possible.append((rank, fiu, finding, account))
    for _, fiu, finding, account in sorted(possible, key=lambda one: one[0]):
        yield fiu, finding, account


def _see_through(
    net: Network, fiu: str, finding: Finding, account: AccountId, began: float, at: datetime
) -> Frozen:
    fleet, holder = net.fleet, account.institution or ""
    partner = net.fiu_of(net.country(holder))
    case = codec.from_plain(Case, fleet.post(fiu, "/cases", {"findings": [finding.id]}))
    grounds = f"{finding.reasons[0]} {finding.reasons[-1]}"
    given = {"verdict": "freeze", "by": ANALYST, "grounds": grounds}
    case = codec.from_plain(Case, fleet.post(fiu, f"/cases/{case.id}/decisions", given))
    asked = fleet.post(
        fiu,
        "/freezes",
        {
            "recipient": partner,
            "accounts": [account.value],
            "case_id": case.id,
            "by": ANALYST,
            "grounds": grounds,
        },
    )["message"]
    _await(lambda: _arrived(net, partner, asked), f"the request of {fiu} at {partner}")
    orders = fleet.post(partner, f"/messages/{asked}/freeze", {"by": ANALYST})["messages"]
    measure = _await(lambda: _answered(net, fiu, asked), f"the answer of {partner} to {fiu}")
    seconds = time.monotonic() - began
    return Frozen(
        requester=fiu,
        requested=partner,
        holder=holder,
        account=account,
        key=finding.subject,
        finding=finding,
        case=case,
        state=measure.state.value,
        legal_basis=measure.legal_basis,
        confidence=measure.confidence,
        until=next((m.until for m in _measures(net, partner) if m.id in orders), None),
        seconds=round(seconds, 2),
        moments=_moments(net, (fiu, partner, holder), case, asked, orders, at),
    )


def _await(look: Callable[[], T | None], what: str) -> T:
    """Look until there is something. Raises PeerError when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while (seen := look()) is None:
        if time.monotonic() > deadline:
            raise PeerError(
                f"{what} did not come within {PATIENCE:.0f} seconds",
                remedy="run it again on a machine with less to do",
            )
        time.sleep(0.02)
    return seen


def _arrived(net: Network, node: str, message: str) -> str | None:
    received = net.fleet.get(node, "/messages", limit=20)["received"]
    return next((each["id"] for each in received if each["id"] == message and each["processed"]), None)


def _answered(net: Network, node: str, measure: str) -> Measure | None:
    return next((m for m in _measures(net, node) if m.id == measure and m.state not in _OPEN), None)


def _measures(net: Network, node: str) -> list[Measure]:
    return [codec.from_plain(Measure, each) for each in net.fleet.get(node, "/freezes")]


def _moments(
    net: Network, way: tuple[str, str, str], case: Case, asked: str, orders: Sequence[str], began: datetime
) -> tuple[Moment, ...]:
    """What happened when, from the nodes' own records."""
    fiu, partner, holder = way
    done = datetime.now(UTC)
    found = [
        Moment(began, fiu, "adds up what it was told: a joint finding"),
        Moment(case.opened, fiu, "opens a case: findings and duties"),
        *(Moment(each.at, fiu, f"decides: {each.verdict.value}, by {each.by}") for each in case.decisions),
    ]
    for node in (fiu, partner, holder):
        for plain in net.fleet.get(node, "/messages", limit=50)["sent"]:
            message = codec.from_plain(Message, {k: v for k, v in plain.items() if k != "state"})
            if message.id == asked:
                found.append(Moment(message.created, fiu, f"asks {partner} to freeze"))
            elif message.id in orders:
                found.append(
                    Moment(message.created, partner, f"decides, and orders {message.recipient} to freeze")
                )
            elif message.kind is MessageKind.FREEZE_REPLY and message.in_reply_to in orders:
                found.append(Moment(message.created, holder, "freezes the account, and says so"))
            elif message.kind is MessageKind.FREEZE_REPLY and message.in_reply_to == asked:
                found.append(Moment(message.created, partner, f"tells {fiu}"))
    found.append(Moment(done, fiu, "has it acknowledged: in force"))
    return tuple(sorted(found, key=lambda moment: moment.at))
