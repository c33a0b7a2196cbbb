"""Sentences that other floors have written down, told again in a person's language.

The gate, the checks of pairs and storage word their reasons in English, and SQL keeps them as
sentences: one record for all, which the command line shows as it stands. Here each is known by its
template, taken apart and put together again. What is not known is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

#: Returns a message in the person's language, or the message itself if there is none.
Translate = Callable[[str], str]


def _told(template: str) -> str:
    """Mark a template for the catalogue."""
    return template


#: What the gate says of a version.
GATE = (
    _told("{measure} is better by {change}"),
    _told("general probes: {right} of {total} right, the base {base}"),
    _told("there are {count} held-out pairs, and fewer than {needed} prove nothing"),
    _told("{measure} is {now}, the champion's {before}: worse by more than {points} points"),
    _told("nothing is better beyond noise: {changes}"),
    _told(
        "the right source is cited in {now} of the answers, the champion's {before}: worse by "
        "more than {points} points"
    ),
    _told(
        "{now} of what it says is not supported by the passages, the champion's {before}: "
        "{change}, and at most {points} points more may be"
    ),
    _told(
        "where the passages do not answer, it says so in {now} of the cases, the champion in "
        "{before}: worse by more than {points} points"
    ),
    _told(
        "in {language} {measure} is worse by {change} on {count} questions, and at most {points} "
        "points may be"
    ),
    _told(
        "{right} of {total} general probes are right, the base's {base}: {change} ({kinds}), and "
        "at most {points} points may be lost"
    ),
    _told(
        "{now} of the answers to general questions come in the company's voice, the base's "
        "{base}: it leaks, and at most {points} points more may"
    ),
    _told("{count} answers are empty, and at most {most} may be"),
)

#: What is said of a run while it goes on and when it has ended.
RUNS = (
    _told("Freezing the pairs"),
    _told("Loading the model"),
    _told("Merging the adapter into the model"),
    _told("Measuring on questions it has never seen"),
    _told("The base model answers general questions, to be rehearsed"),
    _told("{version} answers questions it has never seen"),
    _told("loss {loss}, {speed} tokens a second"),
    _told("Cancelled by {who}."),
    _told("Cancelled by {who} before it began."),
    _told("The run failed: {why}"),
    _told("It was started too often without coming to an end ({error_id})."),
    _told(
        "{count} pairs are approved and not held, {train} of them to learn from and {held_out} "
        "kept for measuring; some of each are needed."
    ),
    _told(
        "{version} answers, on another base model than this process began with. Start the bot "
        "anew, then train."
    ),
    _told("It was begun on the base model {one}, and here is {other}."),
    _told("The disk is full. Free some space, then run the training again."),
    _told("There was not enough memory. Free some, then run the training again."),
    _told("There was not enough memory. Lower training.batch_size or training.max_tokens."),
    _told("The training process was killed and goes on"),
    _told(
        "Paused: {why} No step is lost. `skredder train run` or `/retrain run` goes on, "
        "`skredder train cancel` gives the run up."
    ),
    _told(
        "Paused: {why} Step {step} of {steps} was reached, and the checkpoint of step {kept} is "
        "kept in {folder}. `skredder train run` or `/retrain run` goes on from it, "
        "`skredder train cancel` gives the run up."
    ),
    _told("something unexpected happened ({error}); the log has the details."),
    _told(
        "The training process was killed, most often because memory ran out. Lower "
        "training.batch_size or training.max_tokens, or run it where there is more memory."
    ),
    _told("The training process ended with code {code} before the adapter was there.{said}"),
    _told("The training took longer than {hours} hours."),
    _told(
        "{ours} answers in the company's voice and {others} of the base model are too few to tell "
        "them apart; five of each are needed at least."
    ),
    _told(
        "The training would take {memory} GB of memory, and {free} GB are free on {device}. {why}"
    ),
    _told("With {settings} it would take {memory} GB, which fits."),
    _told(
        "No smaller batch or shorter row would fit either: free some memory, name a smaller base "
        "model, or train on another machine."
    ),
    _told("{gathered}; {missing} more are needed."),
    _told("{gathered}: a training is due."),
    _told("Run {run} is {state}; there is never more than one at a time."),
    _told("There has been a run for {period} already."),
    _told("There is no open run {run} to cancel."),
    _told("There is no run {run}. `skredder train list` shows them."),
)

#: Why a version may not answer.
VERSIONS = (
    _told("No version answers yet; start the bot once."),
    _told("Version {version} was not passed by the gate; to let it answer anyway, write down why."),
    _told(
        "Version {version} may not answer: the gate says {state}. An admin can override that with "
        "a written reason."
    ),
    _told("{version} has no predecessor to go back to."),
    _told(
        "{version} was retired and its files are deleted. `skredder train list` shows the versions "
        "that are kept."
    ),
    _told("Say why {version} is retired; the reason is kept in the audit."),
    _told("The base model is what everything falls back on; it stays."),
    _told("{version} was retired before."),
    _told("{version} answers now; let another version answer first."),
    _told("{version} is what a rollback goes back to; it stays until that changes."),
    _told("{version} is part of a trial that goes on; end the trial first."),
    _told("There is no version with the number {version}."),
    _told("There is no version {version}. `skredder train list` shows those there are."),
    _told("{version} answers already."),
    _told(
        "{version} is there already, with other weights. Give the folder of the new ones another "
        "name."
    ),
    _told(
        "The champion was changed meanwhile: it is {version} now (revision {now}, not {before}). "
        "Look again and decide anew."
    ),
)

#: How often general examples come back in a training.
REHEARSED = (
    _told("No general examples are rehearsed."),
    _told("{rows} general examples are rehearsed, each once."),
    _told("{rows} general examples are rehearsed: {prompts} different ones, each {each}.{often}"),
)

#: What speaks against a pair.
HOLDS = (
    _told("The question is too short: {words} could mean anything."),
    _told("The question is too long: {words}; {most} are enough to ask."),
    _told("The answer is too short: {words} teach nothing about how to answer."),
    _told("The answer is too long: {words}, and the model can say about {most}."),
    _told("The answer copies the question word for word."),
    _told("The answer says nothing that the question does not say."),
    _told("The answer is in another language than English or Norwegian."),
    _told("The question is in {language} and the answer in {other_language}."),
    _told("The answer is not in the company's voice: {faults}."),
    _told("The passages it rests on do not say this: {quoted}"),
    _told("The {text} is rude: {quoted}."),
    _told(
        "The {text} has personal data or a secret in it: {found}. Mask it, or say why everybody "
        "may know it."
    ),
    _told("The {text} has {count} letters that no reader sees."),
    _told("The {text} gives orders to a model instead of telling a reader something."),
    _told("The {text} has marks in it that a prompt is made of."),
    _told("It links to {hosts}, which nothing of the company links to."),
    _told("It is pair {count} of {who} within a day; up to {most} count without a look."),
    _told("It is pair {count} of {who} on one topic within a day."),
    _told("It is pair {count} on one topic within a day."),
    _told("{who} has replaced {count} approved answers of others within a day."),
    _told("It rests on what is for {audiences} only; nobody may see it as a whole."),
    _told(
        "A colleague asked this in a direct message. Look whether everybody may read the question."
    ),
    _told("It contradicts pair {pair}: {disagreement}"),
    _told("It was for {audience} only."),
    _told("The page “{title}” has changed since."),
    _told("The page “{title}” is gone."),
)

#: Why something cannot be done with a pair.
PAIRS = (
    _told("There is no pair {pair}. `skredder pairs list` shows them."),
    _told("There is no pair {pair}."),
    _told("Pair {pair} is {state} and cannot be {move}: only a pair that is {states} can."),
    _told("Pair {pair} does not wait for a review."),
    _told("Pair {pair} was erased."),
    _told("Pair {pair} is for everyone already."),
    _told("Conflict {conflict} does not wait for a decision."),
    _told("Decide for one of {outcomes}, not {outcome}."),
    _told("Say why; the reason is kept with the decision."),
    _told("Say why everybody may know pair {pair}; the reason is kept with it."),
    _told("Say why pair {pair} may train; the reason is kept with it."),
    _told(
        "Pair {pair} contradicts an approved one. Decide which is right: `skredder pairs "
        "conflicts` shows them side by side."
    ),
    _told("Nothing holds pair {pair}."),
    _told("Pair {pair} is {state}; there is nothing to mask for."),
    _told("Nothing personal or secret is found in pair {pair}."),
    _told("Say why what is found in pair {pair} is not personal; the reason is kept with it."),
)

#: On what two answers disagree.
DISAGREEMENTS = (
    _told("yes or no"),
    _told("whether one must"),
    _told("whether {words} is denied"),
    _told("where {one} and where {other} holds"),
    _told("the {date}: {one} or {other}"),
    _told("{one} or {other}"),
)

#: Pieces of the sentences above, by the value that they stand for.
PIECES = {
    "change": (_told("{mean} points ({low} to {high})"),),
    "changes": (_told("{measure} {change}"),),
    "kinds": (_told("{kind} {now} instead of {before}"),),
    "gathered": (
        _told("{count} of {needed} pairs for the first training"),
        _told("{count} of {needed} new pairs since the last training"),
    ),
    "words": (_told("1 word"), _told("{count} words")),
    "found": (_told("{kind} ({seen})"),),
    "faults": (
        _told('it writes "{phrase}"'),
        _told("it has none of {phrases}"),
        _told("it does not have {phrases}"),
    ),
    "device": (_told("this machine's processor ({threads} threads)"),),
    "disagreement": DISAGREEMENTS,
    "each": (_told("{least} or {most} times"), _told("{count} times")),
    "often": (
        _told(
            " That is often: the same few answers may be learned by heart instead of keeping what "
            "the base model knows. Lower training.replay_share if general questions come out worse."
        ),
    ),
}

#: Values that are words of their own.
NAMES = (
    _told("answer F1"),
    _told("right numbers"),
    _told("likeness of meaning"),
    _told("chrF"),
    _told("reference's likelihood"),
    _told("right source cited"),
    _told("in the voice"),
    _told("says it does not know"),
    _told("… where nobody can"),
    _told("unsupported sentences"),
    _told("general probes right"),
    _told("voice in general answers"),
    _told("arithmetic"),
    _told("knowledge"),
    _told("instruction"),
    _told("chat"),
    _told("English"),
    _told("Norwegian"),
    _told("another language"),
    _told("The question"),
    _told("The answer"),
    _told("The context"),
    _told("and"),
    _told("or"),
    _told("email address"),
    _told("phone number"),
    _told("identity number"),
    _told("account number"),
    _told("card number"),
    _told("token or key"),
    _told("month"),
    _told("weekday"),
    _told("proposed"),
    _told("approved"),
    _told("rejected"),
    _told("revoked"),
    _told("superseded"),
    _told("reinstated"),
    _told("queued"),
    _told("preparing"),
    _told("training"),
    _told("merging"),
    _told("evaluating"),
    _told("passed"),
    _told("refused"),
    _told("overridden"),
    _told("candidate"),
    _told("retired"),
)

SENTENCES = (*GATE, *RUNS, *REHEARSED, *VERSIONS, *HOLDS, *PAIRS)

#: Values that are lists, with what stands between.
_LISTS = {"kinds": ", ", "found": ", ", "faults": "; ", "changes": " and ", "states": " or "}

_NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?%?"
_CHANGE = rf"{_NUMBER} points \({_NUMBER} to {_NUMBER}\)"

#: How values look that could otherwise be mistaken; all else is any text.
_SHAPES = {
    "change": _CHANGE,
    "mean": _NUMBER,
    "low": _NUMBER,
    "high": _NUMBER,
    "said": ".*?",
    "often": ".*?",
}

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_IS_NUMBER = re.compile(_NUMBER)


def retold(
    text: str,
    translate: Translate,
    number: Callable[[str], str],
    templates: Sequence[str] = SENTENCES,
) -> str:
    """Return a sentence that was written in English in another language.

    Args:
        text: The sentence as it was written; several may stand with `; ` between.
        translate: The catalogue.
        number: Writes a number such as `1,234.5%` as people write it.
        templates: Which sentences it may be.
    """
    for template in templates:
        if (found := _pattern(template).fullmatch(text)) is not None:
            values = {
                name: _value(name, value, translate, number)
                for name, value in found.groupdict().items()
            }
            return translate(template).format(**values)
    if "; " in text and templates is SENTENCES:
        return "; ".join(retold(part, translate, number) for part in text.split("; "))
    return text


def _value(name: str, text: str, translate: Translate, number: Callable[[str], str]) -> str:
    if name in _LISTS and _LISTS[name] in text:
        between = _LISTS[name]
        joined = f" {translate(between.strip())} " if between.strip().isalpha() else between
        return joined.join(_value(name, p, translate, number) for p in text.split(between))
    if name == "text":  # a text of a pair, by its name
        return translate(f"The {text}")
    if text in NAMES:
        return translate(text)
    if _IS_NUMBER.fullmatch(text):
        return number(text)
    if name == "why":
        return retold(text, translate, number)
    return retold(text, translate, number, PIECES[name]) if name in PIECES else text


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Return what matches a sentence made from a template, with a group for each value."""
    parts = _PLACEHOLDER.split(template)
    return re.compile(
        "".join(
            f"(?P<{part}>{_SHAPES.get(part, '.+?')})" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        ),
        re.DOTALL,
    )
