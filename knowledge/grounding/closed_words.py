"""Words with a fixed meaning that a check of facts must know, in English and Norwegian.

Numbers written out, units, months, weekdays, words that deny, and words that exclude each other.
"""

from __future__ import annotations

#: Written numbers. "one", "en" and their like are known here but are mostly articles: whoever
#: reads a statement asks `ARTICLES` first.
NUMBER_WORDS: dict[str, int] = {
    **{
        word: value
        for value, word in enumerate(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen seventeen eighteen nineteen twenty".split()
        )
    },
    **{
        word: value
        for value, word in enumerate(
            "null en to tre fire fem seks sju åtte ni ti elleve tolv tretten fjorten femten "
            "seksten sytten atten nitten tjue".split()
        )
    },
    **{"et": 1, "ett": 1, "syv": 7, "tyve": 20, "once": 1, "twice": 2, "thrice": 3, "dozen": 12},
    **dict(
        zip(
            "thirty forty fifty sixty seventy eighty ninety".split(), range(30, 91, 10), strict=True
        )
    ),
    **dict(
        zip("tretti førti femti seksti sytti åtti nitti".split(), range(30, 91, 10), strict=True)
    ),
    **{"hundred": 100, "hundre": 100, "thousand": 1000, "tusen": 1000},
}

#: Norwegian number words and units that are other words in English.
NORWEGIAN_ALONE = frozenset({"to", "fire", "ti", "en", "et", "null", "time", "mil", "grader"})

#: Number words that seldom count anything.
ARTICLES = frozenset({"one", "en", "et", "ett", "null", "zero", "once"})

#: What a number is multiplied by when this follows it.
SCALES: dict[str, int] = {
    "k": 1_000,
    "thousand": 1_000,
    "tusen": 1_000,
    "million": 1_000_000,
    "millions": 1_000_000,
    "millioner": 1_000_000,
    "mill": 1_000_000,
    "billion": 1_000_000_000,
    "milliard": 1_000_000_000,
    "milliarder": 1_000_000_000,
    "hundred": 100,
    "hundre": 100,
}

#: Units of the same kind exclude each other where the same is counted.
UNIT_KINDS: dict[str, str] = {
    unit: kind
    for kind, units in {
        "time": "second minute hour day week month quarter year",
        "money": "dollar euro pound krone",
        "length": "millimetre centimetre metre kilometre mile",
        "weight": "gram kilogram tonne",
        "data": "kilobyte megabyte gigabyte terabyte",
        "scale": "percent point",
        "size": "hundred thousand million billion",
    }.items()
    for unit in units.split()
}

_UNIT_WORDS = """
second: second seconds sec secs sekund sekunder sekundet
minute: minute minutes min mins minutt minutter minuttet minuttene
hour: hour hours hr hrs time timer timen timene
day: day days dag dager dagen dagene døgn
week: week weeks uke uker uken uka ukene
month: month months måned måneder måneden månedene
quarter: quarter quarters kvartal kvartaler kvartalet
year: year years yr yrs år året årene
percent: percent percentage % prosent
point: points prosentpoeng
dollar: dollar dollars usd $ us$
euro: euro euros eur €
pound: pound pounds gbp £ pund
krone: krone kroner kronen nok kr crowns
millimetre: mm millimetre millimeter millimetres millimeters
centimetre: cm centimetre centimeter centimetres centimeters
metre: m metre metres meter meters
kilometre: km kilometre kilometres kilometer kilometers
mile: mile miles mil
gram: g gram grams
kilogram: kg kilo kilos kilogram kilograms
tonne: ton tons tonne tonnes tonn
litre: litre litres liter liters
degree: degree degrees grad grader °
kilobyte: kb kilobyte kilobytes
megabyte: mb megabyte megabytes
gigabyte: gb gigabyte gigabytes
terabyte: tb terabyte terabytes
person: person persons people personer mennesker
"""

#: The unit that a word or sign names.
UNITS: dict[str, str] = {
    word: line.partition(":")[0]
    for line in _UNIT_WORDS.strip().splitlines()
    for word in line.partition(":")[2].split()
}

#: Signs and words that stand before the number they belong to.
UNITS_IN_FRONT = frozenset({"$", "€", "£", "us$", "nok", "usd", "eur", "gbp", "kr"})

_MONTHS = (
    "january januar jan|february februar feb|march mars mar|april apr|may mai|june juni jun|"
    "july juli jul|august aug|september sept sep|october oktober oct okt|november nov|"
    "december desember dec des"
)
MONTHS: dict[str, int] = {
    word: number for number, names in enumerate(_MONTHS.split("|"), 1) for word in names.split()
}

