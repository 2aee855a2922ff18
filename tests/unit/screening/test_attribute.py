"""One answer to whose account it is: the surest, with what was said otherwise."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from comity import intake, plugins
from comity.lists import actorpack, tagpack
from comity.model import AccountId, Identifier, Listing, ListingKind, Party
from comity.screening.attribute import SERVICES, attributions, services

ONE, TWO = AccountId("eip155:1:0x" + "1" * 40), AccountId("eip155:1:0x" + "2" * 40)


def tag(
    label: str, actor: str, kinds: tuple[str, ...], confidence: float, *wallets: AccountId, pack: str = "p"
) -> Listing:
    ids = (Identifier("actor", actor),) if actor else ()
    return Listing(
        f"tagpack.{pack}",
        f"{label}-{confidence}",
        ListingKind.ATTRIBUTION,
        Party(label, identifiers=ids),
        kinds,
        wallets,
        source=f"urn:{pack}",
        confidence=confidence,
    )


def actor(name: str, label: str, kinds: tuple[str, ...], *countries: str, also: str = "") -> Listing:
    ids = tuple(Identifier("actor", each) for each in (name, also) if each)
    party = Party(label, countries=countries, identifiers=ids)
    return Listing("actorpack.a", name, ListingKind.ATTRIBUTION, party, kinds, confidence=0.05)


def sanction(name: str, *wallets: AccountId) -> Listing:
    party = Party(name, countries=("RU",))
    return Listing("ofac_sdn", "36", ListingKind.SANCTION, party, ("CYBER2",), wallets, source="OFAC SDN")


def test_a_tag_gains_the_actors_name_kinds_and_country() -> None:
    found = attributions(
        [
            tag("kestrel.io hot 3", "kestrel", ("exchange",), 0.5, ONE),
            actor("kestrel", "Kestrel Exchange", ("organization", "exchange"), "SG"),
        ]
    )[ONE.value]
    assert (found.label, found.actor, found.name, found.called) == (
        "kestrel.io hot 3",
        "kestrel",
        "Kestrel Exchange",
        "Kestrel Exchange",
    )
    assert found.categories == ("exchange", "organization")
    assert (found.country, found.countries) == ("SG", ("SG",))
    assert (found.confidence, found.source) == (0.5, "urn:p; actor kestrel: actorpack.a")
    assert found.account == ONE.value and found.others == ()


def test_of_several_countries_none_is_chosen() -> None:
    listings = [tag("k", "k", (), 0.5, ONE), actor("k", "K", ("exchange",), "MT", "US")]
    found = attributions(listings)[ONE.value]
    assert (found.country, found.countries) == ("", ("MT", "US"))


def test_an_actor_is_found_by_its_other_ids_and_its_own_goes_first() -> None:
    other = actor("tornado", "Tornado Cash", ("mixing_service",), also="tc")
    own = actor("tc", "TC Bank", ("exchange",))
    tagged = tag("t", "tc", (), 0.5, ONE)
    assert attributions([tagged, other])[ONE.value].called == "Tornado Cash"
    for order in ([tagged, other, own], [own, other, tagged]):
        assert attributions(order)[ONE.value].called == "TC Bank"


def test_a_thief_is_not_the_exchange_that_was_robbed() -> None:
    listings = [
        tag("Kestrel hack", "kestrel", ("service_hack",), 0.7, ONE),
        actor("kestrel", "Kestrel Exchange", ("exchange",), "SG"),
    ]
    found = attributions(listings)
    assert found[ONE.value].called == "Kestrel hack"
    assert found[ONE.value].categories == ("service_hack",)
    assert found[ONE.value].country == "" and found[ONE.value].actor == "kestrel"
    assert services(found) == frozenset()


def test_the_surest_stands_and_what_disagrees_stays() -> None:
    low = tag("Kestrel", "kestrel", ("exchange",), 0.2, ONE, TWO, pack="a")
    high = tag("Merlin", "merlin", ("exchange",), 0.7, ONE, pack="b")
    again = tag("merlin", "merlin", ("exchange",), 0.5, ONE, pack="c")
    for order in ([low, high, again], [again, high, low]):
        found = attributions(order)
        assert (found[ONE.value].label, found[ONE.value].confidence) == ("Merlin", 0.7)
        assert [(o.label, o.source) for o in found[ONE.value].others] == [("Kestrel", "urn:a")]
        assert found[TWO.value].label == "Kestrel"


def test_an_authority_goes_before_an_analyst_as_sure_and_the_service_is_not_forgotten() -> None:
    tagged = tag("Suex", "suex", ("exchange",), 1.0, ONE)
    found = attributions([tagged, sanction("SUEX OTC, S.R.O.", ONE)])
    one = found[ONE.value]
    assert (one.label, one.categories, one.country) == ("SUEX OTC, S.R.O.", ("sanction",), "RU")
    assert one.source == "OFAC SDN, entry 36 (CYBER2)"
    assert [other.label for other in one.others] == ["Suex"]
    assert services(found) == {ONE.value}, "value is mixed there whoever says so"


def test_listings_without_wallets_attribute_nothing() -> None:
    nobody = Listing("un_sc", "1", ListingKind.SANCTION, Party("Orsolo Vantermeer"))
    assert attributions([nobody, actor("a", "A", ("exchange",))]) == {}


def test_the_samples_of_the_seam_meet() -> None:
    listings = [
        entry for plugin in (tagpack, actorpack) for entry in plugin.read(io.BytesIO(plugin.SAMPLE)).listings
    ]
    found = attributions(listings)
    assert {one.country for one in found.values() if one.actor == "sampleexchange"} == {"SG"}
    old = [
        Listing(
            **{
                **{f: getattr(e, f) for f in e.__slots__},
                "party": Party(e.party.name, aliases=e.party.aliases),
            }
        )
        if e.wallets
        else e
        for e in listings
    ]
    assert attributions(old) == found, "an edition stored before tags had identifiers"


@pytest.mark.data
def test_real_packs(data: Path) -> None:
    listings: list[Listing] = []
    names = ("actorpack", "hacks", "graphsense_tornado_cash", "exchange-wallets-binance", "walletexplorer")
    for name in names:
        with intake.open_source(data / "tagpacks" / f"{name}.yaml") as stream:
            plugin = plugins.recognise("lists", intake.peek(stream))
            listings += plugin.read(stream).listings
    found = attributions(listings)
    assert len(found) > 900
    tornado = found["eip155:1:0x8589427373d6d84e98730d7795d8f6f8731fda16"]
    assert (tornado.called, tornado.actor) == ("Tornado Cash", "tornado")
    assert "mixing_service" in tornado.categories
    stolen = [one for one in found.values() if "service_hack" in one.categories]
    assert stolen and all(SERVICES.isdisjoint(one.categories) for one in stolen)
    assert sum(bool(one.name) for one in found.values()) > 600
