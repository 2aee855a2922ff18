"""Country names as authorities write them, to ISO 3166-1 alpha-2.

The codes are ISO's; ``XK`` (Kosovo) is the user-assigned code in common use. A name that is not known
(``undetermined``, a region that is no country) gives ``""``: nothing is guessed.
"""

from __future__ import annotations

import re
from functools import cache

from anyascii import anyascii

_STOP = frozenset({"the", "of", "and", "region"})


def code(name: str) -> str:
    """The alpha-2 code of a country's name in any word order, or ``""``."""
    return _table().get(_key(name), "")


def codes(names: list[str]) -> tuple[str, ...]:
    """Codes of the names that are known, each once, in order."""
    return tuple(dict.fromkeys(found for name in names if (found := code(name))))


def _key(name: str) -> tuple[str, ...]:
    words = re.findall(r"[a-z]+", anyascii(name[:200]).lower().replace("'", ""))
    return tuple(sorted(word for word in words if word not in _STOP))


@cache
def _table() -> dict[tuple[str, ...], str]:
    table: dict[tuple[str, ...], str] = {}
    for line in _NAMES.split("\n"):
        country, _, names = line.partition("=")
        table[country.lower(),] = country
        table.update({_key(name): country for name in names.split("|")})
    return table


_NAMES = """\
AD=Andorra
AE=United Arab Emirates|UAE
AF=Afghanistan
AG=Antigua and Barbuda
AI=Anguilla
AL=Albania
AM=Armenia
AO=Angola
AQ=Antarctica
AR=Argentina
AS=American Samoa
AT=Austria
AU=Australia
AW=Aruba
AX=Aland Islands
AZ=Azerbaijan
BA=Bosnia and Herzegovina
BB=Barbados
BD=Bangladesh
BE=Belgium
BF=Burkina Faso
BG=Bulgaria
BH=Bahrain
BI=Burundi
BJ=Benin
BL=Saint Barthelemy
BM=Bermuda
BN=Brunei|Brunei Darussalam
BO=Bolivia|Bolivia (Plurinational State of)
BQ=Bonaire, Sint Eustatius and Saba
BR=Brazil
BS=Bahamas
BT=Bhutan
BV=Bouvet Island
BW=Botswana
BY=Belarus
BZ=Belize
CA=Canada
CC=Cocos (Keeling) Islands
CD=Congo, Democratic Republic of the|DR Congo|DRC
CF=Central African Republic
CG=Congo, Republic of the|Congo
CH=Switzerland
CI=Cote d'Ivoire|Cote d Ivoire|Ivory Coast
CK=Cook Islands
CL=Chile
CM=Cameroon
CN=China
CO=Colombia
CR=Costa Rica
CU=Cuba
CV=Cabo Verde|Cape Verde
CW=Curacao|Netherlands Antilles
CX=Christmas Island
CY=Cyprus
CZ=Czech Republic|Czechia
DE=Germany
DJ=Djibouti
DK=Denmark
DM=Dominica
DO=Dominican Republic
DZ=Algeria
EC=Ecuador
EE=Estonia
EG=Egypt
EH=Western Sahara
ER=Eritrea
ES=Spain
ET=Ethiopia
FI=Finland
FJ=Fiji
FK=Falkland Islands (Malvinas)|Falkland Islands
FM=Micronesia, Federated States of|Micronesia
FO=Faroe Islands
FR=France
GA=Gabon
GB=United Kingdom|United Kingdom of Great Britain and Northern Ireland|Great Britain|UK
GD=Grenada
GE=Georgia
GF=French Guiana
GG=Guernsey
GH=Ghana
GI=Gibraltar
GL=Greenland
GM=Gambia|The Gambia
GN=Guinea
GP=Guadeloupe
GQ=Equatorial Guinea
GR=Greece
GS=South Georgia
GT=Guatemala
GU=Guam
GW=Guinea-Bissau
GY=Guyana
HK=Hong Kong|China, Hong Kong Special Administrative Region
HM=Heard Island
HN=Honduras
HR=Croatia
HT=Haiti
HU=Hungary
ID=Indonesia
IE=Ireland
IL=Israel
IM=Isle of Man
IN=India
IO=British Indian Ocean Territory
IQ=Iraq
IR=Iran|Iran (Islamic Republic of)
IS=Iceland
IT=Italy
JE=Jersey
JM=Jamaica
JO=Jordan
JP=Japan
KE=Kenya
KG=Kyrgyzstan
KH=Cambodia
KI=Kiribati
KM=Comoros
KN=Saint Kitts and Nevis
KP=Korea, North|Democratic People's Republic of Korea|DPRK
KR=Korea, South|Republic of Korea
KW=Kuwait
KY=Cayman Islands
KZ=Kazakhstan
LA=Laos|Lao People's Democratic Republic
LB=Lebanon
LC=Saint Lucia
LI=Liechtenstein
LK=Sri Lanka
LR=Liberia
LS=Lesotho
LT=Lithuania
LU=Luxembourg
LV=Latvia
LY=Libya|Libyan Arab Jamahiriya
MA=Morocco
MC=Monaco
MD=Moldova|Republic of Moldova
ME=Montenegro
MF=Saint Martin
MG=Madagascar
MH=Marshall Islands
MK=North Macedonia, The Republic of|North Macedonia
ML=Mali
MM=Burma|Myanmar
MN=Mongolia
MO=Macau|Macao|China, Macao Special Administrative Region
MP=Northern Mariana Islands
MQ=Martinique
MR=Mauritania
MS=Montserrat
MT=Malta
MU=Mauritius
MV=Maldives
MW=Malawi
MX=Mexico
MY=Malaysia
MZ=Mozambique
NA=Namibia
NC=New Caledonia
NE=Niger
NF=Norfolk Island
NG=Nigeria
NI=Nicaragua
NL=Netherlands|Netherlands (Kingdom of the)|Holland
NO=Norway
NP=Nepal
NR=Nauru
NU=Niue
NZ=New Zealand
OM=Oman
PA=Panama
PE=Peru
PF=French Polynesia
PG=Papua New Guinea
PH=Philippines
PK=Pakistan
PL=Poland
PM=Saint Pierre and Miquelon
PN=Pitcairn
PR=Puerto Rico
PS=Palestinian|State of Palestine|Palestine|Gaza|West Bank|Palestinian Territory, Occupied
PT=Portugal
PW=Palau
PY=Paraguay
QA=Qatar
RE=Reunion
RO=Romania
RS=Serbia
RU=Russia|Russian Federation
RW=Rwanda
SA=Saudi Arabia
SB=Solomon Islands
SC=Seychelles
SD=Sudan
SE=Sweden
SG=Singapore
SH=Saint Helena
SI=Slovenia
SJ=Svalbard and Jan Mayen
SK=Slovakia|Slovak Republic
SL=Sierra Leone
SM=San Marino
SN=Senegal
SO=Somalia
SR=Suriname
SS=South Sudan
ST=Sao Tome and Principe
SV=El Salvador
SX=Sint Maarten
SY=Syria|Syrian Arab Republic
SZ=Eswatini|Swaziland
TC=Turks and Caicos Islands
TD=Chad
TF=French Southern Territories
TG=Togo
TH=Thailand
TJ=Tajikistan
TK=Tokelau
TL=Timor-Leste|East Timor
TM=Turkmenistan
TN=Tunisia
TO=Tonga
TR=Turkey|Türkiye|Turkiye
TT=Trinidad and Tobago
TV=Tuvalu
TW=Taiwan|Chinese Taipei
TZ=Tanzania|United Republic of Tanzania
UA=Ukraine|Crimea
UG=Uganda
UM=United States Minor Outlying Islands
US=United States|United States of America|USA
UY=Uruguay
UZ=Uzbekistan
VA=Holy See|Vatican City
VC=Saint Vincent and the Grenadines
VE=Venezuela|Venezuela (Bolivarian Republic of)
VG=Virgin Islands, British
VI=Virgin Islands, US|Virgin Islands, United States
VN=Vietnam|Viet Nam
VU=Vanuatu
WF=Wallis and Futuna
WS=Samoa
XK=Kosovo
YE=Yemen
YT=Mayotte
ZA=South Africa
ZM=Zambia
ZW=Zimbabwe"""
