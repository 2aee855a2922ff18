"""A tiny report format: the reference and the narrative in XML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from comity.intake import xml_document
from comity.model import Report
from comity.reports import Problem, ReportSpec
from comity.reports._xml import against, problem, put, schemas, text, to_bytes

SPEC = ReportSpec("tiny", "Tiny report", "1", ".tiny", "tiny*.xsd", "made up", {"mood": "how it reads"})


def sniff(head: bytes) -> bool:
    """Whether the file begins as a tiny report does."""
    return b"<tinyReport" in head


def render(report: Report, options: Mapping[str, str] = {}) -> bytes:
    """The report as XML. Raises BadInput naming what is missing."""
    root = etree.Element("tinyReport", currency=text(report.currency, "currency", 3))
    put(root, "mood", options.get("mood", ""))
    put(root, "reference", text(report.reference, "reference", 60))
    put(root, "narrative", text(report.narrative, "narrative", 5_000))
    return to_bytes(root)


def check(data: bytes, schema: Path | None) -> tuple[Problem, ...]:
    """What is missing, and what the schema says. Raises BadInput when it is not XML."""
    root = xml_document(data)
    if root.tag != "tinyReport":
        return (problem(root, "the root is not tinyReport", "give a tiny report"),)
    found = [
        problem(root, f"no {name}", f"add {name}")
        for name in ("reference", "narrative")
        if not root.findtext(name)
    ]
    return (*found, *(against(root, schemas(schema, SPEC.schema)) if schema else ()))
