"""Words and sayings that no answer to a colleague holds, English and Norwegian.

A short list of insults, obscenities and threats, matched as whole words. It is no judge of tone: it
catches what a company would not want its model to learn to say, and what vandals write first.
"""

from __future__ import annotations

import re

_WORDS = (
    r"fuck\w*|motherfuck\w*|wtf|shit(?:s|ty|head)?|bullshit|crap|bitch\w*|cunts?|asshole\w*|arsehole\w*"
    r"|bastards?|dickhead\w*|moron\w*|idiot\w*|imbecile\w*|retard(?:s|ed)?|wank\w*|twats?|sluts?|whores?"
    r"|nigg(?:er|a)s?|fagg?(?:ot)?s?|dyke|tranny|kike|spastic"
    r"|faen\w*|fanden|jævla|jævlig\w*|jævel\w*|helvetes?|dritt(?:sekk\w*)?|kuk\w*|fitte\w*|hore(?:r|ne|unge\w*)?"
    r"|rasshøl\w*|rasshol\w*|tulling\w*|idioti\w*|mongo|neger\w*|svarting\w*|pakkis\w*|soper\w*"
)

_SAYINGS = (
    r"shut\s+up|get\s+lost|screw\s+you|drop\s+dead|go\s+to\s+hell|kill\s+your(?:self|selves)"
    r"|you(?:['’]re|\s+are)\s+(?:so\s+|too\s+|such\s+an?\s+)?(?:stupid|dumb|useless|pathetic|worthless)"
    r"|(?:what\s+a\s+)?stupid\s+question|i\s+hate\s+you|hold\s+(?:kjeft|kjæften)|hold\s+munn"
    r"|du\s+er\s+(?:så\s+|for\s+)?(?:dum|teit|ubrukelig|patetisk|håpløs)|dra\s+til\s+helvete"
    r"|dumt\s+spørsmål|drep\s+deg|jeg\s+hater\s+deg|stikk\s+og\s+brinn"
)

_RUDE = re.compile(rf"(?<![\w-])(?:{_WORDS}|{_SAYINGS})(?![\w-])", re.IGNORECASE)


def rude_words(text: str) -> tuple[str, ...]:
    """Return what is rude in a text, each saying once, as it is written there."""
    return tuple(dict.fromkeys(found.group() for found in _RUDE.finditer(text)))
