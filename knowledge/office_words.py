"""Words by which people ask in offices: those that mean the same, and those that say little."""

from __future__ import annotations

#: Words that help to ask but do not say what about.
LIGHT_WORDS = frozenset(
    """
    able ahead allowed amount annual annually ansvar antall anything ask asking asks big ble
    blitt bort break bruker brukes bør come comes company cost costing costs currently dag dager
    date day days deadline dyrt egentlig entitled exactly exist existing expected expensive find
    finds finn finne finner frequent frequently frist gang ganger gjelder gjør gjøre gjøres go
    going greit grense grensen guys handle handled handles happen happening happens held heter
    high hour hours how hvilke hvilken hvordan hyppig høy i'm keep kept know koste koster
    kostnad lang langt large latest lenge length ligger like limit long lov maks maksimum many
    max maximum minute minutes minutter month months much mulig must måned måneder måte måtte
    name names navn need needed needs normally now number nå often ok okay per person personer
    place possible price prices pris prisen procedure procedures question questions rate rates
    regular request requesting responsible rett right sak say sees sette setter si sier skjedde
    skjer somebody someone spørsmål sted stengetid step steps stor stort stå står supposed svar
    svare tell thanks thing things tid tidspunkt time timer times today tonn trenger type uke
    uker use using usually vanligvis vet want wanted wants way week weeks whole year yearly
    years åpningstid årlig ønsker
    """.split()
)

#: Measures of which only one can be meant: each line is one.
_MEASURES = """
minute minutes minutt minutter
hour hours hourly time timer
day days daily dag dager daglig
night nights natt netter
weekend weekends helg helga
week weeks weekly uke uker ukentlig
month months monthly måned måneder månedlig
year years yearly annual annually år året årlig
km kilometre kilometres kilometer
"""

#: Who or where: a question for them is another than the one for everybody.
GROUPS = frozenset(
    """
    apprentice apprentices barn branch butikk butikken butikker child children consultant
    consultants contractor contractors customer customers deltid deltidsansatt deltidsansatte
    factory familie family friend friends full-time full-timers gift gjest gjester guest guests
    intern interns kunde kunden kundene kunder lager lageret leader leaders leder ledere left
    lærling lærlinger manager managers part-time part-timer part-timers partner partners
    retailer retailers samboer second-hand shop shops student studenter students supplier
    suppliers temp temps used venn venner verkstedet vikar vikarer volunteer volunteers
    warehouse workshop
    """.split()
)

#: Ordinals, as the number they are.
ORDINALS: dict[str, int] = {
    "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "2nd": 2, "3rd": 3, "4th": 4,
    "andre": 2, "tredje": 3, "fjerde": 4, "femte": 5, "sjette": 6,
}  # fmt: skip

