"""FinCEN's codes that a SAR needs, by the names of EFL_SARXBatchSchema 1.2, and our rules in them."""

from __future__ import annotations

from collections.abc import Mapping

from comity.model import Role

TRANSMITTER, TRANSMITTER_CONTACT = "35", "37"
FILER, FILER_CONTACT = "30", "8"
SUBJECT, LOCATION, ACCOUNT_HOLDER = "33", "34", "41"
REQUIRED_PARTIES: Mapping[str, str] = {
    TRANSMITTER: "transmitter",
    TRANSMITTER_CONTACT: "transmitter contact",
    FILER: "filing institution",
    FILER_CONTACT: "contact for assistance",
    LOCATION: "institution where the activity occurred",
    SUBJECT: "subject",
}

TIN, CONTROL_NUMBER, TRANSMITTER_CODE, OTHER = "4", "29", "28", "999"
ACCOUNT_AT_INSTITUTION, ACCOUNT_AFFECTED = "7", "5"

# organisation type, and the regulator when none is set: IRS examines MSBs, 99 is "not applicable"
ORGANISATION: Mapping[Role, tuple[str, str]] = {Role.VASP: ("4", "7"), Role.BANK: ("2", "99")}

DOCUMENTS: Mapping[str, str] = {
    "ssn": "1",
    "ein": "2",
    "tax": "9",
    "drivers_licence": "5",
    "passport": "6",
    "alien_registration": "7",
}
TAX_DOCUMENTS = frozenset({"1", "2", "9"})

# (type, subtype) of SuspiciousActivityClassification for each rule of ours that has one
CLASSIFICATION: Mapping[str, tuple[str, str]] = {
    "structuring": ("1", "113"),
    "fan_in": ("8", "824"),
    "fan_out": ("8", "807"),
    "pass_through": ("8", "821"),
    "velocity": ("8", "812"),
    "dormancy": ("8", "812"),
    "cycle": ("9", "925"),
    "chain": ("9", "925"),
    "scatter_gather": ("9", "911"),
    "stacked_bipartite": ("9", "911"),
}
OTHER_ACTIVITY = ("9", "9999")
WITH_TEXT = frozenset(
    {"1999", "3999", "4999", "5999", "6999", "7999", "8999", "9999", "10999", "11999", "12999"}
)
VIRTUAL_CURRENCY = "Virtual currency"

INSTRUMENT = "6"
FUNDS_TRANSFER, OTHER_INSTRUMENT = "33", "41"
CYBER_OTHER = "999"
