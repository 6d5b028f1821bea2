"""Words of the retailer: people's names, teams and agents, products."""

from dataclasses import dataclass
from random import Random

FIRST = (
    "anna", "maria", "katarzyna", "malgorzata", "agnieszka", "barbara", "ewa", "magdalena", "joanna", "monika",
    "natalia", "zofia", "julia", "oliwia", "alicja", "piotr", "krzysztof", "andrzej", "tomasz", "pawel",
    "jan", "michal", "marcin", "jakub", "adam", "lukasz", "mateusz", "wojciech", "kamil", "grzegorz",
)  # fmt: skip
LAST = (
    "nowak", "kowalska", "wisniewski", "wojcik", "kowalczyk", "kaminski", "lewandowska", "zielinski", "szymanska",
    "wozniak", "dabrowski", "kozlowska", "jankowski", "mazur", "krawczyk", "piotrowska", "grabowski", "pawlak",
    "michalska", "krol", "wieczorek", "jablonska", "wrobel", "majewski", "olszewska", "stepien", "malinowski",
    "jaworska", "adamczyk", "dudek", "nowicka", "pawlowski", "gorski", "witkowska", "walczak", "sikora", "baran",
)  # fmt: skip
DOMAINS = ("poczta.example", "skrzynka.example", "moj-list.example", "example.com", "example.org")
MOBILE = ("501", "502", "505", "507", "511", "512", "531", "601", "602", "604", "660", "661", "691", "692", "721",
          "723", "781", "782", "791", "880")  # fmt: skip

TEAMS = {
    "BOK Warszawa": ("a.nowak", "b.zielinska", "d.wrona", "e.lis", "f.kubiak", "g.mroz", "h.sowa", "i.czech"),
    "BOK Łódź": ("k.bielak", "l.duda", "m.gajda", "n.hojnacka", "o.janik", "p.kmita", "r.lach", "s.madej"),
    "BOK Gdańsk": ("t.necel", "u.okon", "w.formela", "z.richert", "a.szulc", "b.konkel", "c.labuda"),
    "Sprzedaż": ("d.adamska", "e.borek", "f.cygan", "g.drozd", "h.ferenc", "i.golik"),
}  # fmt: skip
SERVICE = ("BOK Warszawa", "BOK Łódź", "BOK Gdańsk")
SALES = "Sprzedaż"
TOPICS = ("delivery", "invoice", "complaint", "product", "contract", "returns")
TOPIC_WEIGHTS = (30, 14, 17, 17, 8, 14)


@dataclass(frozen=True, kw_only=True)
class Product:
    """Something on the shelf; `thing` is its name in the accusative, `price` in PLN."""

    sku: str
    name: str
    thing: str
    category: str
    price: int


SHELF = (
    ("ekspres ciśnieniowy", "", "coffee", 1299), ("młynek żarnowy", "", "coffee", 449),
    ("spieniacz do mleka", "", "coffee", 189), ("odkurzacz pionowy", "", "cleaning", 899),
    ("robot sprzątający", "robota sprzątającego", "cleaning", 1499), ("mop parowy", "", "cleaning", 329),
    ("lodówka", "lodówkę", "kitchen", 2499), ("zmywarka", "zmywarkę", "kitchen", 1899),
    ("płyta indukcyjna", "płytę indukcyjną", "kitchen", 1399), ("czajnik elektryczny", "", "kitchen", 149),
    ("pralka", "pralkę", "laundry", 1999), ("suszarka bębnowa", "suszarkę bębnową", "laundry", 2299),
    ("żelazko parowe", "", "laundry", 249), ("zestaw słuchawkowy", "", "audio", 399),
    ("głośnik przenośny", "", "audio", 299), ("soundbar", "", "audio", 999), ("telewizor", "", "video", 2799),
    ("monitor", "", "video", 1099), ("suszarka do włosów", "suszarkę do włosów", "care", 219),
    ("szczoteczka soniczna", "szczoteczkę soniczną", "care", 259),
)  # fmt: skip
"""Name, accusative where it differs, class, price."""
PRODUCTS = tuple(
    Product(sku=f"AGD-{number:03}", name=name, thing=thing or name, category=category, price=price)
    for number, (name, thing, category, price) in enumerate(SHELF, start=1)
)
CLASSES = tuple(sorted({product.category for product in PRODUCTS}))


def address(rng: Random, number: int) -> str:
    """An e-mail address that nobody else in the demo has."""
    return f"{rng.choice(FIRST)}.{rng.choice(LAST)}{number}@{rng.choice(DOMAINS)}"


def mobile(rng: Random, number: int) -> str:
    """Nine digits of a Polish mobile number that nobody else in the demo has."""
    return f"{rng.choice(MOBILE)}{(number * 7_919 + 104_729) % 1_000_000:06}"


def spoken(digits: str, style: int) -> str:
    """A number as sources write it."""
    spaced = f"{digits[:3]} {digits[3:6]} {digits[6:]}"
    return (f"+48{digits}", spaced, f"+48 {spaced}")[style % 3]
