"""How many decimal places a token has, and amounts in its main unit.

A token's contract states its places itself (`decimals()` of ERC-20, which TRC-20 took over), but no block
or log repeats them. Known here are tokens that much is paid in, with the places their contracts
answer; the addresses were held against their EIP-55 or Base58Check checksums. For any other token give the
option ``decimals``.

Without it nothing is guessed. The amount is then in units of 10^18 of the token's smallest unit, whatever
the token's own unit is, and its asset says so: ``erc20e18`` (``trc20e18``, ``trc10e18``) where ``erc20``
would stand. It is exact, fits the ledger, and can never be added to an amount in main units by mistake.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from comity import intake as distrust
from comity.errors import BadInput
from comity.model import Amount, AssetId

UNKNOWN_PLACES = 18
_SUFFIX = "e18"

_TOKENS = {
    "eip155:1": {
        2: """
            0x056fd409e1d7a124bd7017459dfea2f387b6d5cd GUSD
        """,
        6: """
            0xdac17f958d2ee523a2206206994597c13d831ec7 USDT
            0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 USDC
            0x6c3ea9036406852006290770bedfcaba0e23a0e8 PYUSD
            0x1abaea1f7c830bd89acc67ec4af516284b1bc33c EURC
            0x68749665ff8d2d112fa859aa293f07a622782f38 XAUT
        """,
        8: """
            0x2260fac5e5542a773aa44fbcfedf7c193bc2c599 WBTC
            0xcbb7c0000ab88b473b1f5afd9ef808440eed33bf cbBTC
            0xeb4c2781e4eba804ce9a9803c67d0893436bb27d renBTC
            0xdf574c24545e5ffecb9a659c229253d4111d87e1 HUSD
        """,
        18: """
            0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2 WETH
            0x6b175474e89094c44da98b954eedeac495271d0f DAI
            0x89d24a6b4ccb1b6faa2625fe562bdd9a23260359 SAI
            0xdc035d45d973e3ec169d2276ddab16f1e407384f USDS
            0x4c9edd5852cd905f086c759e8383e09bff1e68b3 USDe
            0x4fabb145d64652a948d72533023f6e7a623c7c53 BUSD
            0x0000000000085d4780b73119b644ae5ecd22b376 TUSD
            0x8e870d67f660d95d5be530380d0ec0bd388289e1 USDP
            0xc5f0f7b66764f6ec8c8dff7ba683102295e16409 FDUSD
            0x8292bb45bf1ee4d140127049757c2e0ff06317ed RLUSD
            0x853d955acef822db058eb8505911ed77f175b99e FRAX
            0x5f98805a4e8be255a32880fdec7f6728c6568ba0 LUSD
            0x45804880de22913dafe09f4980848ece6ecbaf78 PAXG
            0xae7ab96520de3a18e5e111b5eaab095312d7fe84 stETH
            0x7f39c581f595b53c5cb19bd0b3f8da6c935e2ca0 wstETH
            0xae78736cd615f374d3085123a210448e74fc6393 rETH
            0x18084fba666a33d37592fa2633fd49a74dd93a88 tBTC
            0x514910771af9ca656af840dff83e8264ecf986ca LINK
            0x1f9840a85d5af5bf1d1762f925bdaddc4201f984 UNI
            0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9 AAVE
            0x9f8f72aa9304c8b593d555f12ef6589cc3a579a2 MKR
            0xd533a949740bb3306d119cc777fa900ba034cd52 CRV
            0x77777feddddffc19ff86db637967013e6c6a116c TORN
            0xb8c77482e45f1f44de1745f52c74426c631bdd52 BNB
            0x7d1afa7b718fb893db30a3abc0cfc608aacfebb0 MATIC
            0x95ad61b0a150d79219dcf64e1e6cc01f0b64c4ce SHIB
            0x6982508145454ce325ddbe47a25d4ec3d2311933 PEPE
        """,
    },
    "eip155:10": {
        6: """
            0x94b008aa00579c1307b0ef2c499ad98a8ce58e58 USDT
            0x0b2c639c533813f4aa9d7837caf62653d097ff85 USDC
            0x7f5c764cbc14f9669b88837ca1490cca17c31607 USDC.e
        """,
        18: """
            0x4200000000000000000000000000000000000006 WETH
            0xda10009cbd5d07dd0cecc66161fc93d7c9000da1 DAI
        """,
    },
    "eip155:56": {
        18: """
            0x55d398326f99059ff775485246999027b3197955 USDT
            0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d USDC
            0xe9e7cea3dedca5984780bafc599bd69add087d56 BUSD
            0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c WBNB
            0x7130d2a12b9bcbfae4f2634d864a1ee1ce3ead9c BTCB
            0x2170ed0880ac9a755fd29b2688956bd959f933f8 ETH
        """,
    },
    "eip155:137": {
        6: """
            0xc2132d05d31c914a87c6611c10748aeb04b58e8f USDT
            0x3c499c542cef5e3811e1192ce70d8cc03d5c3359 USDC
            0x2791bca1f2de4661ed88a30c99a7a9449aa84174 USDC.e
        """,
        18: """
            0x8f3cf7ad23cd3cadbd9735aff958023239c6a063 DAI
            0x7ceb23fd6bc0add59e62ac25578270cff1b9f619 WETH
            0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270 WPOL
        """,
    },
    "eip155:8453": {
        6: """
            0x833589fcd6edb6e08f4c7c32d4f71b54bda02913 USDC
            0xd9aaec86b65d86f6a7b5b1b0c42ffa531710b6ca USDbC
        """,
        8: """
            0xcbb7c0000ab88b473b1f5afd9ef808440eed33bf cbBTC
        """,
        18: """
            0x4200000000000000000000000000000000000006 WETH
        """,
    },
    "eip155:42161": {
        6: """
            0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9 USDT
            0xaf88d065e77c8cc2239327c5edb3a432268e5831 USDC
            0xff970a61a04b1ca14834a43f5de4533ebddb5cc8 USDC.e
        """,
        18: """
            0x82af49447d8a07e3bd95bd0d56f35241523fbab1 WETH
            0xda10009cbd5d07dd0cecc66161fc93d7c9000da1 DAI
        """,
    },
    "eip155:43114": {
        6: """
            0xb97ef9ef8734c71904d8002f8b6bc66dd9c48a6e USDC
            0x9702230a8ea53601f5cd2dc00fdbc13d4df4a8c7 USDT
        """,
        18: """
            0xb31f66aa3c1e785363f0875a1b74e27b85fd66c7 WAVAX
        """,
    },
    "tron:728126428": {
        6: """
            TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t USDT
            TEkxiTehnzSmSe2XqrBj4w32RUN966rdz8 USDC
            TNUC9Qb1rRpS5CbWLmNMxXBjyFoydXjWFR WTRX
            TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7 WIN
            1002000 BTTOLD
        """,
        18: """
            TPYmHEhy5n8TCEfYGqW2rPxsghSfzghPDn USDDOLD
            TXDk8mbtRbXeYuMNS83CfKPaYYT8XWv9Hz USDD
            TUpMhErZL2fhh4sVNULAbNKLokS4GjC1F4 TUSD
            TMwFHYXLJaRUPeW6421aqXL4ZEzPRFGkGT USDJ
            TCFLL5dx5ZJdKnWuesXxi1VPwjLVmWZZy9 JST
            TSSMHYeV2uE9qYH95DqyoCuNCzEL1NvU3S SUN
            TAFjULxiVgT4qWk6UZwjqwZXTSaGaqnVp4 BTT
        """,
    },
}
KNOWN = {
    chain: {line.split()[0]: places for places, lines in table.items() for line in lines.strip().splitlines()}
    for chain, table in _TOKENS.items()
}

WRAPPED = {
    "eip155:1": "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2",
    "eip155:10": "0x4200000000000000000000000000000000000006",
    "eip155:56": "0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c",
    "eip155:137": "0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270",
    "eip155:8453": "0x4200000000000000000000000000000000000006",
    "eip155:43114": "0xb31f66aa3c1e785363f0875a1b74e27b85fd66c7",
    "tron:728126428": "TNUC9Qb1rRpS5CbWLmNMxXBjyFoydXjWFR",
}
"""The contract that holds a chain's own coin and gives a token for it (WETH9 and its copies)."""


