from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from comity.errors import BadInput, Conflict, SettingsError
from comity.model import Role
from comity.node import settings as node_settings
from comity.node.settings import FILE, Settings


@pytest.fixture
def given(net: ModuleType, tmp_path: Path) -> Settings:
    made: Settings = net.settings(
        tmp_path,
        "de-vasp-1",
        report=("goaml.rentity_id=1234", "fincen_sar.tin=9=8", "goamlx.y=1"),
        lei="529900T8BM49AURSDO55",
        database="postgresql+psycopg:///x?a='b'\"\\",
    )
    return made


def test_what_is_written_is_read(given: Settings) -> None:
    given.write()
    assert node_settings.read(given.home) == given
    assert given.home.stat().st_mode & 0o077 == 0


def test_strange_names_survive(net: ModuleType, tmp_path: Path) -> None:
    strange = 'Bänk "Zürich" \\ 銀行 \n\t= [x] \u007f'
    made = Settings(home=tmp_path / "a", id="a", name=strange, role="bank", jurisdictions=("DE", "US"))
    made.write()
    assert node_settings.read(tmp_path / "a").name == strange


def test_what_follows_from_them(given: Settings) -> None:
    assert given.report_options("goaml") == {"rentity_id": "1234"}
    assert given.report_options("fincen_sar") == {"tin": "9=8"}
    assert given.institution.role is Role.VASP
    assert given.institution.jurisdictions == ("DE",)
    assert given.officer.first_name == "Ada"
    assert given.exchange_rates["EUR"] == Decimal("1.08")
    assert given.peer_url == "https://127.0.0.1:8443"
    assert given.operator_url == "http://127.0.0.1:8080"
    assert given.database_url == given.database
    assert Settings(given.home, "a", "A", "fiu", ("SG",)).database_url.startswith("sqlite:///")


def test_a_home_holds_one_node(given: Settings) -> None:
    given.write()
    before = (given.home / FILE).read_bytes()
    with pytest.raises(Conflict, match="holds a node already"):
        given.write()
    assert (given.home / FILE).read_bytes() == before


def test_a_rate_that_is_no_number(given: Settings) -> None:
    with pytest.raises(SettingsError, match="not CUR=NUMBER"):
        _ = Settings(given.home, "a", "A", "fiu", ("SG",), rates=("EUR=much",)).exchange_rates


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"jurisdictions": ("SGP",)}, "not a country: 'SGP'"),
        ({"jurisdictions": ()}, "not a country: ''"),
        ({"local_currency": "dollars"}, "not a currency"),
        ({"lei": "123"}, "not an LEI"),
        ({"bic": "123"}, "not a BIC"),
        ({"rates": ("EUR=much",)}, "not a rate: 'EUR=much'"),
        ({"rates": ("EUR=-1",)}, "not a rate"),
        ({"rates": ("EUR=\u0661",)}, "not a rate"),
        ({"operator_port": 99_999}, "not a port: 99999"),
        ({"peer_port": 0}, "not a port: 0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    given: Settings, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(BadInput, match=words) as failed:
        replace(given, **changes).write()  # type: ignore[arg-type]
    assert failed.value.remedy
    assert not given.home.exists()


def test_no_node(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no node in") as failed:
        node_settings.read(tmp_path / "nowhere")
    assert "comity node init" in failed.value.remedy


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text + 'colour = "red"\n', "unknown settings: colour"),
        (lambda text: text.replace('"vasp"', '"casino"'), "cannot be read"),
        (lambda text: text.replace('id = "de-vasp-1"\n', ""), "cannot be read"),
        (lambda text: text[: len(text) // 2 + 3] + '"', "cannot be read"),
        (lambda text: text + 'id = "twice"\n', "cannot be read"),
        (lambda text: text.replace("peer_port = 8443", 'peer_port = "high"'), "peer_port"),
        (lambda text: text.replace('jurisdictions = ["DE"]', 'jurisdictions = "DE"'), "jurisdictions"),
        (lambda text: text.replace('jurisdictions = ["DE"]', "jurisdictions = [49]"), "jurisdictions"),
    ],
)
def test_a_damaged_file_is_refused(given: Settings, damage: object, words: str) -> None:
    given.write()
    path = given.home / FILE
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(SettingsError) as failed:
        node_settings.read(given.home)
    assert words in failed.value.diagnostics() and failed.value.remedy


def test_bytes_that_are_no_text(given: Settings) -> None:
    given.write()
    (given.home / FILE).write_bytes(b'id = "\xff\xfe"')
    with pytest.raises(SettingsError, match="cannot be read"):
        node_settings.read(given.home)
