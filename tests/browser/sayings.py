"""What people say on their day, in each language that the bot speaks.

The questions are about the sample company's handbook.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sayings:
    """One language. `page` has what the page calls a few of its buttons."""

    language: str
    locale: str
    page: dict[str, str]
    ask: str
    better_ask: str
    follow_up: str
    direct: str
    private: str
    about: str
    long: str
    unknown: str
    known_after_all: str
    wrong: str
    better: str
    contradicting: str
    correction: str
    other_wrong: str
    other_better: str
    open_question: str
    colleague_knows: str


ENGLISH = Sayings(
    language="en",
    locale="en-US",
    page={"more": "More", "react": "React", "stop": "Stop", "cancel": "Cancel"},
    ask="Where do I leave my bike when I cycle to the Bergen office?",
    better_ask="Hei! Bikes go in the cellar behind the blue door; the code is in Tindra. God tur!",
    follow_up="And are there showers?",
    direct="What's in the welcome kit for new colleagues?",
    private="How much does Fjellro pay for screen glasses?",
    about="Which hotel do we use in Edinburgh?",
    long="What do I have to know about borrowing tents, skis, stoves and rope?",
    unknown="Does Fjellro give its employees stock options?",
    known_after_all="Hei! We have no stock options at Fjellro; everyone gets a share of the profit "
    "in June. We've got you.",
    wrong="Which room is the gear store in? I want to borrow a tent.",
    better="Hei! The gear store has moved to room C07 in Bergen, beside the goods lift. Hedda Lien "
    "still opens it for you on Thursdays from 14:00 to 16:00. God tur!",
    contradicting="Hei! The gear store is in room D11 in Bergen, and Hedda Lien opens it for you "
    "on Thursdays from 14:00 to 16:00. God tur!",
    correction="correction:",
    other_wrong="For how many days at most can a pool car be borrowed?",
    other_better="Hei! You can borrow a pool car for up to 4 days at a time now. God tur!",
    open_question="Where do we keep the spare keys for the bike cellar?",
    colleague_knows="Hei! The spare keys hang in the cabinet behind the front desk. Just ask Hedda "
    "Lien. We've got you.",
)

NORWEGIAN = Sayings(
    language="nb",
    locale="nb-NO",
    page={"more": "Mer", "react": "Reager", "stop": "Stopp", "cancel": "Avbryt"},
    ask="Hva koster det å leie firmahytta på Mjølfjell?",
    better_ask="Hei! Hytta koster 400 kroner natta, eller 2000 kroner for en uke. God tur!",
    follow_up="Og hvor henter jeg nøkkelen?",
    direct="Når serverer kantina i Bergen lunsj?",
    private="Hvem leder bedriftsidrettslaget?",
    about="Hvor mange parkeringsplasser har verkstedet i Voss?",
    long="Hva må jeg vite om vask, ved, hunder og søppel på hytta?",
    unknown="Når ble Fjellro børsnotert?",
    known_after_all="Hei! Vi er ikke på børs, og vi i Fjellro eier halvparten selv. Vi har deg.",
    wrong="Hva koster suppe i kantina i Bergen?",
    better="Hei! Suppe koster 29 kroner nå, og beløpet trekkes av lønna. Vi har deg.",
    contradicting="Hei! Suppe koster 35 kroner, og beløpet trekkes av lønna. Vi har deg.",
    correction="retting:",
    other_wrong="Hva heter ladeappen i Voss?",
    other_better="Hei! Ladeappen heter Volt nå, og du får tilgang av Agnieszka Nowak. Vi har deg.",
    open_question="Hvor henger reservenøklene til sykkelkjelleren?",
    colleague_knows="Hei! Reservenøklene henger i skapet bak resepsjonen. Bare spør Hedda Lien. "
    "Vi har deg.",
)

LANGUAGES = {"en": ENGLISH, "nb": NORWEGIAN}
