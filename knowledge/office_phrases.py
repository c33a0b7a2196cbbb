"""Sayings of several words that mean one thing where people work, each read as one word."""

from __future__ import annotations

import re

#: What a saying is read as, and how people say it, English and Norwegian.
_SAYINGS = {
    "homeoffice": r"(?:work(?:ing|s)?|my job) (?:from|at) home|home[- ]?offices?"
    r"|work(?:ing)? remotely|remote(?:ly)? work(?:ing)?|teleworking",
    "broken": r"out of (?:order|service)|(?:does|do|did)(?:n't| not) (?:work|start|move)"
    r"(?! (?:on|at|from))|not working|stopped working|faulty|defective|damaged|is stuck|gets stuck",
    "discard": r"get(?:ting)? rid of|throw(?:ing)? (?:away|out)"
    r"|dispos(?:e|ed|ing) of|recycl(?:e|ed|ing)",
    "register": r"sign(?:ed|ing)? (?:me |us )?up(?: for)?|enrol\w*",
    "cancel": r"unregister|withdraw from|sign(?:ed|ing)? off from|call(?:ed|ing)? off",
    "submit": r"(?:hand|turn)(?:ed|ing)? in",
    "collect": r"pick(?:ed|ing)? up|fetch(?:ed|ing)?",
    "payrise": r"(?:pay|salary) (?:rise|raise|increase)|raise in (?:pay|salary)"
    r"|(?:higher|more) (?:salary|pay|wages)",
    "sicknote": r"doctor'?s'? (?:notes?|certificates?)|sick(?:ness)? notes?|medical certificates?"
    r"|note from (?:my|the|a) doctor",
    "login": r"log(?:ging|ged)? ?(?:in|on)(?:to)?\b|sign(?:ing)? in",
    "backup": r"back(?:ing|ed)?[ -]?up",
    "responsible": r"in charge of|responsible for|tak(?:es?|ing) care of|looks? after|deals? with",
    "perdiem": r"per diem|(?:daily|subsistence) allowances?",
    "probation": r"trial period|probation(?:ary)?(?: period)?",
    "electriccar": r"electric (?:cars?|vehicles?)|evs?|e-cars?",
    "lostproperty": r"lost (?:and|&) found|lost[- ]property|lost things",
    "creditcard": r"(?:company )?credit cards?|company (?:bank )?cards?",
    "parentalleave": r"(?:parental|baby) leave",
    "leave": r"time off|days? off|leave of absence",
    "autoreply": r"out[- ]of[- ]office(?: (?:reply|replies|message|note))?"
    r"|auto(?:matic)?[- ]?(?:repl(?:y|ies)|respon\w+)|absence messages?",
    "overtime": r"extra hours|overtime hours|hours of overtime|hours overtime",
    "free": r"free of (?:charge|cost)|for free|at no (?:cost|charge)|without (?:paying|cost)"
    r"|complimentary|gratis",
    "why": r"how come|what (?:is|was) the reason",
    "firesafety": r"fire (?:safety|protection|prevention)",
    "itsupport": r"it[- ](?:support|help(?: ?desk)?)|help ?desk|service desk",
    "aircon": r"air[- ]?con(?:ditioning|ditioner)?",
    "payslip": r"(?:pay|wage|salary)[- ]?slips?|pay ?stubs?",
    "businesstrip": r"(?:business|work) (?:trips?|travels?)|travel(?:ling)? for work"
    r"|trips? for work",
    "abroad": r"(?:another|a foreign|other|foreign) (?:country|countries)",
    "disable": r"(?:turn|switch)(?:ed|ing)? off|deactivat\w+",
    "enable": r"(?:turn|switch)(?:ed|ing)? on|set(?:ting)? up",
    "notice": r"notice periods?|periods? of notice",
    "owncar": r"(?:my )?(?:own|private) (?:car|vehicle)s?",
    "before": r"ahead of|in advance of|prior to",
    "emergencynumber": r"emergency (?:number|phone)",
    "customerservice": r"customer (?:service|support)",
    "hjemmekontor": r"hjemmekontor\w*|(?:jobbe|arbeide)[rt]? (?:hjemme(?:fra)?|fra hjemmet)",
    "ødelagt": r"i ustand|ute av drift|(?:virker|fungerer|går) ikke|ikke (?:virker|fungerer|går)"
    r"|gått i stykker|defekt|har stoppet|sitter fast|knust",
    "kaste": r"kvitte (?:oss|meg|seg) med|kastes?|kaster|resirkulere\w*",
    "påmelde": r"meld(?:e|er)? (?:meg|oss|seg) på|påmeld\w*|registrere (?:meg|seg|oss)",
    "avmelde": r"meld(?:e|er)? (?:meg|oss|seg) (?:av|ut)|avmeld\w*|trekke (?:meg|seg|oss) fra"
    r"|avlyse?\w*|avbestille?\w*",
    "aktivere": r"(?:slå|skru|sette?)r? på|aktiverer?",
    "deaktivere": r"(?:slå|skru)r? av|deaktiverer?",
    "sykemelding": r"syke?melding(?:a|en|er)?|legeerklæring(?:a|en|er)?",
    "ansvar": r"har ansvar(?:et)? for|er ansvarlig for|ansvarlig for|tar seg av|tar hånd om",
    "kontakte": r"tar? (?:jeg |vi )?kontakt med|kontakter?|ringer?"
    r"|sier? (?:jeg )?i?fra(?: til)?|få(?:r)? tak i",
    "utlandet": r"(?:et annet|andre|fremmed) land|utlandet|utenlands",
    "medbringe": r"tar? (?:jeg )?med(?: (?:meg|oss|seg))?|medbringe[rs]?",
    "privatbil": r"(?:min )?egen bil|privat ?bil(?:en)?",
    "ferdig": r"klart? til bruk|står klart|ferdigstilt|er klart?",
    "lønnsøkning": r"lønns(?:forhøyelse|økning|opprykk|tillegg)\w*|(?:høyere|mer i|mer) lønn",
    "hittegods": r"hittegods\w*|(?:glemte|mistede|gjenglemte) ting",
    "brannvern": r"brann(?:vern|sikkerhet)\w*",
    "fraværsmelding": r"fraværs(?:melding|assistent)\w*|autosvar|automatisk svar",
    "rabatt": r"rabatt\w*|avslag(?:et)?|prisavslag",
    "permisjon": r"permisjon\w*|fri fra jobb(?:en)?",
    "reparere": r"reparerer?|fikser?|ordner?",
    "utgift": r"reiseregning\w*|utlegg(?:et|ene)?|utgift\w*",
    "byggeplass": r"bygge?plass\w*|anleggsplass\w*",
    "studentrabatt": r"studentrabatt\w*",
    "heis": r"heisen?",
    "stol": r"kontorstol\w*|stol(?:en|er)?",
    "skjerm": r"skjerm(?:en|er)?",
}

_FOUND = re.compile(
    "|".join(
        rf"(?P<s{place}>(?<![\w-])(?:{pattern})(?![\w-]))"
        for place, pattern in enumerate(_SAYINGS.values())
    ),
    re.IGNORECASE,
)
_READ_AS = tuple(_SAYINGS)


def with_sayings_read(question: str) -> str:
    """Return a question with each known saying in it replaced by the word it is read as."""
    return _FOUND.sub(lambda found: _READ_AS[int((found.lastgroup or "s0")[1:])], question)
