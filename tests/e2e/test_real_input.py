"""Real input through the command line: the authorities' lists, real blocks, real payments, to valid reports.

Every figure below was counted in the input itself or is a known fact about it; where the system finds
something, the test says why it is there.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from comity import plugins
from comity.node.node import Node

pytestmark = pytest.mark.data

BITCOIN = "bip122:000000000019d6689c085ae165831e93"
BTC = f"{BITCOIN}/slip44:0"
BLOCK = "chains/bitcoin/block-0000000000000000001602407ac49862a7bca9d00f7f402db20b7be2f5de59d2.blk"
LISTS = {
    "ofac_sdn": "sanctions/ofac_sdn_2024-05-07.xml.gz",
    "un_sc": "sanctions/un_consolidated_2024-05-15.xml.gz",
    "eu_fsf": "sanctions/eu_fsf_full_2024-05-13.xml.gz",
}
PACKS = (
    "ransomware",
    "hacks",
    "binance_hack",
    "mixing_fc2021",
    "graphsense_blender_io",
    "graphsense_tornado_cash",
    "etherscan-wordcloud-mixing_service",
    "etherscan-wordcloud-exchange",
    "exchange-wallets-binance",
    "exchange-wallets-bitfinexcom",
    "exchange-wallets-huobi",
    "exchange-wallets-kucoin",
    "exchange-wallets-okx",
    "walletexplorer",
)
Comity = Callable[..., Any]


def wallet(address: str) -> str:
    return f"{BITCOIN}:{address}"


@pytest.fixture(scope="module")
def desk(data: Path, tmp_path_factory: pytest.TempPathFactory, comity: Comity) -> dict[str, Any]:
    """A directory with every list loaded and both ledgers read; what each command answered, by name."""
    home = tmp_path_factory.mktemp("desk")
    said: dict[str, Any] = {"home": home}
    for name, file in LISTS.items():
        said[name] = comity("lists", "load", data / file, "--home", home, "--json").json
    for name in PACKS:
        pack = data / "tagpacks" / f"{name}.yaml"
        said[name] = comity("lists", "load", pack, "--as", f"pack.{name}", "--home", home, "--json").json
    for name, file in (("block", BLOCK), ("early", "chains/bitcoin/blocks1-256.bz2")):
        said[name] = comity("ledger", "ingest", data / file, "--into", home / name, "--json").json
        watched = comity("monitor", home / name, "--lists", home / "lists", "--json").json
        said[f"{name} findings"] = watched["findings"]
    return said


def entries(desk: dict[str, Any], name: str) -> list[dict[str, Any]]:
    with gzip.open(desk["home"] / "lists" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file][1:]


def rows(comity: Comity, ledger: Path, sql: str) -> list[list[Any]]:
    found: list[list[Any]] = comity("ledger", "query", sql, "--ledger", ledger, "--json").json["rows"]
    return found


def test_the_sanctions_lists_are_read_whole(desk: dict[str, Any], comity: Comity) -> None:
    assert {name: desk[name]["entries"] for name in LISTS} == {
        "ofac_sdn": 14_966,
        "un_sc": 682 + 193,
        "eu_fsf": 4_811,
    }
    kinds = [entry["party"]["kind"] for entry in entries(desk, "un_sc")]
    assert (kinds.count("natural"), kinds.count("legal")) == (682, 193)
    # 603 rows name 587 addresses: an address listed for two tokens is one wallet. One of them is listed on
    # Ethereum and Ethereum Classic, one on Ethereum, BNB Smart Chain and Arbitrum: three accounts more.
    assert desk["ofac_sdn"]["wallets"] == 587
    wallets = [account for entry in entries(desk, "ofac_sdn") for account in entry.get("wallets", ())]
    assert len({account.rpartition(":")[2] for account in wallets}) == 587
    assert len(set(wallets)) == 590
    in_force = comity("lists", "show", "--home", desk["home"], "--json").json
    assert {one["list_id"] for one in in_force} == {*LISTS, *(f"pack.{name}" for name in PACKS)}


def test_attributions_are_read_and_screened(desk: dict[str, Any], comity: Comity) -> None:
    # 608 tags of hacks: two addresses are tagged twice.
    assert (desk["ransomware"]["wallets"], desk["hacks"]["wallets"]) == (7_178, 606)
    hits = comity("screen", wallet("12t9YDPgwueZ9NyMgw519p7AA8isjr6SMw"), "--home", desk["home"], "--json")
    wannacry = [hit for hit in hits.json if "pack.ransomware" in hit["evidence"][0]]
    assert [hit["level"] for hit in wannacry] == ["alert"]
    assert "attributed to Wannacry (ransomware)" in wannacry[0]["reasons"][0]


def test_real_blocks_are_read_whole_and_verified(desk: dict[str, Any], comity: Comity) -> None:
    block, early = desk["block"], desk["early"]
    assert block["merkle_root_verified"] is early["merkle_root_verified"] is True
    assert (block["transactions"], block["inputs"], block["outputs"]) == (3_315, 5_055, 8_150)
    # 976 outputs carry a message and no value, and are no transfers.
    assert block["transfers"] == 5_055 + 8_150 - 976
    # Blocks 1 to 255: a coinbase of 50 BTC each, and seven payments.
    assert (early["transactions"], early["transfers"]) == (255 + 7, early["inputs"] + early["outputs"])
    home = desk["home"]
    mined = f"SELECT count(*), sum(value)::INT FROM transfers WHERE originator = '{wallet('coinbase')}'"
    assert rows(comity, home / "early", mined) == [[255, 255 * 50]]
    # In 2019 a block pays 12.5 BTC, and the fees.
    times = "SELECT DISTINCT time::DATE FROM transfers"
    assert rows(comity, home / "block", times) == [["2019-05-02"]]
    fees = "SELECT sum(value) - 12.5 FROM transfers WHERE originator LIKE '%:coinbase'"
    assert 0 < float(rows(comity, home / "block", fees)[0][0]) < 2


def test_a_sanctioned_wallet_is_found_in_a_real_block(desk: dict[str, Any]) -> None:
    """In 2019 two addresses paid one that OFAC listed later, under an order of 2021."""
    listed = wallet("1NpHuti9NSM9fVTXLkvSDU4AnhqGQ5N53d")
    hits = [one for one in desk["block findings"] if one["kind"] == "screening"]
    assert {(hit["rule"], hit["subject"]) for hit in hits} == {
        ("listed_wallet", listed),
        ("counterparty_of_listed_wallet", wallet("3FWi6q7qBQTwTWFKLZBW41wU41qHcQbPfj")),
        ("counterparty_of_listed_wallet", wallet("3N4aC7aLgUBPjaMsxBsDcSZy14wWGarPng")),
    }
    own = next(hit for hit in hits if hit["rule"] == "listed_wallet")
    assert own["level"] == "alert" and "ofac_sdn:39585" in own["evidence"]
    assert dict(own["features"])["received"] == pytest.approx(0.38796959)
    assert any(reason.endswith("BTC in 1 transfers.") for reason in own["reasons"])


def test_collecting_accounts_are_found_as_an_analyst_would_with_sql(
    desk: dict[str, Any], comity: Comity
) -> None:
    """A block is one moment, so fan-in is: whoever is paid by ten different transactions in it."""
    many = (
        "SELECT beneficiary FROM transfers WHERE originator LIKE '%:tx-%' AND beneficiary NOT LIKE '%:tx-%' "
        "GROUP BY 1 HAVING count(DISTINCT originator) >= 10"
    )
    found = {
        one["subject"]
        for one in desk["block findings"]
        if one["rule"] == "fan_in" and one["level"] == "alert"
    }
    assert found == {row[0] for row in rows(comity, desk["home"] / "block", many)}
    assert len(found) == 28


def test_quiet_early_blocks_raise_no_alert(desk: dict[str, Any]) -> None:
    """In January 2009 one address pays and takes change: worth a watch, no more."""
    found = [(one["level"], one["rule"], one["subject"]) for one in desk["early findings"]]
    assert ("watch", "fan_in", wallet("12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S")) in found
    assert {level for level, _, _ in found} == {"watch"}


def test_the_first_bitcoins_ever_paid_are_traced(desk: dict[str, Any], comity: Comity) -> None:
    """The coinbase of block 9 pays 10 BTC in block 170 (to Hal Finney), and what is left in five more."""
    start, home = wallet("12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"), desk["home"]
    picture = home / "early.svg"
    found = comity("trace", home / "early", start, "--lists", home / "lists", "--svg", picture, "--json").json
    ends = {leaf["account"]: float(leaf["value"]) for leaf in found["leaves"]}
    assert ends[wallet("1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3")] == 10
    assert sum(ends.values()) == float(found["value"])
    # It mined 50 BTC; what others hold in the end and what it kept of its own change is all of it.
    paid = sum(value for account, value in ends.items() if account != start)
    held = f"SELECT sum(CASE WHEN beneficiary = '{start}' THEN value ELSE -value END) FROM transfers"
    kept = rows(comity, home / "early", f"{held} WHERE '{start}' IN (originator, beneficiary)")[0][0]
    assert paid + float(kept) == 50
    assert picture.read_text("utf-8").startswith("<svg") and "1Q2TWHE3" in picture.read_text("utf-8")


def test_a_trace_ends_at_an_exchange(desk: dict[str, Any], comity: Comity) -> None:
    """283.8 BTC in the block came out of Bitfinex's hot wallet, as its TagPack names it."""
    home, picture = desk["home"], desk["home"] / "bitfinex.svg"
    arguments = ("trace", home / "block", wallet("36BMfwXCr26E1aQcsx2GgE29zuvur3rkNT"), "--direction")
    arguments = (*arguments, "backward", "--json", "--svg", picture)
    found = comity(*arguments, "--lists", home / "lists").json
    hot = wallet("1Kr6QSydW9bFQG1mXiPNNu6WpJGmUa9i1g")
    assert [(leaf["account"], leaf["reason"]) for leaf in found["leaves"]] == [(hot, "service")]
    assert found["value"] == found["leaves"][0]["value"] == "283.83756549"
    assert "bitfinex" in picture.read_text("utf-8")
    unlabelled = comity(*arguments).json
    assert "service" not in {leaf["reason"] for leaf in unlabelled["leaves"]}


