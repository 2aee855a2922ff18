"""Pools of common names, in Latin letters and the script they are also written in.

``Latin:original`` where the two differ. Combined at random, they name nobody in particular.
"""

from __future__ import annotations

import numpy as np

# pool: (family name first, joined without a space in its own script, given names, family names)
_POOLS: dict[str, tuple[bool, str, str]] = {
    "zh": (
        True,
        (
            "Wei Ming:伟明,Jia Hui:佳慧,Xiu Ling:秀玲,Jun Jie:俊杰,Mei Fen:美芬,Kok Wah:国华,Li Ting:丽婷,"
            "Zhi Hao:志豪,Hui Min:慧敏,Yong Sheng:永盛,Shu Fen:淑芬,Kai Xin:凯欣,"
            "Boon Huat:文发,Siew Lan:秀兰,Jian Feng:建峰,Yi Xuan:怡萱"
        ),
        (
            "Tan:陈,Lim:林,Lee:李,Ng:黄,Wong:王,Goh:吴,Chua:蔡,Koh:许,Teo:张,Yeo:杨,Ho:何,Low:刘,Chan:曾,Sim:沈,"
            "Foo:符,Quek:郭"
        ),
    ),
    "ms": (
        False,
        (
            "Nur Aisyah,Muhammad Hafiz,Siti Zubaidah,Ahmad Faizal,Nurul Huda,Khairul,Farah,Iskandar,"
            "Rosnah,Shahrul,Zulkifli"
        ),
        (
            "binte Rahman,bin Ismail,binte Osman,bin Abdullah,bin Hassan,binte Yusof,bin Salleh,"
            "binte Kassim,bin Jaafar"
        ),
    ),
    "hi": (
        False,
        (
            "Rajesh:राजेश,Priya:प्रिया,Anil:अनिल,Sunita:सुनीता,Vikram:विक्रम,Deepa:दीपा,Sanjay:संजय,"
            "Kavita:कविता,Arjun:अर्जुन,Meena:मीना,Rohit:रोहित,Lakshmi:लक्ष्मी,Suresh:सुरेश,"
            "Anjali:अंजलि"
        ),
        (
            "Sharma:शर्मा,Patel:पटेल,Nair:नायर,Gupta:गुप्ता,Reddy:रेड्डी,Menon:मेनन,Singh:सिंह,"
            "Iyer:अय्यर,Das:दास,Joshi:जोशी,Rao:राव"
        ),
    ),
    "de": (
        False,
        (
            "Jürgen,Sabine,Lukas,Annika,Günther,Katrin,Maximilian,Heike,Björn,Franziska,Wolfgang,"
            "Ulrike,Tobias,Käthe,Sören,Petra"
        ),
        (
            "Müller,Schmidt,Schröder,Fischer,Weiß,Köhler,Becker,Krüger,Hoffmann,Schäfer,Bauer,Jäger,"
            "Vogel,Groß,Lindner,Böhm"
        ),
    ),
    "tr": (
        False,
        "Mehmet,Ayşe,Mustafa,Elif,Hüseyin,Zeynep,Emre,Gülsüm,Okan,Çiğdem,Serkan,Özlem",
        "Yılmaz,Kaya,Demir,Şahin,Çelik,Yıldız,Öztürk,Aydın,Arslan,Doğan,Koç,Kılıç",
    ),
    "ru": (
        False,
        (
            "Ivan:Иван,Olga:Ольга,Dmitri:Дмитрий,Svetlana:Светлана,Sergei:Сергей,Natalia:Наталья,"
            "Aleksei:Алексей,Yelena:Елена,Nikolai:Николай,Irina:Ирина"
        ),
        (
            "Kuznetsov:Кузнецов,Morozenko:Морозенко,Sokol:Сокол,Lebedev:Лебедев,Vasilchuk:Васильчук,"
            "Zaytsev:Зайцев,Bondarenko:Бондаренко,Fedorov:Фёдоров,Belov:Белов,Tarasov:Тарасов"
        ),
    ),
    "en": (
        False,
        (
            "James,Mary,Robert,Linda,Michael,Karen,David,Susan,Ashley,Brian,Emily,Kevin,Rachel,Tyler,"
            "Megan,Jason,Laura,Eric"
        ),
        (
            "Smith,Johnson,Williams,Brown,Miller,Davis,Wilson,Anderson,Taylor,Moore,Clark,Walker,"
            "Hall,Young,Carter,Reed,Price"
        ),
    ),
    "es": (
        False,
        "José,María,Luis,Guadalupe,Carlos,Sofía,Jesús,Lucía,Andrés,Verónica,Ángel,Inés",
        "García,Hernández,Martínez,López,Rodríguez,Pérez,Sánchez,Ramírez,Núñez,Ibáñez,Muñoz,Peña",
    ),
    "ar": (
        False,
        (
            "Mohammed:محمد,Fatima:فاطمة,Ahmed:أحمد,Mariam:مريم,Khalid:خالد,Aisha:عائشة,Saeed:سعيد,"
            "Noura:نورة,Hamad:حمد,Layla:ليلى,Yousef:يوسف,Hessa:حصة,Omar:عمر,Salma:سلمى"
        ),
        (
            "Al Mazrouei:المزروعي,Al Ketbi:الكتبي,Al Suwaidi:السويدي,Al Dhaheri:الظاهري,Haddad:حداد,"
            "Al Ameri:العامري,Mansour:منصور,Al Shamsi:الشامسي,Khoury:خوري,Al Balushi:البلوشي,"
            "Nasser:ناصر"
        ),
    ),
}

_TRADES = "Trading,Logistics,Foods,Systems,Marine,Textiles,Energy,Supplies,Media,Consulting,Motors,Pharma"
_STEMS = (
    "Amber,Bluewater,Cedar,Delta,Evergreen,Fairwind,Granite,Harbour,Ironwood,Jasmine,Keystone,Lantern,"
    "Meridian,Northgate,Orchid,Pinnacle,Quayside,Redstone,Silverline,Tamarind,Umbra,Vantage,Westport,Zenith"
)


def _pairs(text: str) -> list[tuple[str, str]]:
    parts = (part.partition(":") for part in text.split(","))
    return [(latin, original or latin) for latin, _, original in parts]


_READY = {pool: (first, _pairs(given), _pairs(family)) for pool, (first, given, family) in _POOLS.items()}


def person(rng: np.random.Generator, pool: str) -> tuple[str, str]:
    """A full name in Latin letters, and in its own script (the same where that is Latin)."""
    family_first, givens, families = _READY[pool]
    given, family = givens[rng.integers(len(givens))], families[rng.integers(len(families))]
    if family_first:
        return f"{family[0]} {given[0]}", family[1] + given[1]
    return f"{given[0]} {family[0]}", f"{given[1]} {family[1]}"


def company(rng: np.random.Generator, suffix: str) -> str:
    """The name of a firm with its legal form."""
    stems, trades = _STEMS.split(","), _TRADES.split(",")
    first, second = rng.choice(len(stems), 2, replace=False)
    return f"{stems[first]} {stems[second]} {trades[rng.integers(len(trades))]} {suffix}"
