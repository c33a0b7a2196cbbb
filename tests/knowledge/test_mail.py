"""Email: who wrote what when, the reply before what it answers, attachments by name."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from knowledge.listing import FileEmpty, FileUnreadable
from knowledge.readers import Page, read_page

REPLY = """Hei Kari,

the cabin is free in week 8. # not a heading
--
Ingrid

On Mon, 2 Mar 2026 at 10:00, Kari Nordmann <kari@example.com>
wrote:
> Can we have the cabin
> in the winter holiday?
>
> On Fri, 27 Feb 2026 at 09:00, Ola Hansen <ola@example.com> wrote:
>> # The cabin has a new lock.
"""


def _mail(text: str = "", page: str = "", **headers: str) -> EmailMessage:
    message = EmailMessage()
    named = {"From": "Ingrid Moen <ingrid@example.com>", "To": "kari@example.com"}
    named |= {"Subject": "Hytta i vinterferien", "Date": "Tue, 3 Mar 2026 08:15:00 +0100"}
    for name, value in (named | headers).items():
        message[name] = value
    if text or not page:
        message.set_content(text)
    if page:
        message.add_alternative(page, subtype="html")
    return message


def _read(message: EmailMessage | bytes) -> Page:
    data = message if isinstance(message, bytes) else message.as_bytes()
    return read_page(data, "mail.eml")


def test_the_subject_is_the_title_the_sender_the_owner_and_the_date_the_date() -> None:
    page = _read(_mail("The cabin is free."))
    assert (page.title, page.owner) == ("Hytta i vinterferien", "Ingrid Moen")
    assert page.updated_at == datetime(2026, 3, 3, 7, 15, tzinfo=UTC)
    assert page.text == (
        "From Ingrid Moen to kari@example.com on 2026-03-03.\n\nThe cabin is free."
    )


def test_what_is_quoted_stands_under_a_heading_of_its_own_without_its_marks() -> None:
    said, _, earlier = _read(_mail(REPLY)).text.partition("## Earlier messages")
    assert "week 8. # not a heading" in said
    assert "cabin\nin the winter holiday?" in earlier
    assert "Kari Nordmann <kari@example.com>\nwrote:" in earlier
    assert "\\# The cabin has a new lock." in earlier
    assert ">" not in earlier.replace("com>", "")
    assert "--" not in said


@pytest.mark.parametrize(
    "begins",
    [
        "man. 2. mars 2026 kl. 10:00 skrev Kari Nordmann <kari@example.com>:",
        "-----Original Message-----\nFrom: Kari Nordmann\nSent: 2 March 2026",
        "Fra: Kari Nordmann <kari@example.com>\nSendt: mandag 2. mars 2026 10:00",
    ],
)
def test_the_beginning_of_what_is_answered_is_known_from_many_programs(begins: str) -> None:
    text = _read(_mail(f"It is free.\n\n{begins}\n\nCan we have the cabin?\n")).text
    said, earlier = text.split("## Earlier messages")
    assert said.strip().endswith("It is free.")
    assert "Can we have the cabin?" in earlier
    assert begins.partition("\n")[0].strip("-") in earlier


def test_a_mail_that_answers_piece_by_piece_keeps_its_order() -> None:
    text = _read(
        _mail("On 2 March 2026 Kari wrote:\n> Which week?\nWeek 8.\n> How many beds?\nTen.\n")
    ).text
    assert "Which week?\n\nWeek 8.\n\nHow many beds?\n\nTen." in text
    assert "Earlier messages" not in text


def test_plain_text_is_preferred_and_html_is_read_where_there_is_no_other() -> None:
    page = "<html><body><p>As <b>HTML</b></p><ul><li>one</li><li>two</li></ul></body></html>"
    assert "As HTML" not in _read(_mail("As text", page)).text
    assert _read(_mail("", page)).text.endswith("As HTML\n\n- one\n- two")
    assert _read(_mail(" \n", page)).text.endswith("As HTML\n\n- one\n- two")


def test_attachments_are_named_and_not_opened() -> None:
    message = _mail("See the price list.")
    message.add_attachment(b"PK secret", maintype="application", subtype="zip", filename="p.zip")
    inner = _mail("Inner words", Subject="Inner")
    message.add_attachment(inner)
    text = _read(message).text
    assert "Attached: p.zip, message/rfc822." in text
    assert "secret" not in text
    assert "Inner words" not in text


def test_what_a_mail_says_of_its_letters_may_be_wrong() -> None:
    head = (
        b"From: =?iso-8859-1?Q?=C5se_Bj=F8rn=E6s?= <a@example.com>\nSubject: Ferie p\xc3\xa5ske\n"
    )
    body = "Overføring av feriedager før påske, sier Åse.".encode("latin-1")
    for charset in (b"utf-8", b"no-such-charset", b"us-ascii", b"iso-8859-1"):
        page = _read(head + b"Content-Type: text/plain; charset=" + charset + b"\n\n" + body)
        assert page.owner == "Åse Bjørnæs"
        assert page.title == "Ferie påske"
        assert "Overføring av feriedager før påske, sier Åse." in page.text


@pytest.mark.parametrize(
    "date", ["someday", "", "Tue, 99 Mar 2026 08:15:00 +0100", "Tue, 3 Mar 2026"]
)
def test_a_date_that_is_none_is_no_reason_not_to_read(date: str) -> None:
    data = f"From: a@example.com\nSubject: Cabin\nDate: {date}\n\nFree.".encode()
    assert _read(data).text.endswith("Free.")


def test_a_file_without_a_head_is_no_mail_and_an_empty_mail_is_empty() -> None:
    with pytest.raises(FileUnreadable, match="not an email"):
        _read(b"Dear all,\n\nthis is a letter.")
    with pytest.raises(FileUnreadable, match="not an Outlook message"):
        read_page(b"From: a@example.com\n\nHei", "mail.msg")
    with pytest.raises(FileUnreadable, match="damaged"):
        read_page(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "mail.msg")
    with pytest.raises(FileEmpty):
        _read(b"From: a@example.com\nSubject: Nothing\n\n")


def test_a_mail_in_a_mail_in_a_mail_is_not_followed_down() -> None:
    head = (
        b"From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b%d\n\n"
    )
    data = b"".join(head % n + b"--b%d\n" % n for n in range(3000)) + b"\nDeep."
    with pytest.raises(FileUnreadable):
        _read(data)
