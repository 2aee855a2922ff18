"""The audit logs, checked as a partner would: by the keys of the signed directory, not by a node's word."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx

from comity import codec
from comity.app.demo.facts import Story
from comity.app.demo.progress import Steps
from comity.app.demo.story import Network
from comity.audit.log import Head, verify_receipt
from comity.audit.note import Checkpoint
from comity.commons import commons
from comity.commons.commons import Root
from comity.errors import PeerError, Unverified
from comity.exchange.directory import Directory, Member
from comity.node.node import Node
from comity.node.paths import Paths

FROZEN = "freeze.answered"


def verify(net: Network, homes: Mapping[str, Path], trust: Path, story: Story, steps: Steps) -> None:
    """Every node recomputes its log; a member abroad fetches its checkpoint over mutual TLS and checks it
    with the key that the directory gives. Then one receipt: that the requester's log holds the freeze.

    Raises Unverified when anything does not hold.
    """
    with steps.step("audit", "Every audit log is recomputed, and checked from abroad") as say:
        directory = _directory(trust)
        checked: dict[str, Checkpoint] = {}
        heads = net.fleet.each(list(net.members), lambda name: net.fleet.get(name, "/audit/verify"))
        for name, plain in heads.items():
            story.heads[name] = head = codec.from_plain(Head, plain)
            abroad = next(fiu for fiu in net.fius if net.country(fiu) != net.country(name))
            note = _fetch(directory.member(name), homes[abroad])
            checked[name] = seen = Checkpoint.verify(note, name, directory.member(name).signing_key)
            if seen.size < head.size or (seen.size == head.size and seen.root.hex() != head.root):
                raise Unverified(
                    f"{name} showed {abroad} another log than its own operators",
                    remedy="keep both checkpoints: together they prove it",
                )
            story.checked[name] = abroad
        if story.frozen:
            story.receipt = _receipt(homes[story.frozen.requester], checked[story.frozen.requester])
        events = sum(head.size for head in story.heads.values())
        say(f"{len(heads)} audit logs hold: {events:,} entries, every checkpoint signed and seen abroad")


def _directory(trust: Path) -> Directory:
    root = codec.from_json(Root, (trust / "root.json").read_bytes())
    agreed = commons.load((trust / "commons.json").read_bytes(), root, datetime.now(UTC))
    return Directory.from_json(codec.canonical(agreed.directory))


def _fetch(member: Member, home: Path) -> str:
    """A member's checkpoint, as another member gets it. Raises PeerError."""
    paths = Paths(home)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=member.tls_certificate)
    context.load_cert_chain(paths.tls_certificate, paths.tls_key)
    try:
        with httpx.Client(base_url=member.url, verify=context, timeout=30.0, trust_env=False) as client:
            return client.get("/v1/checkpoint").raise_for_status().text
    except httpx.HTTPError as error:
        raise PeerError(
            f"no checkpoint from {member.id}", why=type(error).__name__, remedy="see whether it runs"
        ) from None


def _receipt(home: Path, checkpoint: Checkpoint) -> str:
    """Prove that the log under this checkpoint holds the answer to the freeze. Raises Unverified."""
    node = Node.open(home)
    try:
        with node.act() as conn:
            entries = node.audit.entries(conn, 0, checkpoint.size)
            index = max((entry.index for entry in entries if entry.kind == FROZEN), default=-1)
            if index < 0:
                raise Unverified("the log does not hold the freeze", remedy="read the node's log")
            receipt = node.audit.receipt(conn, index, checkpoint.size)
    finally:
        node.close()
    verify_receipt(receipt, checkpoint)
    return f"entry {receipt.index} of {receipt.size}, leaf {receipt.leaf_hash[:16]}…"
