"""Contracts of stablecoins: tokens that are meant to be worth one unit of a currency.

Sources: the contracts their issuers publish (Tether "Supported protocols", Circle "USDC contract addresses",
Sky/MakerDAO, Paxos, PayPal, First Digital, TrueUSD, USDD …). They are the stablecoins among the tokens
whose decimal places `comity.chains` knows; a test holds the one list against the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_CONTRACTS = """
eip155:1 0xdac17f958d2ee523a2206206994597c13d831ec7 USDT
eip155:1 0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 USDC
eip155:1 0x6b175474e89094c44da98b954eedeac495271d0f DAI
eip155:1 0x89d24a6b4ccb1b6faa2625fe562bdd9a23260359 SAI
eip155:1 0xdc035d45d973e3ec169d2276ddab16f1e407384f USDS
eip155:1 0x4c9edd5852cd905f086c759e8383e09bff1e68b3 USDe
eip155:1 0x6c3ea9036406852006290770bedfcaba0e23a0e8 PYUSD
eip155:1 0x1abaea1f7c830bd89acc67ec4af516284b1bc33c EURC
eip155:1 0x056fd409e1d7a124bd7017459dfea2f387b6d5cd GUSD
eip155:1 0x4fabb145d64652a948d72533023f6e7a623c7c53 BUSD
eip155:1 0x0000000000085d4780b73119b644ae5ecd22b376 TUSD
eip155:1 0x8e870d67f660d95d5be530380d0ec0bd388289e1 USDP
eip155:1 0xc5f0f7b66764f6ec8c8dff7ba683102295e16409 FDUSD
eip155:1 0x8292bb45bf1ee4d140127049757c2e0ff06317ed RLUSD
eip155:1 0x853d955acef822db058eb8505911ed77f175b99e FRAX
eip155:1 0x5f98805a4e8be255a32880fdec7f6728c6568ba0 LUSD
eip155:1 0xdf574c24545e5ffecb9a659c229253d4111d87e1 HUSD
eip155:10 0x94b008aa00579c1307b0ef2c499ad98a8ce58e58 USDT
eip155:10 0x0b2c639c533813f4aa9d7837caf62653d097ff85 USDC
eip155:10 0x7f5c764cbc14f9669b88837ca1490cca17c31607 USDC.e
eip155:10 0xda10009cbd5d07dd0cecc66161fc93d7c9000da1 DAI
eip155:56 0x55d398326f99059ff775485246999027b3197955 USDT
eip155:56 0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d USDC
eip155:56 0xe9e7cea3dedca5984780bafc599bd69add087d56 BUSD
eip155:137 0xc2132d05d31c914a87c6611c10748aeb04b58e8f USDT
eip155:137 0x3c499c542cef5e3811e1192ce70d8cc03d5c3359 USDC
eip155:137 0x2791bca1f2de4661ed88a30c99a7a9449aa84174 USDC.e
eip155:137 0x8f3cf7ad23cd3cadbd9735aff958023239c6a063 DAI
eip155:8453 0x833589fcd6edb6e08f4c7c32d4f71b54bda02913 USDC
eip155:8453 0xd9aaec86b65d86f6a7b5b1b0c42ffa531710b6ca USDbC
eip155:42161 0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9 USDT
eip155:42161 0xaf88d065e77c8cc2239327c5edb3a432268e5831 USDC
eip155:42161 0xff970a61a04b1ca14834a43f5de4533ebddb5cc8 USDC.e
eip155:42161 0xda10009cbd5d07dd0cecc66161fc93d7c9000da1 DAI
eip155:43114 0xb97ef9ef8734c71904d8002f8b6bc66dd9c48a6e USDC
eip155:43114 0x9702230a8ea53601f5cd2dc00fdbc13d4df4a8c7 USDT
tron:728126428 TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t USDT
tron:728126428 TEkxiTehnzSmSe2XqrBj4w32RUN966rdz8 USDC
tron:728126428 TPYmHEhy5n8TCEfYGqW2rPxsghSfzghPDn USDDOLD
tron:728126428 TXDk8mbtRbXeYuMNS83CfKPaYYT8XWv9Hz USDD
tron:728126428 TUpMhErZL2fhh4sVNULAbNKLokS4GjC1F4 TUSD
tron:728126428 TMwFHYXLJaRUPeW6421aqXL4ZEzPRFGkGT USDJ
"""
CONTRACTS = frozenset((line.split()[0], line.split()[1]) for line in _CONTRACTS.strip().splitlines())


def stable(assets: Sequence[str]) -> NDArray[np.bool_]:
    """Which of these asset ids (CAIP-19, the empty text for none) are stablecoins."""
    found = np.zeros(len(assets), dtype=np.bool_)
    for place, asset in enumerate(assets):
        chain, _, token = asset.partition("/")
        found[place] = (chain, token.rpartition(":")[2]) in CONTRACTS
    return found
