"""Words that may stand for others, for making statements only: the check never sees them."""

from __future__ import annotations

#: For each language pairs of a word and what may stand in its place, in that direction.
SYNONYMS = {
    "en": """
need|have to;must|have to;should|ought to;use|make use of;help|assist;helps|assists;start|begin;
starts|begins;started|began;get|receive;gets|receives;give|provide;gives|provides;
ask|check with;buy|purchase;show|display;shows|displays;make sure|ensure;ensure|make sure;
create|set up;created|set up;team|group;teams|groups;teammate|colleague;teammates|colleagues;
Teammates|Colleagues;Teammate|Colleague;employee|member of staff;employees|staff;company|firm;
customer|client;customers|clients;manager|boss;managers|bosses;meeting|call;meetings|calls;
improve|make better;quickly|fast;large|big;big|large;important|essential;often|frequently;
usually|normally;about|regarding;approximately|around;around|about;also|as well;however|but;
because|since;if|in case;when|whenever;each|every;every|each;all|every one of the;many|lots of;
allows|lets;allow|let;allowed|permitted;reimburse|pay back;reimbursed|paid back;
responsible for|in charge of;contact|reach out to;reach out to|contact;review|look over;
document|page;choose|pick;decide|settle;goal|aim;goals|aims;problem|issue;problems|issues;
issue|problem;issues|problems;feature|capability;features|capabilities;product|offering;
information|details;update|change;updates|changes;request|ask for;send|mail;discuss|talk about;
build|make;building|making;work|do their work;works|functions;find|locate;keep|hold on to;
at least|no less than;more than|over;per year|a year;per month|a month;in order to|to;
able to|in a position to;process|procedure;travel|trips;cost|price;costs|prices;question|query;
questions|queries;people|persons;want|wish;wants|wishes;responsibility|duty;week|week;
include|cover;includes|covers;provide|offer;provides|offers;support|back;additional|extra;
extra|additional;required|needed;needed|required;select|choose;
""",
    "no": """
få|motta;får|mottar;fikk|mottok;starter|begynner;startet|begynte;også|i tillegg;bare|kun;
kun|bare;men|likevel;fordi|siden;stor|betydelig;store|betydelige;stort|betydelig;
blant annet|for eksempel;sier|forteller;sa|fortalte;mener|synes;bruker|benytter;brukte|benyttet;
brukes|benyttes;hjelpe|bistå;hjelper|bistår;kjøpe|skaffe seg;kjøpte|skaffet seg;kalt|omtalt som;
kalles|omtales som;ble født|kom til verden;døde|gikk bort;omtrent|cirka;ca.|omtrent;
cirka|omtrent;barn|unger;bor|holder til;bodde|holdt til;land|stater;byen|kommunen;
politiet|ordensmakten;selskapet|bedriften;bedriften|selskapet;leder|sjef;lederen|sjefen;
ansatte|medarbeidere;ansatt|medarbeider;viktig|vesentlig;viktigste|fremste;ofte|gjerne;
vanligvis|som regel;ifølge|etter det som sies av;i dag|nå for tiden;nå|i dag;deler|biter;
del|bit;flere|en rekke;forsøkte|prøvde;prøvde|forsøkte;forsøker|prøver;opprettet|etablert;
etablert|opprettet;stiftet|grunnlagt;grunnlagt|stiftet;bygget|reist;bygd|reist;laget|lagd;
fant|oppdaget;ønsker|vil gjerne;ønsket|ville gjerne;kamp|oppgjør;kampen|oppgjøret;
regnes som|anses som;består av|er satt sammen av;finnes|eksisterer;problemer|vansker;
årsaken|grunnen;årsak|grunn;fortsatt|fremdeles;fremdeles|fortsatt;derfor|av den grunn;
deretter|så;
""",
}

#: How a chatty colleague begins or ends.
WRAPPERS = {
    "en": (
        "According to the handbook, {}", "Short answer: {}", "Yes, {}", "Hi! {}", "In short, {}",
        "The page says that {}", "Good question: {}", "As far as we have written down, {}",
        "{} Just ask if you need us.", "Hei! {} We've got you.", "From the page: {}",
    ),
    "no": (
        "Ifølge håndboken: {}", "Kort svar: {}", "Ja, {}", "Hei! {}", "Siden sier at {}",
        "Godt spørsmål: {}", "{} Bare rop om du trenger oss.", "Dette står på siden: {}",
    ),
}  # fmt: skip

#: Who is spoken of, and how else.
PERSONS = {
    "en": "employees>you|teammates>you|teammate>you|team members>you|everyone>all of us|"
    "you>employees|your>their|our>the company's|we>the company",
    "no": "ansatte>du|medarbeidere>du|medarbeiderne>dere|folk>dere",
}
