"""The nouns. Frozen, slotted dataclasses that import nothing but the errors.

Transfer → Finding → Duty → Decision → Act (Report, Message, Measure), and what they are made of.
"""

from comity.model.amount import BITCOIN, BTC, ETH, ETHEREUM, TRON, AccountId, Amount, AssetId
from comity.model.attribution import MARKS, Attribution, mark_of
from comity.model.authorisation import Authorisation, Ground, Ruling
from comity.model.case import Case, CaseState, Decision, Verdict
from comity.model.columns import Columns, Facts, Known, Mark
from comity.model.finding import Finding, FindingKind, Level
from comity.model.knowledge import Knowledge, Limit, Regime
from comity.model.listing import Listing, ListingKind
from comity.model.measure import Measure, MeasureKind, MeasureState, Receipt
from comity.model.message import Handling, Message, MessageKind, OnwardUse
from comity.model.party import Identifier, Institution, Party, PartyKind, Role
from comity.model.provision import (
    Answer,
    Basis,
    Confidence,
    Deadline,
    Duty,
    Force,
    Gateway,
    Operator,
    Power,
    Provision,
    Threshold,
)
from comity.model.rate import Rate
from comity.model.report import Officer, Report, Subject
from comity.model.transfer import Transfer

__all__ = [
    "BITCOIN",
    "BTC",
    "ETH",
    "ETHEREUM",
    "MARKS",
    "TRON",
    "AccountId",
    "Amount",
    "Answer",
    "AssetId",
    "Attribution",
    "Authorisation",
    "Basis",
    "Case",
    "CaseState",
    "Columns",
    "Confidence",
    "Deadline",
    "Decision",
    "Duty",
    "Facts",
    "Finding",
    "FindingKind",
    "Force",
    "Gateway",
    "Ground",
    "Handling",
    "Identifier",
    "Institution",
    "Knowledge",
    "Known",
    "Level",
    "Limit",
    "Listing",
    "ListingKind",
    "Mark",
    "Measure",
    "MeasureKind",
    "MeasureState",
    "Message",
    "MessageKind",
    "Officer",
    "OnwardUse",
    "Operator",
    "Party",
    "PartyKind",
    "Power",
    "Provision",
    "Rate",
    "Receipt",
    "Regime",
    "Report",
    "Role",
    "Ruling",
    "Subject",
    "Threshold",
    "Transfer",
    "Verdict",
    "mark_of",
]
