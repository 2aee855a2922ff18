"""Who the members are: organisation, address, and public keys. Published and signed by the commons."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

from comity import codec
from comity.errors import BadInput, NotFound, TooLarge, Unverified
from comity.model import Institution

MAX_MEMBERS = 20_000
_MLKEM_BYTES = 1184
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_id(text: str) -> bool:
    """Whether this may be the id of a member or message: 1 to 64 letters, digits, dots, dashes."""
    return _ID.fullmatch(text) is not None


def key_id(public: bytes) -> str:
    """The short name of a public key: the first 16 bytes of its SHA-256, in hex."""
    return hashlib.sha256(public).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Member:
    """One member, as the directory lists it.

    ``url`` is where its node listens (https). ``signing`` is base64 of an Ed25519 public key (32 bytes),
    ``sealing`` of an ML-KEM-768 followed by an X25519 public key (1184 + 32 bytes);
    ``tls_certificate`` is the PEM its node shows. Valid from the one instant until before the other.
    """

    institution: Institution
    url: str
    signing: str
    sealing: str
    tls_certificate: str
    valid_from: datetime
    valid_until: datetime

    def __post_init__(self) -> None:
        where = f"member {self.institution.id[:64]!r}"
        parts = urlsplit(self.url)
        if not is_id(self.institution.id):
            raise _refused(where, "the id is not 1 to 64 letters, digits, dots or dashes")
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise _refused(where, "the url is not a plain https address")
        if self.valid_from.tzinfo is None or self.valid_until.tzinfo is None:
            raise _refused(where, "a validity date has no time zone")
        if self.valid_from >= self.valid_until:
            raise _refused(where, "it would end before it begins")
        try:
            _ = self.signing_key, self.sealing_key, self.tls_fingerprint
        except (ValueError, binascii.Error) as error:
            raise _refused(where, f"a key or certificate cannot be read: {error}") from None

    @property
    def id(self) -> str:
        return self.institution.id

    @property
    def signing_key(self) -> Ed25519PublicKey:
        return _signing_key(self.signing)

    @property
    def signing_id(self) -> str:
        return key_id(base64.b64decode(self.signing, validate=True))

    @property
    def sealing_key(self) -> MLKEM768X25519PublicKey:
        return _sealing_key(self.sealing)

    @property
    def sealing_id(self) -> str:
        return key_id(base64.b64decode(self.sealing, validate=True))

    @property
    def tls_fingerprint(self) -> str:
        """SHA-256 of the certificate's DER, in hex."""
        certificate = x509.load_pem_x509_certificate(self.tls_certificate.encode())
        return certificate.fingerprint(hashes.SHA256()).hex()


# Reading a key costs a tenth of sealing a message, and a partner's is the same for every one.
@lru_cache(maxsize=1024)
def _signing_key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))


@lru_cache(maxsize=1024)
def _sealing_key(text: str) -> MLKEM768X25519PublicKey:
    raw = base64.b64decode(text, validate=True)
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_BYTES]),
        X25519PublicKey.from_public_bytes(raw[_MLKEM_BYTES:]),
    )


def _refused(where: str, why: str) -> BadInput:
    return BadInput(f"{where} cannot be listed", why=why, remedy="correct it and sign the directory again")


@dataclass(frozen=True, slots=True)
class Directory:
    """All members. Ids and keys are each one member's only."""

    members: tuple[Member, ...]
    _by_id: Mapping[str, Member] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.members) > MAX_MEMBERS:
            raise TooLarge(f"a directory of {len(self.members):,} members", remedy=f"at most {MAX_MEMBERS:,}")
        for what in ("id", "signing_id", "sealing_id"):
            seen: set[str] = set()
            for member in self.members:
                value = getattr(member, what)
                if value in seen:
                    raise _refused(f"member {member.id!r}", f"its {what} is another member's too")
                seen.add(value)
        object.__setattr__(self, "_by_id", {member.id: member for member in self.members})

    def member(self, member_id: str) -> Member:
        """The member of that id, valid or not. Raises NotFound."""
        try:
            return self._by_id[member_id]
        except KeyError:
            raise NotFound(
                f"no member {member_id[:64]!r} in the directory",
                why=f"it lists {len(self.members)} members",
                remedy="check the id, or fetch the newest directory",
            ) from None

    def valid(self, member_id: str, now: datetime) -> Member:
        """The member of that id, if its entry is valid at ``now``. Raises NotFound, Unverified."""
        member = self.member(member_id)
        if not member.valid_from <= now < member.valid_until:
            raise Unverified(
                f"the directory's entry of {member_id} is not valid now",
                why=f"it is valid from {member.valid_from.date()} until {member.valid_until.date()}",
                remedy="fetch the newest directory; if it is the newest, ask the member to renew its keys",
            )
        return member

    def in_jurisdiction(self, jurisdiction: str) -> tuple[Member, ...]:
        """The members of one jurisdiction, by id."""
        found = (member for member in self.members if jurisdiction in member.institution.jurisdictions)
        return tuple(sorted(found, key=lambda member: member.id))

    def to_json(self) -> bytes:
        """Canonical JSON: equal directories have equal bytes."""
        members = sorted(self.members, key=lambda member: member.id)
        return codec.canonical({"members": [codec.to_plain(member) for member in members]})

    @classmethod
    def from_json(cls, data: bytes) -> Directory:
        """Read a directory. Raises BadInput, TooLarge. That it is genuine is the commons' to show."""
        return cls(codec.from_json(_Listed, data, limit=MAX_MEMBERS * 8192).members)


@dataclass(frozen=True, slots=True)
class _Listed:
    members: tuple[Member, ...]
