"""The story: what operators have their nodes do, through the operator API, in the order of the five hops.

No node is told what was planted. Where a person decides, the demo's own account does, and says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from comity import codec
from comity.app.demo.facts import Story, Told
from comity.app.demo.fleet import Fleet
from comity.app.demo.network import FORMATS, OFFICER
from comity.app.demo.place import Place
from comity.app.demo.progress import Steps
from comity.errors import PeerError
from comity.model import Case, Finding, Force, Institution, Level, Message, Role
from comity.training.world import World

ANALYST = f"{' '.join(OFFICER)} (demo account)"
CASES = 2
"""How many cases the demo's account takes up at each institution: an office has a day, not a year."""
_FIRST = "counterparty_of_listed_wallet"


class Network:
    """The members by role, and the fleet that runs them."""

    def __init__(self, fleet: Fleet, institutions: Sequence[Institution]) -> None:
        self.fleet = fleet
        self.members = {each.id: each for each in institutions}
        self.fius = tuple(each.id for each in institutions if each.role is Role.FIU)
        self.obliged = tuple(each.id for each in institutions if each.role is not Role.FIU)

    def country(self, node: str) -> str:
        return self.members[node].jurisdictions[0]

    def fiu_of(self, country: str) -> str:
        return next(fiu for fiu in self.fius if self.country(fiu) == country)


def alone(net: Network, world: World, place: Place, story: Story, steps: Steps) -> None:
    """Hops 1 and 2 in each institution: lists, transfers, customers; then detect."""
    rates = {name: str(rate) for name, rate in world.rates.items()}

    def work(name: str) -> int:
        given = place.world / name
        net.fleet.post(name, "/lists")
        taken = net.fleet.post(name, "/ledger", {"path": str(given / "transfers.parquet"), "rates": rates})
        net.fleet.post(name, "/customers", {"path": str(given / "customers.jsonl")})
        net.fleet.post(name, "/detect")
        return int(taken["transfers"])

    with steps.step(
        "detect_alone", "Each institution reads its transfers, loads lists, detects alone"
    ) as say:
        # the longest first, so that none is left to run alone at the end
        order = sorted(net.obliged, key=lambda name: net.members[name].role is not Role.BANK)
        views = net.fleet.each(order, work)
        for name in net.obliged:
            found = [
                finding
                for level in Level
                for finding in net.fleet.pages(name, "/findings", level=level.value)
            ]
            story.findings[name] = tuple(codec.from_plain(Finding, each) for each in found)
        story.entries = sum(views.values())
        alerts = sum(f.level is Level.ALERT for theirs in story.findings.values() for f in theirs)
        say(
            f"{len(views)} institutions read {story.entries:,} entries, each its own, and detect alone: "
            f"{alerts:,} alerts"
        )


def together(net: Network, story: Story, steps: Steps) -> None:
    """What is too weak alone: FIUs ask their institutions, match with each other, ask about the common."""
    fleet = net.fleet
    with steps.step("watch", "FIUs ask their own institutions what they watch") as say:
        asked = {
            name: fleet.post(net.fiu_of(net.country(name)), "/watch/ask", {"peer": name})["message"]
            for name in net.obliged
        }
        fleet.settle()
        fleet.each(net.obliged, lambda name: _answer(fleet, name, asked[name]))
        fleet.settle()
        say(f"{len(asked)} institutions answer their FIU what they watch: figures and keys, no transfers")
    with steps.step("match", "FIUs match, two by two, without showing what they watch") as say:
        # whoever has no power to freeze asks those who have, and so learns of accounts there
        asking = sorted(net.fius, key=lambda fiu: story.powers[net.country(fiu)] is not None)
        for first, second in combinations(asking, 2):
            fleet.post(first, "/match", {"peer": second})
        fleet.settle()
        learned: dict[tuple[str, str], set[str]] = defaultdict(set)
        for fiu in net.fius:
            for one in fleet.get(fiu, "/match"):
                learned[fiu, one["peer"]] |= set(one["keys"] or ())
        story.common = {pair: frozenset(keys) for pair, keys in learned.items()}
        everything = frozenset().union(*story.common.values())
        say(f"{len(story.common)} pairs of FIUs match blindly: {len(everything)} subjects in common")
    with steps.step("requests", "FIUs ask each other about the subjects both watch") as say:
        requests = {
            (peer, fleet.post(fiu, "/match/request", {"peer": peer})["message"])
            for (fiu, peer), keys in story.common.items()
            if keys
        }
        fleet.settle()
        for peer, message in sorted(requests):
            _answer(fleet, peer, message)
        fleet.settle()
        say(f"{len(requests)} requests between FIUs, each answered by a person (the demo's account)")