@pytest.mark.parametrize("version", ["08", "10", "12"])
def test_real_payments_are_read(data: Path, tmp_path: Path, comity: Comity, version: str) -> None:
    file = data / f"schemas/iso20022/pacs.008.001.{version}/pacs.008.001.{version}.xml"
    done = comity("ledger", "ingest", file, "--into", tmp_path / "ledger", "--json").json
    assert (done["chain"], done["transactions"], done["transfers"]) == ("pacs008", 1, 1)
    wanted = "SELECT originator_institution, beneficiary_institution, asset, amount::INT FROM transfers"
    assert rows(comity, tmp_path / "ledger", wanted) == [["DEUTDEFF", "COBADEFF", "iso4217:EUR", 1000]]


@pytest.fixture(scope="module")
def network(data: Path, tmp_path_factory: pytest.TempPathFactory, comity: Comity) -> Path:
    """Homes of a VASP in the US and one in the Emirates, each with its FIU, in one network."""
    place = Path(__file__).parents[1] / "support" / "network.py"
    spec = importlib.util.spec_from_file_location("comity_test_network", place)
    assert spec and spec.loader
    support = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(support)
    homes = tmp_path_factory.mktemp("network")
    for name, role, currency in (
        ("us-vasp", "vasp", "USD"),
        ("us-fiu", "fiu", "USD"),
        ("ae-vasp", "vasp", "AED"),
        ("ae-fiu", "fiu", "AED"),
    ):
        who = ("--id", name, "--name", f"The {name}", "--role", role, "--country", name[:2])
        officer = ("--officer", "Ada Officer", "--phone", "+15550100", "--email", "ada@example.org")
        money = ("--currency", currency, "--rate", "AED=0.27")
        comity("node", "init", *who, *officer, *money, "--home", homes / name, "--json").json  # noqa: B018
    nodes = [Node.open(home) for home in sorted(homes.iterdir())]
    root, bundle = support.found(nodes, datetime.now(UTC))
    (homes / "root.json").write_bytes(root)
    (homes / "commons.json").write_bytes(bundle)
    for node in nodes:
        node.close()
        trust = ("--root", homes / "root.json", "--commons", homes / "commons.json")
        assert comity("node", "join", *trust, "--home", node.settings.home, "--json").json["members"] == 4
    return homes


