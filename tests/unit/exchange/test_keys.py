from __future__ import annotations

import dataclasses
import random
import stat
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from comity.errors import BadInput, Conflict, SettingsError, Unverified
from comity.exchange import keys
from comity.exchange.directory import Directory
from comity.exchange.keys import Keys


def same(one: Keys, other: Keys) -> bool:
    return (one.signing_public, one.sealing_public, one.tls_certificate, one.member_id) == (
        other.signing_public,
        other.sealing_public,
        other.tls_certificate,
        other.member_id,
    )


def test_entropy_decides_the_keys(now: datetime) -> None:
    first, again = (keys.generate("a", now, entropy=random.Random(5).randbytes) for _ in range(2))
    other = keys.generate("a", now)
    assert (first.signing_public, first.sealing_public) == (again.signing_public, again.sealing_public)
    assert first.signing_id != other.signing_id
    assert first.sealing_id != other.sealing_id


def test_the_certificate_names_the_member_and_its_hosts(now: datetime) -> None:
    made = keys.generate("fiu-de", now, hosts=("node.example", "192.0.2.1"))
    certificate = x509.load_pem_x509_certificate(made.tls_certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "fiu-de", "node.example"}
    assert {str(ip) for ip in names.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "::1", "192.0.2.1"}
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    with pytest.raises(BadInput, match="host name"):
        keys.generate("a", now, hosts=("no host",))
    with pytest.raises(BadInput, match="member id"):
        keys.generate("no id", now)


@pytest.mark.parametrize("passphrase", [b"", b"correct horse"])
def test_saved_keys_are_read_back(tmp_path: Path, ring: dict[str, Keys], passphrase: bytes) -> None:
    folder = tmp_path / "keys"
    keys.save(ring["fiu-de"], folder, passphrase)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (b"ENCRYPTED" in path.read_bytes()) == (b"PRIVATE" in path.read_bytes() and bool(passphrase))
    again = keys.load(folder, passphrase)
    assert same(again, ring["fiu-de"])
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    assert suite.decrypt(suite.encrypt(b"x", ring["fiu-de"].sealing.public_key()), again.sealing) == b"x"
    with pytest.raises(Conflict, match="keys already"):
        keys.save(ring["fiu-de"], folder)
    for wrong in {b"", b"wrong"} - {passphrase}:
        with pytest.raises(SettingsError, match="cannot be opened"):
            keys.load(folder, wrong)


def test_keys_that_cannot_be_used(tmp_path: Path, ring: dict[str, Keys]) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        keys.load(tmp_path)
    keys.save(ring["fiu-de"], tmp_path / "k")
    signing = tmp_path / "k" / "signing.pem"
    signing.chmod(0o640)
    with pytest.raises(SettingsError, match="read by others"):
        keys.load(tmp_path / "k")
    signing.chmod(0o600)
    signing.write_bytes((tmp_path / "k" / "sealing-x25519.pem").read_bytes())
    with pytest.raises(SettingsError, match="not of the kinds"):
        keys.load(tmp_path / "k")
    signing.write_bytes(b"rubbish")
    with pytest.raises(SettingsError, match="cannot be opened"):
        keys.load(tmp_path / "k")


def test_nothing_private_is_shown(ring: dict[str, Keys]) -> None:
    assert repr(ring["fiu-de"]) == "Keys('fiu-de')"


def test_an_entry_is_for_its_own_member_only(ring: dict[str, Keys], directory: Directory) -> None:
    member = directory.members[0]
    with pytest.raises(Unverified, match="not of fiu-fr"):
        ring["fiu-de"].member(
            dataclasses.replace(member.institution, id="fiu-fr"),
            member.url,
            member.valid_from,
            member.valid_until,
        )
