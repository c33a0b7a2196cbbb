"""What is put in place of what when a true sentence is made false."""

from __future__ import annotations

#: Units that are put in each other's place, singular and plural.
UNIT_GROUPS = (
    "second seconds|minute minutes|hour hours|day days|week weeks|month months|year years",
    "sekund sekunder|minutt minutter|time timer|dag dager|uke uker|måned måneder|år år",
    "dollars|euros|pounds", "usd|eur|gbp", "$|€|£", "percent|points",
    "kroner|euro|dollar", "nok|eur|usd", "kb|mb|gb|tb", "metres|kilometres|miles",
    "meter|kilometer",
    "kilo|tonn|gram", "millioner|milliarder", "million|billion",
)  # fmt: skip

#: Verbs behind which a denial is put.
AUXILIARIES = {
    "en": "is are was were can could must should will would has have had may might do does did",
    "no": "er var kan kunne skal skulle må måtte vil ville har hadde ble blir bør får fikk",
}

#: Patterns that deny, with what stands there when they do not.
REMOVALS = {
    "en": ((r"\b(do|does|did|is|are|was|were|has|have|had|would|should|could)n[’']t\b", r"\1"),
           (r"\bcan[’']t\b|\bcannot\b", "can"), (r"\bwon[’']t\b", "will"), (r"\bnot ", ""),
           (r"\bnever\b", "always"), (r"\bwithout\b", "with"), (r"\bno (?=[a-z])", ""),
           (r"\bNo (?=[a-z])", "All "), (r"\bnone of\b", "all of"), (r"\bnothing\b", "everything"),
           (r"\bunless\b", "if")),
    "no": ((r"\bikke ", ""), (r" ikke\b", ""), (r"\baldri\b", "alltid"), (r"\buten\b", "med"),
           (r"\bingen\b", "alle"), (r"\bIngen\b", "Alle"), (r"\bingenting\b", "alt")),
}  # fmt: skip

_PAIRS = {
    "en": "must/may before/after always/never all/some every/no more/less "
    "maximum/minimum most/least "
    "allowed/forbidden inside/outside internal/external first/last increase/decrease "
    "increased/decreased public/private higher/lower high/low larger/smaller large/small "
    "early/late monthly/yearly weekly/monthly daily/weekly open/closed required/optional "
    "starts/ends start/end above/below include/exclude with/without start/stop long/short "
    "can/cannot old/new approve/reject approved/rejected both/neither",
    "no": "må/kan før/etter alltid/aldri alle/noen mer/mindre flere/færre "
    "maksimum/minimum mest/minst "
    "tillatt/forbudt inne/ute innenfor/utenfor intern/ekstern første/siste økt/redusert økte/falt "
    "høyere/lavere høy/lav større/mindre store/små tidlig/sent tidligere/senere åpen/stengt "
    "starter/slutter startet/sluttet over/under med/uten gamle/nye eldre/yngre vant/tapte "
    "seier/tap nord/sør øst/vest sønn/datter far/mor begge/ingen lang/kort "
    "eldste/yngste største/minste",
}
#: For each language a word and the opposite that is put in its place.
OPPOSITES_MADE = {
    language: {a: b for pair in pairs.split() for a, b in (pair.split("/"), pair.split("/")[::-1])}
    for language, pairs in _PAIRS.items()
}
