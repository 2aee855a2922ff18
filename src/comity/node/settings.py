"""A node's settings: one TOML file in its home directory."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path

from comity import codec
from comity.errors import BadInput, Conflict, SettingsError
from comity.model import Institution, Officer, Role

FILE = "node.toml"
_FIX = "correct it, and init again"


@dataclass(frozen=True, slots=True)
class Settings:
    """``reference`` is the ledger's reference asset; ``database`` a URL ('' is SQLite in the home).

    Ports are on ``host``: peers connect with mutual TLS, operators with a token. ``rates`` are
    ``CUR=VALUE`` of one unit of a currency in the reference asset, and ``rates_from`` their source and date;
    reports are in ``local_currency``. ``report`` are options of report formats, ``FORMAT.NAME=VALUE``
    (``goaml.rentity_id=1234``).
    """

    home: Path
    id: str
    name: str
    role: str
    jurisdictions: tuple[str, ...]
    lei: str = ""
    bic: str = ""
    host: str = "127.0.0.1"
    peer_port: int = 8443
    operator_port: int = 8080
    database: str = ""
    reference: str = "iso4217:USD"
    local_currency: str = "USD"
    rates: tuple[str, ...] = ()
    rates_from: str = ""
    officer_first_name: str = ""
    officer_last_name: str = ""
    officer_phone: str = ""
    officer_email: str = ""
    report: tuple[str, ...] = ()

    def report_options(self, form: str) -> dict[str, str]:
        """The options of a report format, from ``report``: its ``FORMAT.NAME=VALUE`` entries."""
        named = (entry.partition("=") for entry in self.report)
        return {name[len(form) + 1 :]: value for name, _, value in named if name.startswith(f"{form}.")}

    @property
    def institution(self) -> Institution:
        return Institution(self.id, self.name, Role(self.role), self.jurisdictions, self.lei, self.bic)

    @property
    def officer(self) -> Officer:
        return Officer(
            self.officer_first_name, self.officer_last_name, self.officer_phone, self.officer_email
        )

    @property
    def exchange_rates(self) -> dict[str, Decimal]:
        """Units of the reference asset for one unit of each currency. Raises SettingsError."""
        try:
            return {name: Decimal(value) for name, _, value in (rate.partition("=") for rate in self.rates)}
        except InvalidOperation:
            raise SettingsError("a rate in node.toml is not CUR=NUMBER", remedy="correct it") from None

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home / 'comity.db'}"

    @property
    def peer_url(self) -> str:
        return f"https://{self.host}:{self.peer_port}"

    @property
    def operator_url(self) -> str:
        return f"http://{self.host}:{self.operator_port}"

    def check(self) -> None:
        """Raises BadInput for the first setting that cannot be: nothing of a node is made before."""
        forms = [
            ("a country", "[A-Z]{2}", "two letters of ISO 3166-1, such as SG", self.jurisdictions or ("",)),
            ("a currency", "[A-Z]{3}", "three letters of ISO 4217, such as EUR", (self.local_currency,)),
            ("an LEI", "|[0-9A-Z]{18}[0-9]{2}", "20 letters and digits (ISO 17442)", (self.lei,)),
            ("a BIC", "|[0-9A-Z]{8}([0-9A-Z]{3})?", "8 or 11 letters and digits (ISO 9362)", (self.bic,)),
            ("a rate", r"[A-Z]{3}=\d{1,18}(\.\d{1,18})?", "CUR=NUMBER, such as EUR=1.08", self.rates),
        ]
        for what, form, wanted, given in forms:
            for text in given:
                if not re.fullmatch(form, text, re.ASCII):
                    raise BadInput(
                        f"not {what}: {text[:40]!r}", why=f"it is written as {wanted}", remedy=_FIX
                    )
        for port in (self.peer_port, self.operator_port):
            if not 0 < port < 1 << 16:
                raise BadInput(f"not a port: {port}", why="a port is a number from 1 to 65535", remedy=_FIX)

    def write(self) -> None:
        """Write the file of a new node. Raises Conflict when the home has one already, BadInput."""
        self.check()
        path = self.home / FILE
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = [
            f"{item.name} = {_toml(getattr(self, item.name))}" for item in fields(self) if item.name != "home"
        ]
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
        except FileExistsError:
            raise Conflict(
                f"{self.home} holds a node already",
                why="a second one would share its keys and log",
                remedy="choose another --home",
            ) from None


def _toml(value: object) -> str:
    """A text, number or list of texts in TOML: JSON writes them alike, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read(home: Path) -> Settings:
    """The settings of the node in ``home``. Raises SettingsError when there is none, or it is wrong."""
    path = home / FILE
    known = {item.name for item in fields(Settings)} - {"home"}
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
        unknown = set(plain) - known
        if unknown:
            raise SettingsError(
                f"{path.name} has unknown settings: {', '.join(sorted(unknown))}",
                remedy=f"known are: {', '.join(sorted(known))}",
            )
        Role(plain.get("role", ""))
        return codec.from_plain(Settings, {"home": home, **plain})
    except FileNotFoundError:
        raise SettingsError(
            f"no node in {home}", why=f"there is no {FILE}", remedy="run: comity node init --home DIR"
        ) from None
    except (ValueError, BadInput) as error:
        raise SettingsError(
            f"{path} cannot be read", why=str(error), remedy="correct it, or init a new node"
        ) from None
