"""The codes a goAML report needs from its FIU's lists, with defaults (ADR 0006).

goAML leaves its code lists to each FIU, so the same letter means different things in two countries.
``base`` holds what the schema's unnamed entry allows: it is always well-formed, and an FIU that wants a
reason gets one in words. ``ae`` holds the codes of the lists in the schema 5.0.2 with those of the
United Arab Emirates. A filer overrides any of them by an option of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, Mapping[str, str]] = {
    "base": {
        "report_code": "STR",
        "funds_crypto": "-",
        "funds_transfer": "-",
        "transmode_crypto": "-",
        "transmode_transfer": "-",
        "transmode_comment": "",
        "account_type_crypto": "-",
        "account_type_bank": "-",
        "account_status": "-",
        "account_role": "-",
        "contact_type": "-",
        "communication_type": "-",
        "indicator": "-",
        "latin_names": "no",
        "unknown_state": "",
    },
    "ae": {
        "report_code": "STR",
        "funds_crypto": "CRPTC",
        "funds_transfer": "ELCFT",
        "transmode_crypto": "DAWLT",
        "transmode_transfer": "ELCFT",
        "transmode_comment": "-",
        "account_type_crypto": "CRYWT",
        "account_type_bank": "-",
        "account_status": "-",
        "account_role": "-",
        "contact_type": "-",
        "communication_type": "-",
        "indicator": "TSUCO",
        "latin_names": "yes",
        "unknown_state": "-",
    },
}

INDICATORS: Mapping[str, Mapping[str, str]] = {
    "base": {},
    "ae": {
        "structuring": "IUVC6",
        "fan_in": "IUVC3",
        "sanctions": "ITLSL",
        "mixer": "CRYMX",
        "ransomware": "IAORG",
        "darknet": "DRKM1",
        "self_hosted": "UHWLT",
    },
}

MEANING: Mapping[str, str] = {
    "report_code": "kind of report (report_type)",
    "funds_crypto": "virtual assets (funds_type)",
    "funds_transfer": "money moved between accounts (funds_type)",
    "transmode_crypto": "moved on a chain (conduction_type)",
    "transmode_transfer": "moved between banks (conduction_type)",
    "transmode_comment": "text where the schema insists on one",
    "account_type_crypto": "a wallet (account_type)",
    "account_type_bank": "an account at a bank (account_type)",
    "account_status": "state of the client's account (account_status_type)",
    "account_role": "the holder of an account (account_person_role_type)",
    "contact_type": "use of a telephone or address (contact_type)",
    "communication_type": "kind of telephone (communication_type)",
    "indicator": "indicator of a finding that INDICATORS does not map (report_indicator_type)",
    "latin_names": "yes where names must be in Latin letters; the original goes into the comments",
    "unknown_state": "state of an address where the schema insists on one",
}


def overlay(jurisdiction: str, options: Mapping[str, str]) -> str:
    """The table of the option ``overlay``, else of the jurisdiction, else ``base``."""
    name = options.get("overlay") or jurisdiction.lower()
    return name if name in CODES else "base"


def codes_for(name: str, options: Mapping[str, str]) -> dict[str, str]:
    """The codes of one table, with the options of the same names over them."""
    return {key: options.get(key, value) for key, value in CODES[name].items()}
