"""What customers and agents of the demo say: short Polish sentences of our own.

An opening states facts in two clauses; a restatement says the same clauses again in other words and order;
news adds something that was never said. Tests hold the three apart by the measure that finds restatements.
"""

from dataclasses import dataclass
from random import Random

from ingestion.demo.names import Product

CLAUSES = {
    "delivery": (
        ("{order}, w nim {product}, miało dotrzeć {day}", "kurier do tej pory się nie pojawił"),
        ("paczka, w której jest {product}, utknęła w sortowni {day}", "status stoi w miejscu, dotyczy: {order}"),
        ("kurier {day} zostawił awizo pod złym adresem", "w paczce jest {product}, dotyczy: {order}"),
        ("zmieniły się moje plany i {day} nikogo nie ma w domu", "{product} może trafić do automatu, dotyczy: {order}"),
    ),
    "invoice": (
        ("na fakturze za {thing} jest błędny numer NIP", "dokument przyszedł {day}, dotyczy: {order}"),
        ("nie przyszła faktura za {thing}", "przelew poszedł {day}, dotyczy: {order}"),
        ("kwota na fakturze za {thing} nie zgadza się z rabatem", "rabat był naliczony {day}, dotyczy: {order}"),
        ("potrzebny jest duplikat rachunku za {thing}", "oryginał zaginął {day}, dotyczy: {order}"),
    ),
    "complaint": (
        ("od paru dni nie działa {product}", "usterka pojawiła się {day}, zgłaszam reklamację, dotyczy: {order}"),
        ("w kartonie jest {product} z pękniętą obudową", "karton przyszedł {day} zgnieciony, dotyczy: {order}"),
        ("serwis {day} oddał {thing} bez naprawy", "usterka wróciła tego samego wieczoru, dotyczy: {order}"),
        ("{product} hałasuje tak, że trudno wytrzymać", "najgorzej było {day}, proszę o wymianę, dotyczy: {order}"),
    ),
    "product": (
        ("szukam informacji, czy {product} pasuje do blatu o głębokości 60 cm", "montaż planuję {day}"),
        ("na stronie brakuje instrukcji po polsku, model to {product}", "urządzenie ma być podłączone {day}"),
        ("interesuje mnie, jaki filtr wymienny ma {product}", "stary skończy się {day}"),
        ("{product} czy model z gazetki, trudno mi wybrać", "który pobiera mniej prądu, decyzja zapadnie {day}"),
    ),
    "contract": (
        ("umowa serwisowa na {thing} kończy się {day}", "chcę ją przedłużyć na dotychczasowych warunkach"),
        ("w umowie ratalnej na {thing} podano zły adres", "aneks powinien być gotowy {day}"),
        ("rezygnuję z ubezpieczenia, które obejmuje {thing}", "wypowiedzenie zostało podpisane {day}"),
        ("karta stałego klienta nie naliczyła punktów za {thing}", "zakup był {day} w salonie"),
    ),
    "returns": (
        ("odsyłam {thing}, bo kolor jest inny niż na zdjęciu", "formularz zwrotu wypełniony {day}, dotyczy: {order}"),
        ("zwrot pieniędzy za {thing} nie wpłynął na konto", "towar wrócił do magazynu {day}, dotyczy: {order}"),
        ("etykieta zwrotna na {thing} nie chce się wydrukować", "termin odesłania mija {day}, dotyczy: {order}"),
        ("kurier {day} odmówił przyjęcia zwrotu", "{product} stoi w przedpokoju, dotyczy: {order}"),
    ),
}  # fmt: skip
GREETINGS = ("Dzień dobry", "Witam", "Dobry wieczór", "Szanowni Państwo")
CLOSINGS = ("Proszę o pomoc.", "Co dalej?", "Czekam na odpowiedź.", "Pozdrawiam.", "")
AGAIN = ("Od początku", "Jeszcze raz", "Powtarzam", "Tłumaczę znów")
DAYS = ("w poniedziałek", "we wtorek", "w środę", "w czwartek", "w piątek", "w sobotę")

