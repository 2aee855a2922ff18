"""No message passes unless the law of both ends lets it; a refusal names what is missing, and where."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from comity.errors import BadInput, NoGateway
from comity.model import Institution, OnwardUse, Role
from comity.standard.gateways import Passage, allow
from comity.standard.law import Standard

ON = date(2026, 11, 23)
LATER = date(2027, 7, 10)


def who(role: Role, *countries: str) -> Institution:
    return Institution(f"{role}-{countries}", "x", role, countries)


def ask(
    standard: Standard, sender: Institution, recipient: Institution, content: str, **more: Any
) -> Passage:
    given: dict[str, Any] = {"purpose": "money_laundering", "on": ON} | more
    return allow(standard, sender=sender, recipient=recipient, content=content, **given)


FIU_DE, FIU_US, FIU_AE = (who(Role.FIU, each) for each in ("DE", "US", "AE"))
VASP_DE, VASP_US, VASP_SG = (who(Role.VASP, each) for each in ("DE", "US", "SG"))


def test_fiu_to_fiu_relies_on_both_ends(installed: Standard) -> None:
    passage = ask(installed, FIU_DE, FIU_US, "request")
    assert (passage.sender.jurisdiction, passage.recipient.jurisdiction) == ("de", "us")
    assert "GwG ss.34-35" in passage.sender.source
    assert passage.onward is OnwardUse.WITH_CONSENT
    assert len(passage.limits) == 2
    assert passage.legal_basis == f"{passage.sender.source}; {passage.recipient.source}"
    assert len(passage.cautions) == 2


def test_low_confidence_is_never_silent(installed: Standard) -> None:
    passage = ask(installed, FIU_DE, FIU_AE, "request")
    assert any("(ae) is low" in caution for caution in passage.cautions)


def test_at_home_one_provision_serves_both_ends(installed: Standard) -> None:
    passage = ask(installed, VASP_DE, FIU_DE, "report")
    assert passage.sender is passage.recipient
    assert passage.legal_basis == passage.sender.source
    assert len(passage.cautions) == 1


@pytest.mark.parametrize(
    ("sender", "recipient", "content"),
    [
        (FIU_DE, VASP_DE, "request"),
        (VASP_DE, FIU_DE, "reply"),
        (FIU_DE, VASP_DE, "freeze_request"),
        (FIU_DE, FIU_US, "freeze_request"),
        (who(Role.LEA, "US"), VASP_US, "freeze_request"),
        (VASP_US, who(Role.BANK, "US"), "match_offer"),
        (who(Role.BANK, "SG"), who(Role.BANK, "SG"), "request"),
        (VASP_DE, VASP_SG, "travel_rule"),
        (VASP_US, VASP_DE, "travel_rule"),
        (FIU_DE, who(Role.LEA, "DE"), "spontaneous_disclosure"),
        (who(Role.SUPERVISOR, "DE"), FIU_DE, "report"),
    ],
)
def test_what_passes(installed: Standard, sender: Institution, recipient: Institution, content: str) -> None:
    assert ask(installed, sender, recipient, content).sender.confidence


@pytest.mark.parametrize(
    ("sender", "recipient", "content", "words"),
    [
        # A foreign FIU may not freeze at an institution abroad: FIU, then FIU, then its own institution.
        (
            FIU_US,
            VASP_DE,
            "freeze_request",
            ("sender, US", "freeze (cross-border)", "gives none", "FIU of DE"),
        ),
        (FIU_DE, VASP_US, "freeze_request", ("sender, DE", "freeze (cross-border)", "silent", "FIU of US")),
        (FIU_US, VASP_US, "freeze_request", ("sender, US", "freeze (domestic)", "gives none", "legal")),
        (FIU_DE, VASP_US, "request", ("sender, DE", "cross-border", "silent", "FIU of US")),
        (VASP_DE, FIU_US, "report", ("sender, DE", "obliged_to_fiu (cross-border)", "silent", "own FIU")),
        (VASP_DE, VASP_US, "match_offer", ("sender, DE", "obliged_to_obliged (cross-border)", "silent", "")),
        (VASP_SG, who(Role.BANK, "SG"), "request", ("sender, SG", "domestic", "prescribed banks only", "")),
        (who(Role.BANK, "SG"), who(Role.BANK, "SG"), "pool", ("sender, SG", "", "does not cover pool", "")),
        (who(Role.VASP, "AE"), who(Role.VASP, "AE"), "request", ("sender, AE", "", "is unknown", "")),
        (FIU_DE, who(Role.FIU, "NO"), "request", ("recipient, NO", "", "no law file for NO", "")),
        # Union law reaches Italy's institutions, but what its FIU may share is national law we have not.
        (FIU_DE, who(Role.FIU, "IT"), "request", ("recipient, IT", "", "no law file for IT", "")),
        (who(Role.SUPERVISOR, "SG"), VASP_SG, "request", ("sender, SG", "", "silent", "")),
        (who(Role.LEA, "DE"), VASP_US, "freeze_request", ("sender, DE", "", "silent", "FIU of US")),
    ],
)
def test_what_does_not_pass(
    installed: Standard, sender: Institution, recipient: Institution, content: str, words: tuple[str, ...]
) -> None:
    end, missing, why, remedy = words
    with pytest.raises(NoGateway) as refused:
        ask(installed, sender, recipient, content)
    assert end in refused.value.what
    assert missing in refused.value.what
    assert why in refused.value.why
    assert remedy in refused.value.remedy


def test_the_purpose_must_be_covered(installed: Standard) -> None:
    with pytest.raises(NoGateway) as refused:
        ask(installed, FIU_DE, FIU_US, "request", purpose="sanctions")
    assert "does not cover the purpose sanctions" in refused.value.why


def test_what_only_the_standard_recommends_is_no_gateway(installed: Standard) -> None:
    lea = who(Role.LEA, "DE")
    assert ask(installed, lea, VASP_DE, "request")
    fatf = Institution("fatf", "x", Role.FIU, ("FATF",))
    with pytest.raises(NoGateway) as refused:
        ask(installed, fatf, FIU_DE, "request")
    assert "binds states only" in refused.value.why


def test_roles_no_law_connects(installed: Standard) -> None:
    from dataclasses import replace

    questions = {k: v for k, v in installed.vocabulary.questions.items() if k != "gateway.lea_to_lea"}
    narrow = replace(installed, vocabulary=replace(installed.vocabulary, questions=questions))
    with pytest.raises(NoGateway) as refused:
        ask(narrow, who(Role.LEA, "DE"), who(Role.LEA, "US"), "request")
    assert "connects these two roles" in refused.value.why


def test_inside_a_bloc_other_law_applies(installed: Standard) -> None:
    passage = ask(installed, FIU_DE, who(Role.FIU, "DE"), "request")
    assert "GwG s.33" in passage.sender.source
    banks = ask(installed, VASP_DE, who(Role.BANK, "DE"), "pool", on=LATER)
    assert "Art. 75" in banks.sender.source
    with pytest.raises(NoGateway):
        ask(installed, VASP_DE, who(Role.BANK, "DE"), "pool")


def test_an_institution_of_several_countries_speaks_from_the_shared_one(installed: Standard) -> None:
    both = who(Role.VASP, "SG", "US")
    assert ask(installed, both, VASP_US, "match_offer").sender.jurisdiction == "us"
    assert ask(installed, both, VASP_DE, "travel_rule").sender.jurisdiction == "sg"


def test_words_no_gateway_speaks_of(installed: Standard) -> None:
    for more in ({"purpose": "curiosity"}, {"content": "gossip"}):
        given: dict[str, Any] = {"purpose": "money_laundering", "content": "request"} | more
        with pytest.raises(BadInput, match="speaks of"):
            allow(installed, sender=FIU_DE, recipient=FIU_US, on=ON, **given)
    with pytest.raises(BadInput, match="no jurisdiction"):
        ask(installed, who(Role.FIU), FIU_US, "request")
