"""What the bot says to people, in their language: gettext catalogues, read with Babel.

English is written in the code; `locale/nb.po` has the Norwegian. The language is that of a
person's Slack, not of their question: what is answered follows the question.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

from bot.slack.retold import DISAGREEMENTS, retold
from bot.told import Told

#: The languages there are: English is written in the code, the others have a catalogue.
LANGUAGES = ("en", "nb")

_WRITTEN_AS = {"en": "en_GB", "nb": "nb"}

#: Slack's locales whose readers read bokmål better than English.
_READ_AS = {"nb": "nb", "no": "nb", "nn": "nb"}


class Words:
    """One language."""

    def __init__(self, language: str) -> None:
        """Take one of `LANGUAGES`."""
        self.language = language
        self._catalogue = _catalogue(language)

    def __call__(self, message: str, /, **values: Any) -> str:
        """Return a message in this language, with `values` in its braces."""
        translated = self._catalogue.gettext(message)
        return translated.format(**values) if values else translated

    def plural(self, one: str, many: str, count: int, **values: Any) -> str:
        """Return the form for a count, which stands in `{count}`."""
        chosen = self._catalogue.ngettext(one, many, count)
        return chosen.format(count=self.number(count), **values)

    def told(self, error: Exception) -> str:
        """Return why something was not done, as far as it can be translated."""
        if isinstance(error, Told) and self._catalogue.gettext(error.message) != error.message:
            values = {
                name: self.retold(value) if isinstance(value, str) else value
                for name, value in error.values.items()
            }
            return self(error.message, **values)
        return self.retold(str(error))

    def retold(self, text: str) -> str:
        """Return a sentence that SQL has in English, in this language if it is known."""
        if self.language == "en":
            return text
        return retold(text, self._catalogue.gettext, self._as_written)

    def retold_name(self, name: str) -> str:
        """Return a measure or another name that is written in English elsewhere."""
        return self._catalogue.gettext(name)

    def disagreement(self, text: str) -> str:
        """Return on what two answers disagree, which SQL has in English."""
        if self.language == "en":
            return text
        return retold(text, self._catalogue.gettext, self._as_written, DISAGREEMENTS)

    def _as_written(self, number: str) -> str:
        """Return a number that was written in English, such as `1,234.5%`."""
        signs = {
            ",": get_group_symbol(self.language),
            ".": get_decimal_symbol(self.language),
            "%": "\u00a0%",
            "-": "\u2212",
        }
        return "".join(signs.get(sign, sign) for sign in number)

    def share(self, share: float) -> str:
        """Return a share between 0 and 1 in whole per cent."""
        return self("{number}%", number=self.number(round(100 * share)))

    def number(self, number: float) -> str:
        """Return a number as it is written in this language."""
        return str(format_decimal(number, locale=self.language))

    def day(self, moment: datetime) -> str:
        """Return a date as people write it."""
        # English as it is written in Europe, where day and month are not swapped.
        return str(format_date(moment, "long", locale=_WRITTEN_AS[self.language]))

    def moment(self, moment: datetime) -> str:
        """Return a date with the time of day, in UTC."""
        return f"{self.day(moment)}, {format_datetime(moment, 'HH:mm', locale=self.language)} UTC"

    def duration(self, seconds: float) -> str:
        """Return about how long something takes."""
        if seconds < 90:
            return self.plural("{count} second", "{count} seconds", max(1, round(seconds)))
        if seconds < 90 * 60:
            return self.plural("{count} minute", "{count} minutes", round(seconds / 60))
        return self.plural("{count} hour", "{count} hours", round(seconds / 3600))


#: Gives a person's language by their Slack id.
WordsOf = Callable[[str], Words]


@cache
def words(language: str = "en") -> Words:
    """Return a language, one of `LANGUAGES`."""
    return Words(language)


def words_for(locale: str | None) -> Words:
    """Return the language for one of Slack's locales, such as `nb-NO`; English if unknown."""
    return words(_READ_AS.get((locale or "").replace("_", "-").split("-")[0].lower(), "en"))


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    file = files("bot.slack") / "locale" / f"{language}.po"
    if not file.is_file():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(file.read_bytes()), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
