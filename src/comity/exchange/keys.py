"""One member's own keys: to sign (Ed25519), to open what is sealed for it (ML-KEM-768 with X25519), TLS.

On disk they are PEM files that only their owner may read, encrypted when a passphrase is given.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from comity.errors import BadInput, Conflict, SettingsError, Unverified
from comity.exchange.directory import Member, is_id, key_id
from comity.model import Institution

LIFETIME = timedelta(days=730)
LOCAL = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})*", re.IGNORECASE)
_FILES = ("signing.pem", "sealing-mlkem.pem", "sealing-x25519.pem", "tls-key.pem")
_CERTIFICATE = "tls-certificate.pem"
_MEMBER = "member.txt"


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The private keys of member ``member_id``. Its repr shows none of them."""

    member_id: str
    signing: Ed25519PrivateKey
    mlkem: MLKEM768PrivateKey
    x25519: X25519PrivateKey
    tls: ec.EllipticCurvePrivateKey
    tls_certificate: str

    def __repr__(self) -> str:
        return f"Keys({self.member_id!r})"

    @property
    def sealing(self) -> MLKEM768X25519PrivateKey:
        return MLKEM768X25519PrivateKey(self.mlkem, self.x25519)

    @property
    def signing_public(self) -> bytes:
        return self.signing.public_key().public_bytes_raw()

    @property
    def sealing_public(self) -> bytes:
        return self.mlkem.public_key().public_bytes_raw() + self.x25519.public_key().public_bytes_raw()

    @property
    def signing_id(self) -> str:
        return key_id(self.signing_public)

    @property
    def sealing_id(self) -> str:
        return key_id(self.sealing_public)

    def member(
        self, institution: Institution, url: str, valid_from: datetime, valid_until: datetime
    ) -> Member:
        """This member's entry for the directory. Raises BadInput, Unverified when the ids differ."""
        if institution.id != self.member_id:
            raise Unverified(
                f"these keys are those of {self.member_id}, not of {institution.id}",
                remedy="use the keys made for that member",
            )
        return Member(
            institution,
            url,
            base64.b64encode(self.signing_public).decode(),
            base64.b64encode(self.sealing_public).decode(),
            self.tls_certificate,
            valid_from,
            valid_until,
        )


def generate(
    member_id: str,
    now: datetime,
    *,
    hosts: Sequence[str] = (),
    entropy: Callable[[int], bytes] = os.urandom,
) -> Keys:
    """New keys for a member. ``hosts`` are further names or addresses its TLS certificate is good for.

    ``entropy(n)`` gives n random bytes: the operating system's, except in a seeded test. Raises BadInput.
    """
    if not is_id(member_id):
        raise BadInput(f"not a member id: {member_id[:80]!r}", remedy="use letters, digits, dots and dashes")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256's group
    tls = ec.derive_private_key(1 + int.from_bytes(entropy(48)) % (order - 1), ec.SECP256R1())
    serial = int.from_bytes(b"\x01" + entropy(15))
    return Keys(
        member_id,
        Ed25519PrivateKey.from_private_bytes(entropy(32)),
        MLKEM768PrivateKey.from_seed_bytes(entropy(64)),
        X25519PrivateKey.from_private_bytes(entropy(32)),
        tls,
        _certificate(member_id, now, hosts, tls, serial),
    )


def _certificate(
    member_id: str, now: datetime, hosts: Sequence[str], key: ec.EllipticCurvePrivateKey, serial: int
) -> str:
    """Self-signed: the directory, not an authority, says that it is this member's."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, member_id)])
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys((*LOCAL, member_id, *hosts)):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            if _HOST.fullmatch(host):
                names.append(x509.DNSName(host))
            elif host != member_id:
                raise BadInput(f"not a host name or address: {host[:80]!r}", remedy="correct it") from None
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def save(keys: Keys, folder: Path, passphrase: bytes = b"") -> None:
    """Write the keys into ``folder``, readable by their owner only. Raises Conflict if there are any."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    pkcs8 = serialization.PrivateFormat.PKCS8
    contents = [
        key.private_bytes(pem, pkcs8, lock) for key in (keys.signing, keys.mlkem, keys.x25519, keys.tls)
    ]
    named = dict(zip(_FILES, contents, strict=True))
    named |= {_CERTIFICATE: keys.tls_certificate.encode(), _MEMBER: keys.member_id.encode()}
    present = [name for name in named if (folder / name).exists()]
    if present:
        raise Conflict(
            f"there are keys in {folder.name} already: {present[0]}",
            why="what was sealed for them can be opened with them only",
            remedy="choose an empty folder, or move the old keys to a safe place first",
        )
    for name, content in named.items():
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)


def load(folder: Path, passphrase: bytes = b"") -> Keys:
    """Read the keys in ``folder``.

    Raises SettingsError when one is missing, open to others, damaged, or not opened by the passphrase.
    """
    signing, mlkem, x25519, tls = (_private(folder, name, passphrase) for name in _FILES)
    if not (
        isinstance(signing, Ed25519PrivateKey)
        and isinstance(mlkem, MLKEM768PrivateKey)
        and isinstance(x25519, X25519PrivateKey)
        and isinstance(tls, ec.EllipticCurvePrivateKey)
    ):
        raise SettingsError(
            f"the keys in {folder.name} are not of the kinds they are named for",
            why="a file was put in place of another",
            remedy="restore the files as they were saved",
        )
    member_id = _read(folder, _MEMBER).decode("ascii", "replace")
    return Keys(
        member_id, signing, mlkem, x25519, tls, _read(folder, _CERTIFICATE).decode("ascii", "replace")
    )


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError(
                f"{name} may be read by others",
                why="who reads a private key can sign and open in its owner's name",
                remedy=f"make it readable by its owner only (chmod 600 {name}), and consider new keys",
            )
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"the key file {name} cannot be read",
            why=error.strerror or "",
            remedy="make keys, or restore them",
        ) from None


def _private(folder: Path, name: str, passphrase: bytes) -> object:
    data = _read(folder, name)
    try:
        return serialization.load_pem_private_key(data, passphrase or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(
            f"the key in {name} cannot be opened",
            why="the passphrase is wrong, missing or not needed, or the file is damaged",
            remedy="give the passphrase the keys were saved with, or restore the file",
        ) from None
