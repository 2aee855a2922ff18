"""What loading the law costs beside parsing its YAML."""

from __future__ import annotations

import yaml

from bench import Row
from bench._measure import both
from comity import jurisdictions
from comity.standard.load import load

CLAIM = "Law that is checked provision by provision is loaded for at most five times the parsing of its YAML."
GOAL = 0.2


def _parse() -> list[str]:
    files = jurisdictions.files()
    return [yaml.load(file.read_bytes(), Loader=yaml.CBaseLoader)["jurisdiction"] for file in files.values()]


def run(_scale: float) -> list[Row]:
    """See the contract in `bench`."""
    ours, theirs = both(load, _parse)
    standard = ours.answer
    assert sorted(standard.jurisdictions) == theirs.answer
    provisions = sum(len(found) for law in standard.provisions.values() for found in law.values())
    return [
        Row(
            work=f"load {len(theirs.answer)} law files, {provisions:,} provisions",
            ours=ours.best,
            peer=theirs.best,
            peer_version=f"PyYAML {yaml.__version__} with libyaml: parses them, checks nothing",
            goal=GOAL,
        ),
    ]
