"""Who is on a list: the node's editions of lists (`store`), wallets (`addresses`) and names (`names`).

store = ListStore(directory); store.bundled(now)
WalletIndex(store.listings()).screen(account)
NameIndex(store.listings()).screen("Orsolo Vantermeer", birth_date="1971")
"""
