"""Fetching an authority's file: over HTTPS only, bounded, into a file."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import httpx

from comity.errors import BadInput, PeerError, TooLarge

MAX_BYTES = 512 * 1024 * 1024
MAX_REDIRECTS = 5


def fetch(client: httpx.Client, url: str, path: Path) -> None:
    """Write what ``url`` serves to ``path``.

    Only ``https`` is fetched and followed; ``http`` only on this machine's loopback. Raises BadInput for an
    address that is not allowed, TooLarge past MAX_BYTES, PeerError when the authority does not deliver.
    """
    target = _allowed(url)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            with client.stream("GET", target, follow_redirects=False) as response:
                if response.has_redirect_location:
                    moved = target.join(response.headers["location"])
                    if moved.scheme != "https" and moved.host != target.host:
                        raise _not_delivered(target, f"it redirects to {moved.scheme}://{moved.host}")
                    target = _allowed(str(moved))
                    continue
                _write(response, target, path)
                return
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _not_delivered(target, str(error)[:200] or type(error).__name__) from None
    raise _not_delivered(target, f"it redirects more than {MAX_REDIRECTS} times")


def _write(response: httpx.Response, target: httpx.URL, path: Path) -> None:
    if response.status_code != httpx.codes.OK:
        raise _not_delivered(target, f"it answered {response.status_code}")
    if "html" in response.headers.get("content-type", ""):
        raise _not_delivered(target, "it answered with a web page")
    size = 0
    with path.open("wb") as file:
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > MAX_BYTES:
                raise TooLarge(
                    f"{target.host} serves more than {MAX_BYTES:,} bytes", remedy="check the address"
                )
            file.write(chunk)
    if not size:
        raise _not_delivered(target, "it answered with nothing")


def _allowed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise BadInput(f"not an address: {url[:80]!r}", remedy="give an https address") from None
    if parsed.scheme == "https" or (parsed.scheme == "http" and _loopback(parsed.host)):
        return parsed
    raise BadInput(
        f"lists are not fetched from {parsed.scheme}://{parsed.host}",
        why="whoever sits on the way could take a name off the list",
        remedy="give an https address",
    )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _not_delivered(target: httpx.URL, why: str) -> PeerError:
    return PeerError(
        f"{target.host} did not deliver the list", why=why, remedy="try again later, or load a file you have"
    )
