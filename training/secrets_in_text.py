"""Tokens, keys and passwords in text that people wrote.

The marks of well-known services are those of detect-secrets, whose check of a secret at its
service is never called: nothing leaves the machine. Beside them stand forms it does not know, and
what people write in prose: "the password is ...", "passordet er ...".
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

#: Where something stands in a text: its first character, and the one behind its last.
Span = tuple[int, int]

#: Detectors of detect-secrets that look for a form, not for entropy or for a name beside it.
_DETECTORS = (
    "ArtifactoryDetector",
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "IbmCloudIamDetector",
    "JwtTokenDetector",
    "MailchimpDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)

#: Forms that begin with a mark of their own.
_FORMS = re.compile(
    r"""
      \bx(?:ox[a-z]|app)-[\w-]{8,}                                     # Slack
    | \bgh[pousr]_[A-Za-z0-9]{16,} | \bgithub_pat_\w{16,}              # GitHub
    | \bglpat-[\w-]{16,}                                               # GitLab
    | \bAIza[\w-]{30,} | \bya29\.[\w-]{20,}                            # Google
    | \bsk-[A-Za-z0-9_-]{18,} | \bhf_[A-Za-z0-9]{20,}                  # model services
    | \b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{12,}                    # Stripe
    | \bA(?:KIA|SIA|IDA|ROA)[A-Z0-9]{12,}                              # AWS
    | \bSG\.[\w-]{16,}\.[\w-]{16,}                                     # SendGrid
    | \b(?:dop|doo|dor)_v1_[a-f0-9]{32,} | \bnpm_[A-Za-z0-9]{24,}
    | \bpypi-[\w-]{24,} | \bshp(?:at|ss|ca|pa)_[a-fA-F0-9]{24,}
    | \beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?                           # JSON Web Token
    | https://hooks\.slack\.com/(?:services|workflows)/[\w/]+
    | https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/[\w-]+
    | https://[\w.-]+\.webhook\.office\.com/webhookb2/[\w@/-]+
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)                                  # user:password@host
    | (?<=[?&])(?:sig|token|access_token|api_key|apikey|key)=[\w%.~+/-]{16,}
    | -----BEGIN[ ][A-Z0-9 ]*PRIVATE[ ]KEY(?:[ ]BLOCK)?-----
      (?:.*?-----END[ ][A-Z0-9 ]*PRIVATE[ ]KEY(?:[ ]BLOCK)?-----|.*\Z)?
    """,
    re.VERBOSE | re.DOTALL,
)

_BEARER = re.compile(r"\b(?:Bearer|Basic)\s+(?P<value>[A-Za-z0-9._~+/-]{16,}=*)")

#: A name of something secret, what joins it to its value, and the value.
_NAMED = re.compile(
    r"""
    (?: api[ _-]?(?:key|nøkkel|secret)\w* | (?:access|auth|secret|private|client|account|bot|app)
        [ _-]?(?:key|token|secret)\w* | (?<!\w)\w{1,40}_(?:key|token|secret|password|pwd)
      | \b(?:token|secret|nøkkel|credential)\w* | \bpwd\b | \bpw\b
      | (?<!\w)\w{0,40}pass(?:ord|word|wd|phrase|kode|code)\w{0,20} )
    [^\S\n]* (?: (?:mitt|ditt|sitt|vårt|min|din|vår|hans|hennes|deres) [^\S\n]* )?
    (?: \( [^)\n]{1,40} \) [^\S\n]* )?
    (?: (?:for|to|til|på|of|av) [^\S\n]+ [\w./-]+ (?:[^\S\n]+[\w./-]+){0,3}? [^\S\n]* )?
    (?: [:=→] | :=| -> | \b(?:is|er|was|var)\b[^\S\n]*:?
      | (?:\w+[^\S\n])?(?:set[ ]to|changed[ ]to|satt[ ]til|byttet[ ]til|endret[ ]til)\b )
    [^\S\n]* ["'`«“]? (?P<value>[^\s"'`»”<>]{6,})
    """,
    re.VERBOSE | re.IGNORECASE,
)

#: A short code that opens something: only digits, so only behind its own name.
_CODE = re.compile(
    r"""
    \b(?: pin(?:[ -]?(?:koden?|code))? | (?:door|gate|alarm|safe|lock)[ ]code
        | (?:dør|port|alarm|safe|lås|adgangs)[ -]?koden?
        | koden?(?=[ ](?:til|for|på)[ ](?:alarm|dør|port|safe|lås|inngang|garasje|skap))
        | code(?=[ ](?:to|for|of)[ ](?:the[ ])?(?:alarm|door|gate|safe|lock|entrance|garage)) )
    [^\S\n]* (?: (?:for|to|til|på) [^\S\n]+ [\w-]+ (?:[^\S\n]+[\w-]+){0,3}? [^\S\n]* )?
    (?: [:=] | \b(?:is|er)\b[^\S\n]*:? ) [^\S\n]* (?P<value>\d{4,8}\b)
    """,
    re.VERBOSE | re.IGNORECASE,
)

#: A run of letters, digits and the marks of base64, long enough to be a key.
_RUN = re.compile(r"(?<![\w/+.:=-])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w/+])")
_UNIQUE_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

#: Bits a character from which a run of 32 is hardly a word or a path.
_ENTROPY = 4.0


def find_secrets(text: str) -> tuple[Span, ...]:
    """Return where in `text` tokens, keys, passwords and codes stand; spans may overlap."""
    return tuple(sorted({span for span in _spans(text) if span[0] < span[1]}))


def _spans(text: str) -> Iterator[Span]:
    yield from (found.span() for found in _FORMS.finditer(text))
    yield from (found.span("value") for found in _BEARER.finditer(text))
    yield from (found.span("value") for found in _CODE.finditer(text))
    for found in _NAMED.finditer(text):
        value = found["value"].rstrip(".,;:)!?" if found["value"][-1:] != "!" else ".,;:)")
        if _is_mixed(value):
            yield found.start("value"), found.start("value") + len(value)
    for found in _RUN.finditer(text):
        if _is_random(found.group()):
            yield found.span()
    for value in _of_services(text):
        start = text.find(value)
        while start >= 0:
            yield start, start + len(value)
            start = text.find(value, start + len(value))


def _of_services(text: str) -> Iterator[str]:
    with _importing:
        detectors = _detectors()
    for detector in detectors:
        for value in detector.analyze_string(text):  # type: ignore[attr-defined]
            if value and not value.isspace():
                yield value


#: The package cannot be imported by two threads at once.
_importing = threading.Lock()


@cache
def _detectors() -> tuple[object, ...]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    known: Mapping[str, type[object]] = get_mapping_from_secret_type_to_class()
    return tuple(each() for each in known.values() if each.__name__ in _DETECTORS)


def _is_mixed(value: str) -> bool:
    """Whether a value behind "password:" is one, and no word of the sentence."""
    if "://" in value or value.startswith(("$", "{", "[", "<", "%", "*")):
        return False  # an address, or a place kept for a value
    has_letter = any(letter.isalpha() for letter in value)
    has_digit = any(letter.isdigit() for letter in value)
    has_mark = any(not letter.isalnum() for letter in value)
    has_both_cases = value != value.lower() and value[1:] != value[1:].lower()
    return has_letter and (has_digit or (has_mark and has_both_cases))


def _is_random(run: str) -> bool:
    """Whether a long run is drawn by a machine; hex is not counted: it is often a checksum."""
    if _UNIQUE_ID.search(run) or re.fullmatch(r"[0-9a-fA-F]+", run) or run.count("/") > 2:
        return False
    kinds = (str.islower, str.isupper, str.isdigit)
    has_all = all(any(kind(letter) for letter in run) for kind in kinds)
    counted = Counter(run).values()
    entropy = -sum(n / len(run) * math.log2(n / len(run)) for n in counted)
    return has_all and entropy >= _ENTROPY and max(map(len, re.split(r"[-_/]", run))) >= 16
