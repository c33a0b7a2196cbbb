"""Words that may stand for others, for making statements only: the check never sees them."""

from __future__ import annotations

#: For each language pairs of a word and what may stand in its place, in that direction.
SYNONYMS = {
    "en": """
available|on hand;access|a way in;complete|finish;completed|finished;submit|hand in;
submitted|handed in;receive|be given;receives|is given;purchase|buy;purchases|buys;
approval|a yes;approve|say yes to;approved|given the green light;expenses|spending;expense|cost;
annual|yearly;annually|every year;begin|get going;beginning|start;end|finish;notify|tell;
notified|told;inform|tell;informed|told;prior to|before;following|after;regarding|about;
concerning|about;obtain|get;obtained|got;assist|help;assistance|help;sufficient|enough;
immediately|at once;promptly|quickly;currently|now;located|found;several|a few;
various|different;numerous|many;approximately|about;frequently|often;rarely|seldom;
difficult|tricky;simple|easy;easy|simple;fast|quick;quick|fast;role|job;job|position;
tasks|duties;task|duty;staff|personnel;colleague|coworker;colleagues|coworkers;leader|head;
leaders|heads;lead|head up;leads|heads up;owner|person in charge;owners|people in charge;
success|good outcome;successful|fruitful;opportunity|chance;opportunities|chances;risk|danger;
risks|dangers;feedback|comments;ideas|thoughts;idea|thought;plan|scheme;plans|schemes;
strategy|approach;approach|way;method|way;methods|ways;tool|aid;tools|aids;system|set-up;
systems|set-ups;data|figures;report|write-up;reports|write-ups;document|paper;documents|papers;
website|site;link|address;email|mail;message|note;messages|notes;schedule|timetable;
scheduled|planned;deadline|due date;immediately|right away;discuss|go over;discussed|gone over;
explain|make clear;describes|sets out;describe|set out;learn|get to know;understand|grasp;
consider|think about;considered|thought about;recommend|advise;recommended|advised;
avoid|steer clear of;prevent|stop;protect|guard;check|verify;verify|check;confirm|make sure of;
test|try out;tested|tried out;fix|repair;fixed|repaired;error|fault;errors|faults;bug|fault;
bugs|faults;remove|take away;removed|taken away;add|put in;added|put in;increase|raise;
reduce|bring down;reduced|brought down;maintain|look after;manage|look after;
managed|looked after;monitor|keep an eye on;track|follow;join|become part of;
joined|became part of;leave|go;arrive|turn up;attend|go to;attended|went to;visit|go and see;
hire|take on;hired|taken on;new hire|newcomer;new hires|newcomers;interview|talk;
interviews|talks;salary|pay;compensation|pay;bonus|extra pay;budget|money;refund|repayment;
entire|whole;whole|entire;main|chief;primary|main;major|big;minor|small;key|central;
critical|vital;specific|particular;particular|certain;appropriate|fitting;relevant|fitting;
necessary|called for;possible|feasible;happen|take place;happens|takes place;occur|happen;
occurs|happens;ensure|see to it that;responsible|accountable;reply|answer;respond|answer;
response|answer;share|pass on;shared|passed on;need|have to;must|have to;should|ought to;
use|make use of;help|assist;helps|assists;start|begin;starts|begins;started|began;get|receive;
gets|receives;give|provide;gives|provides;ask|check with;buy|purchase;show|display;
shows|displays;make sure|ensure;ensure|make sure;create|set up;created|set up;team|group;
teams|groups;teammate|colleague;teammates|colleagues;Teammates|Colleagues;Teammate|Colleague;
employee|member of staff;employees|staff;company|firm;customer|client;customers|clients;
manager|boss;managers|bosses;meeting|call;meetings|calls;improve|make better;quickly|fast;
large|big;big|large;important|essential;often|frequently;usually|normally;about|regarding;
approximately|around;around|about;also|as well;however|but;because|since;if|in case;
when|whenever;each|every;every|each;all|every one of the;many|lots of;allows|lets;allow|let;
allowed|permitted;reimburse|pay back;reimbursed|paid back;responsible for|in charge of;
contact|reach out to;reach out to|contact;review|look over;document|page;choose|pick;
decide|settle;goal|aim;goals|aims;problem|issue;problems|issues;issue|problem;issues|problems;
feature|capability;features|capabilities;product|offering;information|details;update|change;
updates|changes;request|ask for;send|mail;discuss|talk about;build|make;building|making;
work|do their work;works|functions;find|locate;keep|hold on to;at least|no less than;
more than|over;per year|a year;per month|a month;in order to|to;able to|in a position to;
process|procedure;travel|trips;cost|price;costs|prices;question|query;questions|queries;
people|persons;want|wish;wants|wishes;responsibility|duty;week|week;include|cover;
includes|covers;provide|offer;provides|offers;support|back;additional|extra;extra|additional;
required|needed;needed|required;select|choose;
""",
    "no": """
opplyser|forteller;opplyste|fortalte;melder|skriver;meldte|skrev;hevder|mener;hevdet|mente;
uttalte|sa;uttaler|sier;bekrefter|slår fast;bekreftet|slo fast;avviser|benekter;gikk|dro;
kom|ankom;reiste|dro;startet|tok til;avsluttet|gjorde ferdig;ferdig|i mål;
vant|gikk seirende ut av;tapte|gikk på nederlag i;hovedsakelig|for det meste;spesielt|særlig;
særlig|spesielt;umiddelbart|med en gang;raskt|fort;hurtig|raskt;tidligere|før;senere|siden;
samtidig|på samme tid;plutselig|brått;antall|tall på;antallet|tallet på;omfatter|dekker;
inneholder|rommer;inkluderer|tar med;utgjør|er;regnes|sees;betraktes|sees;anses|sees;
benyttes|brukes;anvendes|brukes;utviklet|laget;produsert|laget;produserer|lager;fremstilt|laget;
dannet|laget;danner|lager;skapte|laget;opprinnelig|først;opprinnelse|utspring;hensikt|mål;
formål|mål;betydning|vekt;viktige|vesentlige;kjent|berømt;kjente|berømte;populær|godt likt;
populære|godt likte;vanlig|alminnelig;vanlige|alminnelige;vanskelig|krevende;enkel|lett;
rik|velstående;fattig|ubemidlet;hus|bygning;huset|bygningen;gate|vei;område|strøk;områder|strøk;
området|strøket;sted|plass;steder|plasser;regjeringen|landets ledelse;
myndighetene|det offentlige;loven|lovverket;avtale|overenskomst;avtalen|overenskomsten;
møte|samling;møtet|samlingen;rapport|utredning;rapporten|utredningen;undersøkelse|studie;
undersøkelsen|studien;resultat|utfall;resultatet|utfallet;årsaker|grunner;skade|mén;
drept|tatt av dage;omkom|mistet livet;lege|doktor;legen|doktoren;elever|skolebarn;få|motta;
får|mottar;fikk|mottok;starter|begynner;startet|begynte;også|i tillegg;bare|kun;kun|bare;
men|likevel;fordi|siden;stor|betydelig;store|betydelige;stort|betydelig;
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

#: What colleagues put before, between and after, and what no page says.
FILLERS = {
    "en": (
        "so plan for it", "so you can relax", "just so you know", "no worries", "as simple as that",
        "which makes life easier", "if that helps", "and we mean it", "like the rest of us",
        "so keep an eye on it", "we are glad to say", "as far as we know", "so take your time",
        "sadly enough", "luckily for you", "and that goes for everybody", "whatever happens",
        "so do not wait too long", "for good reasons", "as you may have heard", "to be precise",
        "and nobody will mind", "so go ahead", "nothing more, nothing less", "as a rule",
        "so better safe than sorry", "and off you go", "in your case too", "this time around",
    ),
    "no": (
        "bare så du vet det", "så det er greit", "heldigvis", "dessverre", "som du kanskje vet",
        "så ta deg god tid", "som alle andre", "verken mer eller mindre", "for sikkerhets skyld",
        "så ikke vent for lenge", "så langt vi vet", "for å være nøyaktig", "og det gjelder alle",
        "så enkelt er det", "uansett hva som skjer", "også i ditt tilfelle", "denne gangen",
        "av gode grunner", "så bare sett i gang", "og ingen har noe imot det",
    ),
}  # fmt: skip
