"""The currencies of ISO 4217 and their decimal places.

Source: ISO 4217 list one (SIX, as of 2026), with those withdrawn since 2021, which old payments name.
Codes for tests and for no currency (XTS, XXX) are left out.
"""

from __future__ import annotations

from comity.errors import BadInput
from comity.model import AssetId

_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN
        BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP
        GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT
        LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
        NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS
        SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD
        XCG YER ZAR ZMW ZWG ZWL
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
    5: "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XUA",  # without minor unit: what ISO 20022 allows
}
PLACES = {code: places for places, codes in _PLACES.items() for code in codes.split()}


def currency(code: str, where: str) -> AssetId:
    """The asset of an ISO 4217 code. Raises BadInput, naming ``where``, when there is no such currency."""
    if code not in PLACES:
        raise BadInput(
            f"{where}: no such currency: {code[:40]!r}",
            why="a currency is a code of ISO 4217, such as EUR",
            remedy="correct it in the file; write an asset of a chain as CAIP-19",
        )
    return AssetId.money(code)