#: Months that are also other words, so that they count only beside a number or when capitalised
#: in the middle of a sentence.
DOUBTFUL_MONTHS = frozenset({"may", "march", "mars", "mar", "des", "jan", "jun", "sep", "dec"})

_WEEKDAYS = (
    "monday mondays mandag mandager|tuesday tuesdays tirsdag tirsdager|wednesday wednesdays onsdag "
    "onsdager|thursday thursdays torsdag torsdager|friday fridays fredag fredager|saturday "
    "saturdays lørdag lørdager|sunday sundays søndag søndager"
)
WEEKDAYS: dict[str, int] = {
    word: number for number, names in enumerate(_WEEKDAYS.split("|"), 1) for word in names.split()
}

#: Words that deny what stands beside them.
DENIALS = frozenset(
    """
    not no never none nobody nothing neither nor without cannot unable hardly nowhere except unless
    instead ikke ikkje aldri ingen intet ingenting uten verken unntatt neppe istedenfor
    """.split()
)

#: Words of which only one can be true of the same thing; a row may hold several on each side.
_OPPOSITES = """
must should shall required obligatory mandatory måtte må skal kreves | may can optional voluntary kan frivillig valgfritt
before prior før innen | after following etter
always alltid | never sometimes aldri iblant
with med | without uten
can kan | cannot
any anybody noen | none nobody ingen
all every each everyone alle hver enhver samtlige | some few certain noen enkelte få
most majority fleste | few fewest minority færreste
more above over exceed exceeds mer flere | less fewer below under mindre færre
minimum least minst | maximum most maks maksimum høyst
allowed permitted may tillatt lov | forbidden prohibited banned disallowed forbudt
inside within inne innenfor innendørs indoors | outside outdoors ute utenfor utendørs
first først første | last sist siste
increase increased increases rise rose grow grew økt øker økte økning steg | decrease decreased decreases fall fell drop reduced decline redusert falt sank nedgang reduksjon
open opens opened åpen åpner åpent | closed closes close stengt stenger lukket
start starts started begin begins began starter begynner startet begynte | end ends ended finish stop slutter stopper sluttet avsluttes
include includes included including inkluderer inkludert | exclude excludes excluded excluding ekskluderer ekskludert
public offentlig | private privat
internal intern internt | external ekstern eksternt
free gratis | paid betalt costs
same samme | different other ulik forskjellig annen
high higher highest høy høyt høye høyere høyest høyeste | low lower lowest lav lavt lave lavere lavest laveste
large larger largest big bigger biggest huge stor stort store større størst største | small smaller smallest tiny liten lite små mindre minst minste
long longer longest lang langt lange lengre lengst | short shorter shortest kort korte kortere kortest
early earlier earliest tidlig tidligere tidligst | late later latest sen sent senere senest
old older oldest gammel gammelt gamle eldre eldst eldste | new newer newest young younger youngest ny nytt nye nyere nyeste ung unge yngre yngst yngste
monthly månedlig | yearly annually annual weekly daily quarterly årlig ukentlig daglig
yearly annually annual årlig | monthly weekly daily quarterly månedlig ukentlig daglig
weekly ukentlig | monthly yearly annually daily quarterly månedlig årlig daglig
daily daglig | weekly monthly yearly månedlig årlig ukentlig
both begge | neither either ingen verken
accept accepted approve approved godkjent godtatt | reject rejected refuse refused denied avslått avvist
win won wins vant vinner seieren | lose lost loses tapte taper tapet
left venstre | right høyre
north northern nord nordlige nordre | south southern sør sørlige søndre
east eastern øst østlige østre | west western vest vestlige vestre
yes ja | no nei
encouraged encourage oppfordres | discouraged discourage frarådes
directly direkte | indirectly indirekte
full-time heltid | part-time deltid
morning morgen formiddag | evening afternoon kveld ettermiddag
today i-dag | tomorrow yesterday
win seier | defeat tap nederlag
success suksess | failure fiasko
positive positiv positivt | negative negativ negativt
easy lett enkel | difficult hard vanskelig
mother mor | father far
sister søster | brother bror
son sønn | daughter datter
"""  # noqa: E501


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in _OPPOSITES.strip().splitlines():
        left, right = (side.split() for side in line.split("|"))
        for here, there in ((left, right), (right, left)):
            for word in here:
                found.setdefault(word, set()).update(there)
    return {word: frozenset(others) for word, others in found.items()}


#: What a word excludes: "before" and "after", "must" and "may".
OPPOSITES = _opposites()