NEWS = (
    "Rozumiem, w takim razie poczekam jeszcze do końca tygodnia.",
    "Odpowiada mi telefon między szesnastą a osiemnastą.",
    "Mam też zdjęcia, mogę je przesłać, jeśli to coś ułatwi.",
    "Czy ktoś zdążył już to sprawdzić u siebie?",
    "Dopisuję, że domofon nie działa i trzeba zapukać.",
    "Wolę załatwić to tutaj, bo tak jest mi wygodniej.",
    "Ile dni roboczych zwykle to u Was trwa?",
    "Znalazł się paragon, leżał w szufladzie.",
    "Zgadzam się na zaproponowane rozwiązanie.",
    "Sąsiadka może odebrać pod moją nieobecność.",
    "Nadal nic się nie ruszyło, jak to teraz wygląda?",
    "Czy da się to jakoś przyspieszyć?",
    "Wybieram drugą z podanych możliwości.",
    "Zmienił mi się adres do korespondencji: ulica Lipowa 4.",
    "Potwierdzam, wszystko mam przygotowane.",
    "Jutro rano jestem w pracy, proszę pisać po południu.",
    "Kto będzie prowadził to zgłoszenie dalej?",
    "Załączam skan podpisanego oświadczenia.",
    "Bank przysłał wyciąg, mogę go pokazać.",
    "Rodzice wyjeżdżają na urlop, więc zależy mi na czasie.",
    "Poproszę o krótkie podsumowanie ustaleń.",
    "Chętnie skorzystam z odbioru osobistego w Łodzi.",
    "Dobrze, a co z kosztami po mojej stronie?",
    "Numer konta bez zmian, taki jak w profilu.",
    "Nie mam drukarki, czy wystarczy podpis elektroniczny?",
    "Wczorajsza rozmowa się urwała, zasięg był słaby.",
    "Brat pytał o rzecz podobną i dostał inną poradę.",
    "Weekend odpada, najlepszy byłby wtorek rano.",
)
ANSWERS = (
    "Dziękujemy za wiadomość. Sprawdziliśmy i odezwie się do Państwa magazyn.",
    "Przepraszamy za kłopot. Zlecamy wyjaśnienie i wracamy z informacją.",
    "Sprawa została przyjęta, poniżej przesyłamy dalsze kroki.",
    "Potwierdzamy przyjęcie, korekta zostanie wysłana dzisiaj.",
    "Uzgodniliśmy nowy termin, prosimy o chwilę cierpliwości.",
    "Zgodnie z regulaminem przysługuje Państwu bezpłatna wymiana.",
)
ASKING = (
    "Prosimy o zdjęcie tabliczki znamionowej.",
    "Prosimy o potwierdzenie danych do korekty.",
    "Prosimy wskazać dogodny termin odbioru.",
)
CALM = ("Dziękuję, to wystarczy.", "Super, dziękuję.", "Jasne, dzięki za pomoc.", "OK, wszystko jasne.")
FAREWELL = "Dziękujemy za kontakt, miłego dnia."
ACKNOWLEDGED = "Otrzymaliśmy Państwa wiadomość. Odpowiemy najszybciej, jak to możliwe."
REDIRECTED = "W tej sprawie prosimy o kontakt innym kanałem: {channel}."
BOT = "Tę informację znajdą Państwo w panelu klienta w zakładce Zamówienia."
HUMAN_PLEASE = "Proszę o połączenie z konsultantem."
NOTES = (
    "Klient prosi o kontakt po południu.",
    "Preferuje odbiór w automacie.",
    "Rozważa zakup drugiego urządzenia w grudniu.",
    "Ustalono wymianę bez dodatkowych kosztów.",
    "Zgłasza hałas urządzenia, do obserwacji.",
)
CHANNELS = {
    "email": "e-mail",
    "chat": "czat",
    "messenger": "Messenger",
    "phone": "telefon",
    "web_form": "formularz",
}


@dataclass(frozen=True, kw_only=True)
class Matter:
    """What one case is about, so that it can be told twice."""

    first: str
    second: str


def matter(rng: Random, topic: str, product: Product, order: str | None) -> Matter:
    """Two clauses of facts about a product, with the order's number where there is one."""
    first, second = rng.choice(CLAUSES[topic])
    number = f"zamówienie {order}" if order else "ostatnie zamówienie"
    facts = {"product": product.name, "thing": product.thing, "order": number, "day": rng.choice(DAYS)}
    return Matter(first=first.format(**facts), second=second.format(**facts))


def opening(rng: Random, told: Matter) -> str:
    """The first telling."""
    return f"{rng.choice(GREETINGS)}, {told.first}. {sentence(told.second)} {rng.choice(CLOSINGS)}".strip()


def restated(rng: Random, told: Matter) -> str:
    """The same facts told again, the other way round."""
    return f"{rng.choice(AGAIN)}: {told.second}. {sentence(told.first)}"


def sentence(clause: str) -> str:
    """A clause standing by itself."""
    return f"{clause[0].upper()}{clause[1:]}."