def exact(raw: int, places: int) -> Decimal:
    """A number of smallest units in main units, every digit kept and no zero at the end."""
    digits = str(raw).zfill(places + 1)
    cut = len(digits) - places
    part = digits[cut:].rstrip("0")
    return Decimal(f"{digits[:cut]}.{part}" if part else digits[:cut])


@lru_cache(1 << 14)
def _asset(chain: str, kind: str, token: str) -> AssetId:
    return AssetId(f"{chain}/{kind}:{token}")


@dataclass(slots=True)
class Tokens:
    """The places of a chain's tokens, and what could not be stated."""

    chain: str
    places: dict[str, int]
    unknown: Counter[str] = field(default_factory=Counter)
    vast: int = 0

    @classmethod
    def of(cls, chain: str, option: str) -> Tokens:
        """The known ones, and those of the option ``decimals``: TOKEN:PLACES, with commas between."""
        places = dict(KNOWN.get(chain, {}))
        for item in filter(None, (part.strip() for part in option.split(","))):
            token, _, digits = item.rpartition(":")
            token = token.lower() if token[:2].lower() == "0x" else token
            if not (token and digits.isdecimal() and len(digits) < 3 and int(digits) <= distrust.MAX_PLACES):
                raise BadInput(
                    f"decimals: {item[:80]!r} is not TOKEN:PLACES",
                    why=f"a token's address, a colon, and its decimal places, at most {distrust.MAX_PLACES}",
                    remedy="write for example decimals=0xdac17f958d2ee523a2206206994597c13d831ec7:6",
                )
            places[token] = int(digits)
        return cls(chain, places)

    def amount(self, kind: str, token: str, raw: int) -> Amount | None:
        """An amount in main units, or in the stated unit of 10^18; None when it is beyond any ledger."""
        places = self.places.get(token)
        if places is None:
            self.unknown[token] += 1
            places, kind = UNKNOWN_PLACES, kind + _SUFFIX
        quantity = exact(raw, places)
        if quantity >= distrust.MAX_AMOUNT:
            self.vast += 1
            return None
        return Amount(quantity, _asset(self.chain, kind, token))

    def notes(self) -> list[str]:
        found = []
        if self.unknown:
            most, count = self.unknown.most_common(1)[0]
            found.append(
                f"{self.unknown.total():,} transfers of {len(self.unknown):,} tokens whose decimal places "
                f"are not known are in units of 10^18 of the smallest (asset …{_SUFFIX}); most of {most} "
                f"({count:,}); the option decimals=TOKEN:PLACES,… gives them"
            )
        if self.vast:
            found.append(
                f"{self.vast:,} token transfers state 10^18 units or more: their amounts are left out, as no "
                "such amount is real"
            )
        return found
