"""Phrases that, in the text of a payment, point to illicit goods or activity: a small list of our own.

Phrases rather than words, whole words rather than parts of them, and only what is hard to mean otherwise:
so *weed* (a garden), *coke* (a drink), *héroïne* (a book), *carding* (wool), *hitman* (a game), *money
laundering* (a course against it) and every word for drugs in general (a charity) are left out. Chinese,
Japanese and Thai put no space between words, and so are looked for anywhere. Each line is an expression of
`re`, on texts in lower case. The list is short and will miss most; who reads such texts may lengthen it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

SPACED = (
    # English (and words that many languages share)
    r"coca[ií]ne?",
    r"cocaïne",
    r"[ck]okain",
    r"heroin",
    r"crystal meth",
    r"methamphetamine",
    r"mephedrone",
    r"fentanyl",
    r"mdma",
    r"(?:fake|forged|counterfeit) (?:passports?|ids?|id cards?|documents?)",
    r"counterfeit (?:money|notes?|bills|currency)",
    r"stolen (?:credit )?(?:cards?|accounts?|identit(?:y|ies))",
    r"cloned cards?",
    r"fullz",
    r"cvv dumps?",
    r"drug money",
    r"(?:unregistered|illegal) (?:guns?|weapons?|firearms?)",
    r"ghost guns?",
    r"hire an? (?:hitman|killer)",
    r"child porn(?:ography)?",
    r"(?:darknet|dark web|darkweb) (?:market|marketplace|order|vendor)",
    r"launder(?:ed|ing)? (?:the |this |my |our )?(?:money|cash|funds)",
    r"ransomware payment",
    # German, Dutch
    r"falschgeld",
    r"schwarzgeld",
    r"gefälschte[rns]? (?:pass|pässe|reisepass|reisepässe|ausweise?)",
    r"gestohlene[rn]? (?:kredit)?karten",
    r"illegale waffen",
    r"kinderporno(?:s|grafie|graphie)?",
    r"valse? paspoort(?:en)?",
    r"vals geld",
    # French, Italian, Spanish, Portuguese
    r"faux (?:passeports?|papiers|billets)",
    r"fausse monnaie",
    r"argent sale",
    r"cartes? volées?",
    r"armes? illégales?",
    r"passaport[oi] fals[oi]",
    r"banconote false",
    r"(?:soldi sporchi|denaro sporco)",
    r"carte clonate",
    r"pasaportes? falsos?",
    r"billetes falsos",
    r"dinero sucio",
    r"tarjetas (?:clonadas|robadas)",
    r"armas ilega(?:les|is)",
    r"pornografía infantil",
    r"passaportes? falsos?",
    r"dinheiro sujo",
    r"notas falsas",
    r"cart(?:ões|ão) clonados?",
    # Turkish, Indonesian, Malay, Vietnamese
    r"sahte (?:pasaport|kimlik|para)",
    r"kara para",
    r"çalıntı kart(?:lar)?",
    r"paspor(?:t)? palsu",
    r"[uw]ang palsu",
    r"sabu-sabu",
    r"hộ chiếu giả",
    r"tiền giả",
    # Russian, Ukrainian
    r"кокаин[а]?",
    r"кокаїн",
    r"героин[а]?",
    r"мефедрон[а]?",
    r"поддельн(?:ый|ого|ые) паспорт(?:а)?",
    r"підроблен(?:ий|ого) паспорт(?:а)?",
    r"фальшив(?:ые|ых) (?:деньги|денег|купюры|купюр)",
    r"детское порно",
    r"обнал",
    # Arabic, Hindi, Korean
    r"(?:ال)?كوكايين",
    r"(?:ال)?هيروين",
    r"جواز سفر مزور",
    r"(?:أموال|نقود) مزورة",
    r"नकली (?:पासपोर्ट|नोट)",
    r"कोकीन",
    r"코카인",
    r"필로폰",
    r"위조 ?(?:여권|지폐)",
)
UNSPACED = (
    r"可卡因",
    r"海洛因",
    r"冰毒",
    r"假(?:护照|護照|身份证|身份證|钞|鈔)",
    r"(?<!反)洗(?:黑)?[钱錢]",
    r"黑[钱錢]",
    r"コカイン",
    r"ヘロイン",
    r"覚醒剤",
    r"偽造パスポート",
    r"偽札",
    r"ยาบ้า",
    r"พาสปอร์ตปลอม",
)
_PHRASE = re.compile(rf"(?<!\w)(?:{'|'.join(SPACED)})(?!\w)|{'|'.join(UNSPACED)}")
_MANY = 1000
_BREAK = "\x1f"
_DIGITS = str.maketrans("123456789", "0" * 9)


def pointing(texts: Sequence[str]) -> Iterator[bool]:
    """Whether each text has such a phrase. Texts that differ in their digits only are looked at once."""
    seen: dict[str, bool] = {}
    for begin in range(0, len(texts), _MANY):
        for key in _plain(texts[begin : begin + _MANY]):
            found = seen.get(key)
            if found is None:
                found = seen[key] = _PHRASE.search(key) is not None
            yield found


def _plain(texts: Sequence[str]) -> list[str]:
    """The texts in lower case, each digit a nought: all in one go, which is several times faster."""
    plain = _BREAK.join(texts).lower().translate(_DIGITS).split(_BREAK)
    return plain if len(plain) == len(texts) else [text.lower().translate(_DIGITS) for text in texts]
