from __future__ import annotations

from datetime import date

from comity.app.standard.matrix import THE_STANDARD, UNCOMPARED, matrix
from comity.app.standard.standing import edition, standing, standings
from comity.model import Confidence
from comity.standard.compare import kept
from comity.standard.compare import matrix as places
from comity.standard.corridors import adopt, from_standard
from comity.standard.law import Standard


def test_every_cell_there_is_and_the_standard_first(fiction: Standard, on: date) -> None:
    found = matrix(fiction, on)
    assert next(iter(found.countries)) == "fatf"
    assert len(found.cells) == len(found.countries) * len(found.questions)
    assert found.cells[("fatf", "str.deadline")].relation == THE_STANDARD
    assert found.cells[("bo", "vasp.regulated")].relation == UNCOMPARED


def test_a_cell_places_what_it_shows(shipped: Standard, on: date) -> None:
    found, placed = matrix(shipped, on), places(shipped, on)
    for (country, question), cell in found.cells.items():
        if question in placed.get(country, {}):
            assert cell.relation == placed[country][question].value
        if cell.provision is None:
            assert cell.relation == "silent"


def test_where_the_standard_has_two_answers_the_one_met_least_is_shown(fiction: Standard, on: date) -> None:
    """Bordurian law answers for domestic requests only: silent across borders, and shown with its facts."""
    cell = matrix(fiction, on).cells[("bo", "gateway.fiu_to_fiu")]
    assert cell.relation == "silent" and cell.others == 0
    assert cell.provision is not None and dict(cell.provision.when) == {"reach": "domestic"}
    later = matrix(fiction, date(2027, 8, 1)).cells[("fr", "cdd.occasional")]
    assert later.relation == "weaker"


def test_a_cell_is_as_sure_as_the_less_sure_of_the_two(fiction: Standard, on: date) -> None:
    cells = matrix(fiction, on).cells
    assert cells[("bo", "str.deadline")].confidence is Confidence.HIGH
    assert cells[("bo", "travel_rule.threshold")].confidence is Confidence.LOW
    assert cells[("sg", "travel_rule.in_force")].confidence is Confidence.UNKNOWN


def test_laws_are_ranked_by_what_they_keep(fiction: Standard, on: date) -> None:
    found = standings(fiction, on)
    assert {each.jurisdiction for each in found} == {"eu", "fr", "bo", "sg"}
    known = [each for each in found if each.half_known]
    assert [each.kept.kept for each in known] == sorted((each.kept.kept for each in known), reverse=True)
    one = standing(fiction, "BO", on)
    assert one.kept == kept(fiction, "bo", on)
    assert one.unsure == 1 and one.answers == 5
    assert one.open + one.unknown <= one.kept.questions
    assert {each.step for each in found} <= set(range(5))


def test_an_edition_changes_with_any_provision(fiction: Standard, on: date) -> None:
    assert edition(fiction) == edition(fiction)
    assert edition(fiction).startswith("2026-11-20-")
    changed = adopt(fiction, from_standard(fiction, "bo", "str.deadline", on))
    assert edition(changed) != edition(fiction)
