"""Keys to match on: what an institution holds, in the one spelling that both sides would write.

Only identifiers too many to guess are offered (wallets, accounts, document numbers, LEIs). Names, birth
dates and telephone numbers are not: a peer could try them all (an intersection is private, not blind).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from stdnum import iban, lei
from stdnum.exceptions import ValidationError

from comity.errors import BadInput
from comity.model import AccountId, Identifier, Party

_DOCUMENTS = frozenset(
    {"passport", "national_id", "tax", "residence_permit", "driving_licence", "registration"}
)
_LOWER_CASE = ("eip155:",)
_COUNTRY = re.compile(r"[A-Z]{2}")
_SHORTEST = 5


class IdentifierKind(StrEnum):
    """What is matched on. Budgets are per kind."""

    WALLET = "wallet"
    ACCOUNT = "account"
    DOCUMENT = "document"
    LEI = "lei"


def of_account(account: AccountId) -> tuple[IdentifierKind, str] | None:
    """The key of a wallet or bank account; None for a transaction hub, which is nobody's account.

    Raises BadInput on an IBAN whose check digits are wrong.
    """
    if account.is_hub:
        return None
    if account.chain is not None:
        text = str(account)
        text = text.lower() if text.startswith(_LOWER_CASE) else text
        return IdentifierKind.WALLET, f"wallet|{text}"
    if account.institution is not None:
        return IdentifierKind.ACCOUNT, f"account|{account}"
    try:
        return IdentifierKind.ACCOUNT, f"account|iban:{iban.validate(account.address)}"
    except ValidationError:
        raise _refused("an IBAN", "its check digits or its country's form are wrong") from None


def of_identifier(identifier: Identifier) -> tuple[IdentifierKind, str] | None:
    """The key of a document number or LEI; None for a kind that is not matched on (telephone, e-mail).

    A document number is upper case without anything but letters and digits, with its country (ISO 3166-1
    alpha-2), since numbers repeat from country to country. Raises BadInput when it has none, or is so
    short that it could be guessed.
    """
    if identifier.kind == "lei":
        try:
            return IdentifierKind.LEI, f"lei|{lei.validate(identifier.value)}"
        except ValidationError:
            raise _refused("an LEI", "its check digits are wrong") from None
    if identifier.kind not in _DOCUMENTS:
        return None
    country = identifier.country.upper()
    if not _COUNTRY.fullmatch(country):
        raise _refused(f"a {identifier.kind}", "it has no country (two letters)")
    folded = unicodedata.normalize("NFKC", identifier.value).upper()
    number = "".join(letter for letter in folded if letter.isalnum())
    if len(number) < _SHORTEST:
        raise _refused(f"a {identifier.kind}", f"its number has fewer than {_SHORTEST} letters and digits")
    return IdentifierKind.DOCUMENT, f"document|{identifier.kind}|{country}|{number}"


def keys_of(
    kind: IdentifierKind, *, accounts: Iterable[AccountId] = (), parties: Iterable[Party] = ()
) -> tuple[str, ...]:
    """All keys of one kind, each once, sorted. Raises BadInput naming what is wrong, never the value."""
    made = [of_account(account) for account in accounts]
    made += [of_identifier(identifier) for party in parties for identifier in party.identifiers]
    return tuple(sorted({key for found in made if found for of, key in [found] if of is kind}))


def _refused(what: str, why: str) -> BadInput:
    return BadInput(f"{what} cannot be matched on", why=why, remedy="correct it, or leave it out")
