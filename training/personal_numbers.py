"""Numbers that belong to a person or an account: identity, bank account, card, telephone.

Check digits are tried by python-stdnum, telephone numbers by phonenumbers. Both go by the form
alone, and an invoice number can have the form of a telephone number: what the nearest word before
a number calls it decides where the form leaves it open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["phone number", "identity number", "account number", "card number"]

#: No number of these kinds has fewer digits.
_FEWEST_DIGITS = 7

#: How far before a number the word that names it stands, in characters.
_REACH = 48

_NAMES_PHONE = re.compile(
    r"\b(?:tlf|tel|telefon\w*|mob|mobil\w*|mobile|(?:tele)?phone\w*|cell\w*|call\w*|ring\w*|sms\w*"
    r"|text|whatsapp|vipps\w*|signal|fax|faks|sentralbord\w*|switchboard|hotline|extension"
    r"|vakttelefon\w*|vakta|dial|reach|nås?|kontakt\w*|contact\w*|landline|fasttelefon\w*"
    r"|answers?\s+on|svarer\s+på|beskjed\s+på)(?:[-. ]{0,2}(?:number|no|nr|nummer\w*)\b)?",
    re.IGNORECASE,
)
_NAMES_IDENTITY = re.compile(
    r"\b(?:fødsels\w*|personnummer\w*|person-?nr|fnr|f\.nr|d-?nummer\w*|dnr|fødselsnr|ssn"
    r"|(?:national\s+)?(?:identity|identification|id)\s+(?:number|no)|social\s+security\w*"
    r"|personal\s+(?:number|id)|born\s+number|cpr\w*|personnr)\b",
    re.IGNORECASE,
)
_NAMES_ACCOUNT = re.compile(
    r"\b(?:\w{0,30}konto(?:en|er|nummer\w{0,4}|nr)?|kontonr|bank\s*account\w*|accounts?(?:\s+(?:number|no))?"
    r"|acct|a/c|iban|utbetal\w*|overfør\w*|betal\w*|pay(?:able|ment)?|transfer\w*|innbetal\w*)\b",
    re.IGNORECASE,
)
_NAMES_OTHER = re.compile(
    r"(?:\b(?:invoice|order|ticket|case|customer|client|member|employee|reference|ref|part|item"
    r"|article|serial|model|product|project|policy|booking|tracking|shipment|parcel|batch|asset"
    r"|purchase|po|sku|isbn|kid|build|version|revision|issue|room|building|warranty|licence|license"
    r"|vat|mva|org|gtin|ean|imei|receipt|quote|contract|job|run|pipeline|commit|error|document|delivery|lot)"
    r"|\b(?:faktura|ordre|sak|saks|kunde|medlem|medlems|ansatt|referanse|vare|artikkel|serie|modell"
    r"|produkt|prosjekt|polise|bestilling|bestillings|sporing|sporings|pakke|parti|rom|bygg|avtale"
    r"|kvittering|tilbud|tilbuds|kontrakt|kontrakts|org|organisasjon|organisasjons|journal|billett"
    r"|strekkode|dokument|lager|utstyr|inventar|lønns|versjon|jobb|kjøring|feil|gnr|bnr|måler"
    r"|målepunkt|anlegg|anleggs|leverings|leveranse\w*|parti))"
    r"(?:[- ]?(?:number|no|nr|id|code|nummer|kode|reference|ref)\w{0,4})?\b[.:#]?|#|№",
    re.IGNORECASE,
)
#: "No. 48192037", of whatever: what belongs to a person is called by its name.
_NAMES_NUMBER = re.compile(r"\b(?:nr|no)\.?\s*$", re.IGNORECASE)
_NAMES_MONEY = re.compile(
    r"(?:\b(?:kr|nok|usd|eur|gbp|sek|dkk|sum|total\w*|beløp\w*|amount|budget|omsetning|revenue)\b"
    r"|[$€£])[.:]?\s*$",
    re.IGNORECASE,
)
_COUNTS_SOMETHING = re.compile(
    r"^\s*(?:kr|nok|usd|eur|kroner|millioner|mill|users?|brukere|rows|rader|bytes|ms|kwh|%|km|m²"
    r"|requests|records|stk|tokens)\b|^\s*%",
    re.IGNORECASE,
)

_ELEVEN_AS_IDENTITY = re.compile(r"(?<![\w.-])\d{6}[ -]?\d{5}(?![\w-])(?!\.\d)")
_ELEVEN_AS_ACCOUNT = re.compile(r"(?<![\w.-])\d{4}([. -]?)\d{2}\1\d{5}(?![\w-])(?!\.\d)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?!\w)")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])(?!\.\d)")
_CARD_BEGINS = re.compile(r"4|5[0-8]|2[2-7]|3[0468-9]|34|37|6[0-9]")
_OTHER_COUNTRIES_IDENTITY = re.compile(
    r"(?<![\w.-])(?:\d{3}-\d{2}-\d{4}|(?:\d{2})?\d{6}[-+]\d{4}|\d{6}[-+A]\d{3}[0-9A-Y])(?![\w-])"
)

#: A number of another country, or of one's own, with the zero that is dialled only at home.
_WITH_HOME_ZERO = re.compile(r"(?<!\w)\+\d{1,3}[ -]?\(0\)[ -]?\d(?:[ -]?\d){5,11}(?![\w-])")

#: How Norwegian numbers of eight digits are spoken and written, in groups of digits.
_SPOKEN_GROUPS = ((3, 2, 3), (2, 2, 2, 2))
_SPOKEN = re.compile(r"(?<!\w)(?:\d{3} \d{2} \d{3}|\d{2} \d{2} \d{2} \d{2}|\d{8})(?!\w)")

#: Countries whose own way of writing is looked for behind a word that names a telephone.
_NEIGHBOURS = ("GB", "SE", "DE")


@dataclass(frozen=True)
class Numbered:
    """A number that was found, by its place in the text."""

    kind: Kind
    start: int
    end: int


def find_numbers(text: str) -> tuple[Numbered, ...]:
    """Return the personal numbers in `text`, the surer kinds first; they may overlap."""
    if sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return ()
    found: list[Numbered] = []
    for look in (_ibans, _identities, _accounts, _cards, _phones):
        found.extend(look(text))
    return tuple(found)


def _ibans(text: str) -> Iterator[Numbered]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        # What follows in capitals may have been taken along; the check digits say where it ends.
        for end in range(match.end(), match.start() + 14, -1):
            if text[end - 1].isalnum() and iban.is_valid(text[match.start() : end]):
                yield Numbered("account number", match.start(), end)
                break


def _identities(text: str) -> Iterator[Numbered]:
    from stdnum.no import fodselsnummer
    from stdnum.se import personnummer
    from stdnum.us import ssn

    for match in _ELEVEN_AS_IDENTITY.finditer(text):
        named = _named(text, match.start())
        is_valid = fodselsnummer.is_valid(match.group()) or _is_made_up_for_tests(match.group())
        # By chance one in some thousand numbers of eleven digits is valid.
        if named == "identity" or (is_valid and named != "account"):
            yield Numbered("identity number", *match.span())
    for match in _OTHER_COUNTRIES_IDENTITY.finditer(text):
        named = _named(text, match.start())
        is_valid = ssn.is_valid(match.group()) or personnummer.is_valid(match.group())
        if named == "identity" or (is_valid and named != "account"):
            yield Numbered("identity number", *match.span())


def _is_made_up_for_tests(number: str) -> bool:
    """Whether this is one of the tax office's made-up persons: real check digits, month over 65.

    A text may hold any number in their place, so they count as if they were real.
    """
    digits = [int(digit) for digit in number if digit.isdigit()]
    month = 10 * digits[2] + digits[3]
    first = sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits, strict=False))
    second = sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), digits, strict=True))
    return month > 65 and first % 11 == 0 and second % 11 == 0


def _accounts(text: str) -> Iterator[Numbered]:
    from stdnum.no import kontonr

    for match in _ELEVEN_AS_ACCOUNT.finditer(text):
        named = _named(text, match.start())
        digits = re.sub(r"\D", "", match.group())
        is_grouped = match[1] in (".", " ")
        if named == "account" or (kontonr.is_valid(digits) and (is_grouped or not named)):
            yield Numbered("account number", *match.span())


def _cards(text: str) -> Iterator[Numbered]:
    from stdnum import luhn

    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        is_card = _CARD_BEGINS.match(digits) and luhn.is_valid(digits)
        if is_card and _named(text, match.start()) != "other":
            yield Numbered("card number", *match.span())


def _phones(text: str) -> Iterator[Numbered]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    for written_out in _WITH_HOME_ZERO.finditer(text):
        yield Numbered("phone number", *written_out.span())
    for match in PhoneNumberMatcher(text, "NO", leniency=Leniency.POSSIBLE):
        written = match.raw_string
        if written.lstrip("( ").startswith(("+", "00")):
            is_phone = _named(text, match.start) != "other"
        else:
            is_phone = _is_norwegian_phone(text, match.start, match.end)
        if is_phone:
            yield Numbered("phone number", match.start, match.end)
    # The matcher takes numbers that follow each other for one, and that one for none.
    for spoken in _SPOKEN.finditer(text):
        if _is_norwegian_phone(text, *spoken.span()):
            yield Numbered("phone number", *spoken.span())
    if not _NAMES_PHONE.search(text):
        return
    valid = [(country, Leniency.VALID) for country in _NEIGHBOURS]
    for country, leniency in (*valid, ("US", Leniency.POSSIBLE)):
        for match in PhoneNumberMatcher(text, country, leniency=leniency):
            if len(match.raw_string) > 9 and _named(text, match.start) == "phone":
                yield Numbered("phone number", match.start, match.end)


def _is_norwegian_phone(text: str, start: int, end: int) -> bool:
    written = text[start:end]
    digits = re.sub(r"\D", "", written)
    before = text[start - 1 : start]
    if len(digits) != 8 or digits[0] in "01" or before in ("-", "/", "_", "#", "="):
        return False
    if _COUNTS_SOMETHING.match(text[end:]) or _NAMES_MONEY.search(text[:start]):
        return False
    named = _named(text, start)
    if not named and re.match(r"\s*\(", text[end:]):
        named = "phone" if _NAMES_PHONE.search(text[end : end + 20]) else ""
    if named:
        return named == "phone"
    groups = tuple(len(group) for group in re.findall(r"\d+", written))
    is_mobile = digits[0] in "49"
    return (groups in _SPOKEN_GROUPS and "." not in written) or (groups == (8,) and is_mobile)


def _named(text: str, start: int) -> Literal["", "phone", "identity", "account", "other"]:
    """Return what the nearest word before a number, in its line, calls it."""
    line = max(text.rfind("\n", 0, start) + 1, start - _REACH)
    before = text[line:start]
    nearest: tuple[int, Literal["", "phone", "identity", "account", "other"]] = (-1, "")
    for name, words in _NAMES:
        for match in words.finditer(before):
            # Another number between the word and this one has taken the word for itself.
            if match.end() >= nearest[0] and not re.search(r"\d{5,}", before[match.end() :]):
                nearest = (match.end(), name)
    if not nearest[1] and _NAMES_NUMBER.search(before):
        return "other"
    return nearest[1]


_NAMES: tuple[tuple[Literal["phone", "identity", "account", "other"], re.Pattern[str]], ...] = (
    ("other", _NAMES_OTHER),
    ("identity", _NAMES_IDENTITY),
    ("account", _NAMES_ACCOUNT),
    ("phone", _NAMES_PHONE),
)