#: Words that mean the same where people work; each is read as the first of its line.
_SAME = """
vacation holiday holidays vacations
book reserve reserving booking reservation reserved bookings
approve approves approved sign-off sign signs authorise authorize approval approving
bike bicycle bikes bicycles cycle
bring take brings taking bringing
laptop notebook
phone mobile cellphone phones mobiles smartphone
salary pay wage wages payday paycheck paid
sick ill illness sickness
quit resign resigning quitting
submit hand return submitting submitted deliver handing handed hands
staff employee employees worker workers
father fathers dad dads
mother mothers mum mums
rep representative representatives
start begin starts begins beginning
close closes closing shut closed shuts
open opens opening opened
kroner kr nok krone
car cars vehicle
refund refunds refundable refunded reimbursed reimburse reimbursement reimburses
ship ships shipping shipped deliver delivery delivers delivered
publish published publishing
stay sleep overnight sleeping
hire hires
wear dress clothes clothing
cover covers covered covering include includes included including
gym fitness
enable activate
purchase buy purchases buying bought
expense expenses
lose lost losing
stolen steal steals stole
change changing changes
access entry
customer customers client clients
shop shops store stores
kunde kunden kundene kunder
leverandør leverandøren leverandørene leverandører
faktura fakturaen fakturaer fakturaene fakturering
butikk butikken butikker butikkene
gjest gjester gjestene
venn venner vennene
inngå inngår inkludert inkluderer dekker
søke søker søknad søknaden
bank public
drive use driving drives
rent rental rents renting borrow
contact contacts
worn wear
office offices
part-time part-timer part-timers
intern interns
student students
fast quick quickly
email e-mail mail
ferie feriedag feriedager
lønn lønna lønnen lønning lønningsdag
bestille booke reservere bestiller booker reserverer
pc datamaskin laptop
åpne åpningstid
stenge stengetid
mobil telefon mobilen telefonen mobiler mobiltelefon
syk sykdom sykemeldt
bytte endre bytter endrer bytt
levere innlevering leverer leveres levering lever levert
sende frakt sender fraktes sendt
betale utbetalt betaling betaler utbetales
privat private
hytta hytte hytten
kantina kantine kantinen
stenge stenger stengt
åpne åpner åpen åpent
sove overnatte sengeplass sengeplasser
miste mistet mister borte
vikar vikarer
registrere legge registrerer
gammel gamle gammelt
deltid deltidsansatt deltidsansatte
kjøre bruke bruk bruker kjører
bil bilen
jobb jobben jobber arbeid
lift elevator elevators lifts
contact call calls calling ring rings dial reach notify
repair fix fixes fixed mend mends mended repairs repaired repairing
gift gifts present presents
supplier suppliers vendor vendors
colleague coworker colleagues coworkers co-worker co-workers
delete remove erase deleted removed erased deleting removing
monitor monitors screen screens display displays
chair chairs seat seats
train training course courses class classes
recycle discard throw
discount discounts reduction rebate reductions
cancel cancelled cancelling cancels
invoice invoices bill bills
manager boss supervisor managers bosses
child kid kids children
abroad overseas
mileage kilometre kilometres km kilometer
charge charging charger chargers
broken faulty
wifi wi-fi wireless wlan
raise increase
meeting meetings
receipt receipts
injured injury hurt accident accidents
retire retirement pensioner retiring
resign notice
apply application applications applying applied applicants applicant
document documents paper papers file files
share shares stock stocks
clean cleans cleaning cleaned
stair stairs staircase
toilet toilets bathroom restroom loo washroom
rubbish trash garbage waste
money cash
city town
flat apartment
film movie
doctor physician gp
medicine medication drugs
uniform uniforms
late delayed delay
travel travelling trip trips journey traveling travels
flight flights plane fly
hotel hotels accommodation
taxi cab taxis
key keys
pupil pupils
patient patients
relative relatives
approve permit permitted
insurance insured insure insures
storage store
update updating updated
print printing printed printer printers
software program programs app apps application
backup backups
account accounts
card cards
desk desks workplace workstation
phone telephone
arrive arrives arrival
leave leaving
limit cap ceiling maximum
safety safe
theft thief
report reports reporting reported
complain complaint complaints
warranty guarantee guarantees
exchange swap swapped
reward bonus bonuses
celebrate celebration party parties
birthday birthdays
compensate compensated compensation
heis heisen heiser
forskudd lønnsforskudd
byggeplass byggeplassen
gave gaver presang
leverandør leverandører
slette fjerne slettes fjernes sletter fjerner
kurs kurset kurs
stol stolen
møte møter møtet
kaffemaskin kaffemaskinen
visittkort visittkortet
lade lading lader ladere ladestasjon ladestasjoner
elbil elbilen elbiler
passord passordet passordene
nattskift nattskiftet natt
reise reiser reisen reisetid
kontor kontoret kontorer
nøkkel nøkkelen nøkler
forsikring forsikringen forsikret
dør døra døren
gratis fri
hente henter hentes
kurs opplæring
lege legen
barn barnet barna
avtale avtalen kontrakt kontrakten
sjef sjefen leder
melde melding
skade skader skaden ulykke
garanti garantien
klage klager reklamasjon reklamere
skift skiftet vakt vakta vakten vakter
søppel avfall boss avfallet
kvittering kvitteringen kvitteringer
parkere parkering parkeringsplass parkeringen
sende sendes sending pakke pakken pakker
godkjenne godkjenner godkjenning godkjent
starte starter begynne begynner
slutte slutter
permisjon permisjonen
regning regningen regninger
rom rommet
klær tøy
ansatt ansatte medarbeider medarbeidere
verksted verkstedet
"""


def _same_words() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _SAME.strip().splitlines():
        first, *others = line.split()
        for other in (first, *others):
            found.setdefault(other, first)
    return found


#: The measure that a word names.
MEASURES: dict[str, str] = {
    word: line.split()[0] for line in _MEASURES.strip().splitlines() for word in line.split()
}

#: What a word is read as.
SAME_WORDS = _same_words()
