"""Match: which of my subjects do you also know? Private set intersection (ECDH on P-256, semi-honest).

Two messages: the client's offer and the server's answer, as bytes, so that they travel in envelopes.
**What each side learns.** The client: which of its own keys the server also holds, and the bucket that
the server's number of keys lies in. The server: the bucket of the client's number of keys, nothing else.
When both want to learn, they run it once in each direction. Both sets are filled up with random
dummies to a power of two (at least 64), so no number is shown more closely than that.

**What it does not stop.** A client may offer keys it does not hold, to ask whether the server holds them: so
only identifiers that cannot be guessed are matched, a budget bounds how many (`budget`), a hit is
no disclosure, and both sides log it. A server may hold keys it has no right to, or answer falsely:
then a hit is not confirmed by the request that follows it.

**Exact.** Of openmined-psi's structures only RAW is used. Golomb-coded sets and Bloom filters would make the
answer about half as long (measured with 256 keys a side: 10.2 and 10.7 against 17.9 kB) but have false
positives, and here each one would be a person; and decoding them from a hostile peer aborts, hangs or
crashes the process (our fuzzing, version 2.0.6), which RAW, with its points checked for form, does not.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable, Iterable
from typing import Any

from comity import codec
from comity.errors import BadInput, Conflict, TooLarge

MAX_KEYS = 1 << 16
MAX_KEY = 512
SMALLEST = 64

_OFFER = b"comity match offer 1\n"
_ANSWER = b"comity match answer 1\n"
_LENGTH = struct.Struct(">I")
_POINT = 33
_EACH = _POINT + 2
_MAX_PART = MAX_KEYS * _EACH + 64
_MAX_SAVED = 2 * MAX_KEYS * (MAX_KEY + 3) + 1024

Entropy = Callable[[int], bytes]


def bucket(count: int) -> int:
    """How many elements are sent for ``count`` keys. Raises TooLarge beyond MAX_KEYS."""
    if count > MAX_KEYS:
        raise TooLarge(f"{count:,} keys to match", remedy=f"match at most {MAX_KEYS:,} at once")
    return max(SMALLEST, 1 << (count - 1).bit_length() if count else 0)


def _filled(keys: Iterable[str], entropy: Entropy) -> list[str]:
    """The keys, each once, and dummies up to the bucket, in an order that says nothing."""
    unique = sorted(set(keys))
    for key in unique:
        if not 0 < len(key) <= MAX_KEY:
            raise BadInput("a key to match is empty or too long", remedy=f"at most {MAX_KEY} characters")
    dummies = [f"dummy|{entropy(16).hex()}" for _ in range(bucket(len(unique)) - len(unique))]
    drawn = [(entropy(16), element) for element in (*unique, *dummies)]
    return [element for _, element in sorted(drawn)]


def _psi() -> Any:
    import private_set_intersection.python as psi  # C++, a tenth of a second: only when it is used

    return psi


def _parse(kind: Any, data: bytes) -> Any:
    """A protobuf of that kind. Its own errors are RuntimeErrors or DecodeErrors, as the backend has it."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    message = kind()
    try:
        message.ParseFromString(data)
    except (DecodeError, RuntimeError):
        raise _malformed("it is not the protocol's encoding") from None
    return message


def _check_points(points: Iterable[bytes], count: int) -> None:
    """Only a bucket's number of compressed points reaches the C++: 33 bytes, the first 2 or 3."""
    checked = list(points)
    size = len(checked)
    if size > MAX_KEYS or size != bucket(size) or (count and size != count):
        raise _malformed("it has a number of elements that it cannot have")
    if any(len(point) != _POINT or point[0] not in (2, 3) for point in checked):
        raise _malformed("an element in it is not a compressed point")


def _malformed(why: str) -> BadInput:
    return BadInput("the match message is malformed", why=why, remedy="ask the peer to send it again")


def _body(data: bytes, label: bytes, limit: int) -> bytes:
    if len(data) > limit + len(label):
        raise TooLarge(f"a match message of {len(data):,} bytes", remedy=f"at most {MAX_KEYS:,} keys at once")
    if not data.startswith(label):
        raise _malformed("it does not begin as one")
    return data[len(label) :]


def offered(request: bytes) -> int:
    """How many elements an offer holds (a bucket): what to charge to the peer's budget. Raises BadInput."""
    parsed = _parse(_psi().Request, _body(request, _OFFER, _MAX_PART))
    _check_points(parsed.encrypted_elements, 0)
    return len(parsed.encrypted_elements)


