"""A name as the words it is compared by, in any script.

Three forms of a word, each coarser: the word itself in ASCII; its *fold*, in which spellings of the same
sound agree (Aleksandr, Alexander); its *skeleton* of consonants, for scripts that write no short vowels
(Arabic, Hebrew). Han and Hangul are split by character, one a word, and Hangul in the spelling people use
(Kim, not Gim). Known limit: Han characters are read as Mandarin, so a Japanese or Korean name written in
them is found only under an alias in the same characters.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

MAX_WORDS = 24
WEAK_SHARE = 0.1
PATRONYMIC_SHARE = 0.35

# Forms of organisations, then titles and particles: they say little about who it is.
_WEAK = """
ltd limited llc llp lp inc incorporated corp corporation co company companies plc gmbh mbh ag kg sa sas
sarl srl spa snc bv nv oy oyj ab as asa aps ooo oao zao pao ao jsc pjsc ojsc cjsc fze fzco fzc fzllc dmcc
pte pty sdn bhd kft zrt doo dd ad ead eood ood ltda sl cv de liability joint stock public private open
closed society group holding obshchestvo ogranichennoi ogranichennoy otvetstvennostyu aktsionernoe
aktsionernoye publichnoe publichnoye zakrytoe otkrytoe s and und et the of for y i e mr mrs ms dr prof sir
haji hajj hajji mullah maulavi mawlawi qari sheikh shaykh shaikh sayyid sayed general colonel al el bin
ibn ben bint ould abu abou van von der den du la le los da dos di
"""
WEAK = frozenset(_WEAK.split())

_PATRONYMIC = re.compile(r".{2,}(?:[oeai]vi[ct]h|[oe]vych|[oeai]vna|ichna|ogly|oglu|kyzy)")
_INITIALS = re.compile(r"\b(?:\w\.){2,}")
_MARKS = re.compile(r"['’‘`´ʼʻʿʾ\"“”«»]")
_HAN = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
_HANGUL = re.compile(r"[\uac00-\ud7a3]+")
_ABJAD = re.compile(r"[\u0590-\u05ff\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]")
_BREAKS = re.compile(r"[\s\-‐‑–—_.,;:/\\()\[\]&+|]+")
_WORD = re.compile(r"[a-z0-9]+")
_SURNAMES = {
    "gim": "kim",
    "i": "lee",
    "bag": "park",
    "choe": "choi",
    "gang": "kang",
    "jo": "cho",
    "yun": "yoon",
    "im": "lim",
    "o": "oh",
    "seo": "suh",
    "gwon": "kwon",
    "ryu": "yoo",
    "u": "woo",
    "no": "roh",
    "ri": "lee",
    "bak": "park",
}

_FOLDS = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        ("shch|tsch|tch|tsh|sch|sh|ch", "C"),
        ("dzh|zh|dj", "j"),
        ("kh|ck|qu|q", "k"),
        ("ph", "f"),
        ("gh", "g"),
        ("th|dt", "t"),
        ("x", "ks"),
        ("ts|tz", "z"),
        ("c(?=[eiy])", "s"),
        ("c", "k"),
        ("w", "v"),
        ("ou|oo|eo|eu|au", "u"),
        ("(?<=[aeiou])h(?![aeiou])", ""),
        ("ee|ie|ei|iy|ij|yi|ya$|ia$|ai|ay|ey|y", "i"),
        ("o", "u"),
        ("e", "i"),
    )
)
_CONSONANTS = (("kh", "x"), ("sh", "$"), ("ch", "$"), ("ph", "f"), ("q", "k"), ("c", "k"), ("p", "b"))
_REPEATED = re.compile(r"(.)\1+")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: ASCII text, fold, and skeleton. ``abjad`` when it was written without short vowels."""

    text: str
    fold: str
    skeleton: str
    abjad: bool


def words(name: str) -> tuple[Word, ...]:
    """The words of a name, at most MAX_WORDS, in their order."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", name).casefold())
    plain = _INITIALS.sub(lambda match: match[0].replace(".", "") + " ", plain)
    if plain.isascii():  # most are, and there is nothing to read from another script
        return tuple([_word(text, False) for text in _WORD.findall(plain)][:MAX_WORDS])
    plain = _HANGUL.sub(_hangul, _HAN.sub(r" \1 ", plain))
    found = []
    for part in _BREAKS.split(plain):
        abjad = bool(_ABJAD.search(part))
        ascii_part = _MARKS.sub("", anyascii(part)).lower()
        found += [_word(text, abjad) for text in _WORD.findall(ascii_part)]
    return tuple(found[:MAX_WORDS])


@lru_cache(maxsize=200_000)
def _word(text: str, abjad: bool) -> Word:
    return Word(text, fold(text), skeleton(text), abjad)


def _hangul(match: re.Match[str]) -> str:
    """Syllables apart, the first as a surname where it is a common one."""
    syllables = [anyascii(syllable).lower() for syllable in match[0]]
    if len(syllables) > 1:
        syllables[0] = _SURNAMES.get(syllables[0], syllables[0])
    return f" {' '.join(syllables)} "


def importance(found: tuple[Word, ...]) -> tuple[float, ...]:
    """How much each word says about who it is, beside its rarity: little for WEAK words, some for the
    patronymic of a full name, which is left out as often as it is given."""
    full = len(found) > 2
    return tuple(
        WEAK_SHARE
        if word.text in WEAK
        else PATRONYMIC_SHARE
        if full and _PATRONYMIC.fullmatch(word.text)
        else 1.0
        for word in found
    )


def fold(text: str) -> str:
    """The word with spellings of the same sound made one, and letters that repeat made single."""
    folded = text
    for pattern, put in _FOLDS:
        folded = pattern.sub(put, folded)
    return _REPEATED.sub(r"\1", folded) or text


def skeleton(text: str) -> str:
    """The word's consonants, as an Arabic or Hebrew spelling would leave them."""
    bare = text
    for pair, put in _CONSONANTS:
        bare = bare.replace(pair, put)
    # an h after t, d or g may be a letter of its own in one spelling and half of one in the other
    bare = re.sub("(?<=[tdg])h", "", re.sub("[aeiouwy]", "", bare))
    bare = _REPEATED.sub(r"\1", bare)
    return bare[:-1] if len(bare) > 1 and bare.endswith("h") else bare