def _answer(fleet: Fleet, node: str, message: str) -> None:
    fleet.post(node, f"/messages/{message}/reply", {"by": ANALYST})


def report(net: Network, story: Story, steps: Steps) -> None:
    """Hops 3 to 5 at each institution: cases, duties, decisions, reports filed with the own FIU."""
    with steps.step("report", "Institutions open cases, decide, report") as say:
        for told in net.fleet.each(net.obliged, lambda name: _cases(net, story, name)).values():
            story.cases += told
        net.fleet.settle()
        duties = sum(len(told.case.duties) for told in story.cases)
        filed = sum(told.filed for told in story.cases)
        say(f"{len(story.cases)} cases, {duties} duties, {filed} reports filed, decided by {ANALYST}")


def _cases(net: Network, story: Story, name: str) -> list[Told]:
    """The cases of one institution: its strongest alerts, one of each rule, a sanctions hit first."""
    alerts: dict[str, list[Finding]] = defaultdict(list)
    for finding in story.findings[name]:
        if finding.level is Level.ALERT:
            alerts[finding.subject].append(finding)
    strongest = sorted(
        alerts.values(),
        key=lambda group: (
            not any(f.rule == _FIRST for f in group),
            -max(f.score for f in group),
            group[0].id,
        ),
    )
    chosen: list[list[Finding]] = []
    rules: set[str] = set()
    for group in strongest:
        if len(chosen) < CASES and not {f.rule for f in group} & rules:
            chosen.append(group)
            rules |= {f.rule for f in group}
    return [_case(net, name, group[:20]) for group in chosen]


def _case(net: Network, name: str, findings: Sequence[Finding]) -> Told:
    fleet, form = net.fleet, FORMATS[net.country(name)]
    opened = fleet.post(name, "/cases", {"findings": [f.id for f in findings]})
    case = codec.from_plain(Case, opened)
    required = sorted(
        {
            f"{duty.jurisdiction}: {duty.provision.source}"
            for duty in case.duties
            if duty.kind == "report_suspicion" and duty.force is Force.REQUIRED
        }
    )
    grounds = f"{findings[0].reasons[0]} The duty to report is in {'; '.join(required) or 'no known law'}."
    given = {"verdict": "report", "by": ANALYST, "grounds": grounds}
    case = codec.from_plain(Case, fleet.post(name, f"/cases/{case.id}/decisions", given))
    try:
        draft = fleet.post(name, f"/cases/{case.id}/reports", {"format": form})
    except PeerError as error:  # facts are missing: shown, not hidden
        return Told(name, case, form, problems=(f"{error.what} {error.why}".strip(),))
    problems = tuple(draft["problems"])
    if not problems:
        fleet.post(name, f"/reports/{draft['id']}/file")
    return Told(name, case, form, draft["filename"], draft["bytes"], problems, filed=not problems)


def gather(net: Network, story: Story) -> None:
    """Every message that was sent, each once, the oldest first."""
    sent = [
        codec.from_plain(Message, {k: v for k, v in each.items() if k != "state"})
        for name in net.members
        for each in net.fleet.pages(name, "/messages", "sent")
    ]
    story.messages = sorted(sent, key=lambda message: (message.created, message.id))