class Client:
    """The side that asks and learns. Good for one offer; `save` and `restore` carry it over a restart.

    ``entropy(n)`` gives n random bytes for dummies and order; the encryption key is the library's own.
    """

    def __init__(self, entropy: Entropy = secrets.token_bytes) -> None:
        self._entropy = entropy
        self._elements: list[str] = []
        self._keys: frozenset[str] = frozenset()
        self._psi = _psi().client.CreateWithNewKey(True)

    def offer(self, keys: Iterable[str]) -> bytes:
        """The bytes to send. Raises BadInput, TooLarge, and Conflict when it has offered before."""
        if self._elements:
            raise Conflict("this client has made its offer", remedy="make a new client for a new offer")
        self._keys = frozenset(keys)
        self._elements = _filled(self._keys, self._entropy)
        return _OFFER + bytes(self._psi.CreateRequest(self._elements).SerializeToString())

    def intersection(self, answer: bytes) -> list[str]:
        """The keys of the offer that the server also holds, sorted. Raises BadInput, TooLarge, Conflict."""
        if not self._elements:
            raise Conflict("this client has made no offer", remedy="make the offer first")
        body = _body(answer, _ANSWER, _LENGTH.size + 2 * _MAX_PART)
        if len(body) < _LENGTH.size:
            raise _malformed("it is too short")
        (length,) = _LENGTH.unpack_from(body)
        setup = _parse(_psi().ServerSetup, body[_LENGTH.size : _LENGTH.size + length])
        response = _parse(_psi().Response, body[_LENGTH.size + length :])
        if setup.WhichOneof("data_structure") != "raw":
            raise _malformed("the server's set is not in the raw form")
        _check_points(setup.raw.encrypted_elements, 0)
        _check_points(response.encrypted_elements, len(self._elements))
        try:
            found = self._psi.GetIntersection(setup, response)
        except (RuntimeError, ValueError):
            raise _malformed("an element in it is not on the curve") from None
        return sorted({self._elements[index] for index in found} & self._keys)

    def save(self) -> bytes:
        """All that `restore` needs. Secret: it holds the keys and what they are encrypted with."""
        return codec.canonical(
            {
                "elements": self._elements,
                "keys": sorted(self._keys),
                "secret": self._psi.GetPrivateKeyBytes().hex(),
            }
        )

    @classmethod
    def restore(cls, saved: bytes) -> Client:
        """The client as it was. Raises BadInput."""
        plain = codec.from_json(dict[str, list[str] | str], saved, limit=_MAX_SAVED)
        elements, keys, secret = plain.get("elements"), plain.get("keys"), plain.get("secret")
        if not (isinstance(elements, list) and isinstance(keys, list) and isinstance(secret, str)):
            raise BadInput("not a saved match client", remedy="make a new offer")
        client = cls.__new__(cls)
        client._entropy = secrets.token_bytes
        client._elements, client._keys = elements, frozenset(keys)
        try:
            client._psi = _psi().client.CreateFromKey(bytes.fromhex(secret), True)
        except (RuntimeError, ValueError):
            raise BadInput("not a saved match client", remedy="make a new offer") from None
        return client


class Server:
    """The side that answers. A new encryption key for every answer, so that no two can be compared."""

    def __init__(self, entropy: Entropy = secrets.token_bytes) -> None:
        self._entropy = entropy

    def answer(self, request: bytes, keys: Iterable[str]) -> bytes:
        """The bytes to send back. Raises BadInput, TooLarge."""
        psi = _psi()
        elements = _filled(keys, self._entropy)
        parsed = _parse(psi.Request, _body(request, _OFFER, _MAX_PART))
        _check_points(parsed.encrypted_elements, 0)
        server = psi.server.CreateWithNewKey(True)
        try:
            response = server.ProcessRequest(parsed).SerializeToString()
        except (RuntimeError, ValueError):
            raise _malformed("an element in it is not on the curve") from None
        # The rate of false positives has no meaning for the raw form; the library wants one.
        setup = server.CreateSetupMessage(
            1e-9, len(parsed.encrypted_elements), elements, psi.DataStructure.RAW
        ).SerializeToString()
        return _ANSWER + _LENGTH.pack(len(setup)) + bytes(setup) + bytes(response)