# Reports in US dollars can take either form; FinCEN takes no other currency.
@pytest.mark.parametrize(("name", "forms"), [("us-vasp", ("fincen_sar", "goaml")), ("ae-vasp", ("goaml",))])
def test_reports_on_a_real_block_are_valid_for_the_authority(
    data: Path, network: Path, comity: Comity, name: str, forms: tuple[str, ...]
) -> None:
    home = network / name

    def ask(*arguments: object) -> Any:
        return comity(*arguments, "--home", home, "--json").json

    ask("lists", "load")  # the extract that ships has the entry too
    rate = f"{BTC}=5300"  # made up for this test
    assert ask("node", "ingest", data / BLOCK, "--rate", rate)["merkle_root_verified"] is True
    ask("node", "detect")
    alerts = ask("case", "findings", "--level", "alert", "--limit", "1000")
    kinds = Counter(one["rule"] for one in alerts)
    assert (kinds["fan_in"], kinds["listed_wallet"], kinds["counterparty_of_listed_wallet"]) == (28, 1, 2)
    largest = max((one for one in alerts if one["rule"] == "fan_in"), key=lambda one: len(one["evidence"]))
    listed = next(one for one in alerts if one["rule"] == "listed_wallet")
    assert listed["subject"] == wallet("1NpHuti9NSM9fVTXLkvSDU4AnhqGQ5N53d")
    case = ask("case", "open", listed["id"], largest["id"])
    grounds = "A wallet on OFAC's list was paid."
    ask("case", "decide", case["id"], "report", "--by", "Ada Officer", "--grounds", grounds)
    for form in forms:
        file = home / f"{form}.xml"
        drafted = ask("report", "draft", case["id"], "--format", form, "--to", file)
        assert drafted["problems"] == []
        schema = data / "schemas" / {"goaml": "goaml", "fincen_sar": "fincen"}[form]
        checked = comity("report", "check", file, "--schema", schema, "--json").json
        assert checked == {"format": form, "valid": True, "problems": [], "schema": str(schema)}
        text = file.read_text("utf-8")
        assert "1NpHuti9NSM9fVTXLkvSDU4AnhqGQ5N53d" in text and grounds in text
        # The same file with its last element gone is found out, so the schema was really asked.
        broken = file.with_suffix(".broken.xml")
        cut = text.rstrip().rpartition("</")[0]
        last = cut.rstrip().rpartition("</")
        broken.write_text(text.replace(last[2], "surprise>", 1), "utf-8")
        assert comity("report", "check", broken, "--schema", schema).code == 2
    assert {*forms} <= set(plugins.names("reports"))
