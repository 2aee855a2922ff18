"""The first exercise: a bundle that can be solved, does not tell, and is graded."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from comity import codec
from comity.errors import BadInput, StoreError, Unverified
from comity.training.exercise import mark, play, truth
from comity.training.grade import read_answers
from comity.training.scheme import SchemeKind

SEED = 41


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("exercise") / "first-case"
    play(directory, SEED)
    return directory


def hand_in(bundle: Path, schemes: list[dict[str, object]]) -> None:
    (bundle / "answers.json").write_text(json.dumps({"schemes": schemes}))


def perfect() -> list[dict[str, object]]:
    return [{"kind": scheme.kind, "accounts": list(scheme.accounts)} for scheme in truth(SEED)]


def test_the_briefing_says_what_is_asked_and_given(tmp_path: Path) -> None:
    briefing = play(tmp_path / "new", SEED)
    assert briefing.exercise == "first-case"
    assert briefing.institution.id.endswith("-fiu")
    assert briefing.text == (tmp_path / "new" / "BRIEFING.md").read_text("utf-8")
    assert set(briefing.files) == {path.name for path in (tmp_path / "new").iterdir()}
    for question in briefing.questions:
        assert question in briefing.text
    for name in briefing.files:
        assert name in briefing.text or name in ("BRIEFING.md", "exercise.json")
    assert all(len(line) < 600 for line in briefing.text.splitlines())


def test_the_same_seed_gives_the_same_bundle(bundle: Path, tmp_path: Path) -> None:
    play(tmp_path / "again", SEED)
    for path in sorted((tmp_path / "again").iterdir()):
        assert path.read_bytes() == (bundle / path.name).read_bytes(), path.name


def test_the_bundle_does_not_tell_the_truth(bundle: Path) -> None:
    schemes = truth(SEED)
    words = [word for scheme in schemes for word in (scheme.id, scheme.story)] + [str(SEED)]
    for path in bundle.iterdir():
        if path.suffix in (".md", ".json") and path.name not in ("answers.json", "exercise.json"):
            text = path.read_text("utf-8")
            assert not [word for word in words[:-1] if word in text], path.name
    assert set(json.loads((bundle / "exercise.json").read_text())) == {"exercise", "institution", "seal"}


def test_the_case_can_be_solved_and_has_more_honest_accounts_than_others(bundle: Path) -> None:
    with (bundle / "transfers.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    ids = {row["id"] for row in rows}
    ends = {row[end] for row in rows for end in ("originator", "beneficiary")}
    schemes = truth(SEED)
    assert len({scheme.kind for scheme in schemes}) == len(schemes) >= 3
    for scheme in schemes:
        assert set(scheme.transfers) <= ids
        assert set(scheme.accounts) <= ends
    with (bundle / "accounts.csv").open(encoding="utf-8", newline="") as stream:
        reported = {row["account"] for row in csv.DictReader(stream)}
    guilty = {account for scheme in schemes for account in scheme.accounts}
    assert len(reported - guilty) > 2 * len(reported & guilty) > 0
    kept = [json.loads(line)["account"] for line in (bundle / "customers.jsonl").read_text().splitlines()]
    assert set(kept) == reported


@pytest.mark.parametrize("seed", range(3))
def test_every_seed_has_a_case(seed: int) -> None:
    assert len(truth(seed)) >= 3
    assert SchemeKind.SANCTIONED not in {scheme.kind for scheme in truth(seed)}


def test_a_perfect_answer_is_graded_so(bundle: Path) -> None:
    hand_in(bundle, perfect())
    assert mark(bundle, SEED).score == 1.0


def test_a_poor_answer_is_graded_so(bundle: Path) -> None:
    schemes = perfect()
    hand_in(bundle, [{"kind": "cycle", "accounts": ["acct:sg-bank:nobody"]}, *schemes[1:]])
    got = mark(bundle, SEED)
    assert 0.0 < got.score < 1.0
    assert truth(SEED)[0].id in got.missed


def test_the_template_is_an_answer(bundle: Path) -> None:
    answers = read_answers((bundle / "answers-template.json").read_bytes())
    assert answers.schemes


def test_another_seed_or_a_changed_seal_does_not_grade(bundle: Path) -> None:
    hand_in(bundle, perfect())
    with pytest.raises(Unverified, match="seed"):
        mark(bundle, SEED + 1)


def test_without_answers_there_is_nothing_to_grade(tmp_path: Path) -> None:
    play(tmp_path / "case", SEED)
    with pytest.raises(BadInput, match=r"answers\.json"):
        mark(tmp_path / "case", SEED)


def test_a_bundle_goes_into_an_empty_directory_only(tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="not an empty directory"):
        play(tmp_path / "case", SEED)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="cannot write"):
        play(tmp_path / "file" / "below", SEED)


def test_customers_are_nouns(bundle: Path) -> None:
    from comity.model import Party

    for line in (bundle / "customers.jsonl").read_text("utf-8").splitlines():
        assert codec.from_plain(Party, json.loads(line)["party"]).identifiers
