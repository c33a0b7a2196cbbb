"""Threads: follow-ups without a mention, silence while people talk, and answers by people."""

from __future__ import annotations

import json
import time

import pytest
from sqlalchemy import func, select

from bot.slack.home_view import CHANNEL_SETTINGS
from storage import handovers, pairs
from storage.tables import QuestionRow
from tests.bot.slack.conftest import Bot, Json

WEEKS = "How many weeks is parental leave?"
UNKNOWN = "What is our customer number with the electricity supplier in Paris?"


def _question_count(bot: Bot) -> int:
    with bot.skredder.database.read() as session:
        return int(session.scalars(select(func.count()).select_from(QuestionRow)).one())


def _settle(bot: Bot) -> None:
    """Wait until nothing is left to be done."""
    from storage import jobs

    def is_idle() -> bool:
        with bot.skredder.database.read() as session:
            return jobs.count_open(session) == 0

    time.sleep(0.4)
    bot.wait(is_idle, "the jobs to be done")


def test_the_asker_goes_on_without_a_mention(bot: Bot) -> None:
    kari = bot.workspace.person("Kari")
    ts = kari.mention("general", WEEKS)
    bot.answer_to(ts)
    kari.post("general", "and when must I tell my manager?", ts)
    bot.wait(lambda: len(bot.replies(ts)) == 2, "the second answer")


def test_a_colleague_who_asks_right_after_the_answer_is_answered_too(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").mention("general", WEEKS)
    bot.answer_to(ts)
    bot.workspace.person("Tom").post("general", "How many days of annual leave?", ts)
    bot.wait(lambda: len(bot.replies(ts)) == 2, "the second answer")


@pytest.mark.parametrize(
    "talk",
    [
        [("Kari", "Thanks, that helps a lot!")],
        [("Kari", "Tusen takk!")],
        [("Tom", "I did not know that either.")],
        [("Kari", "<@Tom> did you know this?")],
        [("Tom", "Mine was twice as long."), ("Kari", "Really, how come?")],
        [("Kari", "<@Tom> shall we book it?"), ("Kari", "And when is it best?")],
    ],
    ids=["thanks", "takk", "a remark", "to a colleague", "after one", "still to one"],
)
def test_it_is_quiet_when_people_talk_to_each_other(bot: Bot, talk: list[tuple[str, str]]) -> None:
    ts = bot.workspace.person("Kari").mention("general", WEEKS)
    bot.answer_to(ts)
    before = _question_count(bot)
    tom = f"<@{bot.workspace.person('Tom').id}>"
    for who, text in talk:
        bot.workspace.person(who).post("general", text.replace("<@Tom>", tom), ts)
    _settle(bot)
    assert len(bot.replies(ts)) == 1
    assert _question_count(bot) == before


def test_a_mention_brings_it_back_into_the_talk(bot: Bot) -> None:
    kari = bot.workspace.person("Kari")
    ts = kari.mention("general", WEEKS)
    bot.answer_to(ts)
    bot.workspace.person("Tom").post("general", "Mine was longer.", ts)
    kari.mention("general", "How many days of annual leave do I get?", ts)
    bot.wait(lambda: len(bot.replies(ts)) == 2, "the second answer")


def test_in_a_strict_channel_it_answers_only_when_mentioned(bot: Bot) -> None:
    sindre = bot.workspace.person("Sindre")
    people = bot.workspace.channel("people").id
    home = sindre.open_home()
    sindre.press(home, CHANNEL_SETTINGS)
    bot.wait(lambda: bot.workspace.views_of("Sindre"), "the form")
    assert sindre.submit(None, {"strict": {"channels": [people]}}).is_accepted
    kari = bot.workspace.person("Kari")
    ts = kari.mention("people", WEEKS)
    bot.answer_to(ts, "people")
    kari.post("people", "and when must I tell my manager?", ts)
    _settle(bot)
    assert len(bot.replies(ts, "people")) == 1
    kari.mention("people", "How many days of annual leave do I get?", ts)
    bot.wait(lambda: len(bot.replies(ts, "people")) == 2, "the second answer")
    home = bot.wait(
        lambda: people in json.dumps(bot.workspace.home_of("Sindre")) and sindre.open_home(),
        "the setting in App Home",
    )
    sindre.press(home, CHANNEL_SETTINGS)
    bot.wait(lambda: bot.workspace.views_of("Sindre"), "the form")
    assert sindre.submit(None, {"strict": {"channels": []}}).is_accepted


def test_the_same_reply_under_many_event_ids_is_one_follow_up(bot: Bot) -> None:
    kari = bot.workspace.person("Kari")
    ts = kari.mention("general", WEEKS)
    bot.answer_to(ts)
    bot.workspace.faults.duplicate_messages(10)
    kari.post("general", "and when must I tell my manager?", ts)
    bot.wait(lambda: len(bot.replies(ts)) == 2, "the second answer")
    _settle(bot)
    assert len(bot.replies(ts)) == 2


def _hand_over(bot: Bot, text: str, who: str = "Kari") -> tuple[str, Json]:
    """Let somebody ask what nobody knows, and press "Ask an expert"."""
    ts = bot.workspace.person(who).mention("general", text)
    answer = bot.answer_to(ts)
    assert "I don't know" in answer["text"]
    bot.workspace.person(who).press(answer["ts"], "answer_ask_expert")
    bot.wait(lambda: len(bot.replies(ts)) == 2, "the message to the experts")
    return ts, answer


def test_an_expert_is_asked_and_the_thread_waits(bot: Bot) -> None:
    ts, answer = _hand_over(bot, UNKNOWN)
    asked = str(bot.replies(ts)[1]["blocks"])
    assert f"<@{bot.workspace.person('Ingrid').id}>" in asked
    general = bot.workspace.channel("general").id
    bot.wait(
        lambda: bot.workspace.state.sessions[f"{general}:{ts}"].status == "suspended",
        "the thread to be marked as waiting",
    )
    bot.wait(
        lambda: "Waiting for an expert" in str(bot.workspace.message(answer["ts"])["blocks"]),
        "the answer to say so",
    )
    assert "answer_ask_expert" not in str(bot.workspace.message(answer["ts"])["blocks"])


def test_the_asker_is_pinged_when_an_expert_answers_in_the_thread(bot: Bot) -> None:
    ts, answer = _hand_over(bot, "Which florist delivers to our office in Lyon on Mondays?")
    bot.workspace.person("Ingrid").post("general", "It is Fleurs du Rhône, call 12 34.", ts)
    bot.wait(lambda: len(bot.replies(ts)) == 3, "the ping")
    assert f"<@{bot.workspace.person('Kari').id}>" in str(bot.replies(ts)[2]["blocks"])
    bot.wait(
        lambda: "✅ Answered by" in str(bot.workspace.message(answer["ts"])["blocks"]),
        "the answer to say so",
    )
    _wait_until_nobody_is_asked_any_more(bot, bot.replies(ts)[1]["ts"])


def _wait_until_nobody_is_asked_any_more(bot: Bot, message_ts: str) -> None:
    """Where experts were asked, one has answered: no button is left there."""

    def is_closed() -> bool:
        shown = str(bot.workspace.message(message_ts)["blocks"])
        return "✅ Answered by" in shown and "answer_correct" not in shown

    bot.wait(is_closed, "the message to the experts to say that one has answered")


def test_a_button_may_be_pressed_before_the_bot_knows_where_its_answer_stands(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    kari = bot.workspace.person("Kari")
    ts = kari.mention("general", "Who waxes the skis of our Lille office?")

    def press(place: str) -> None:
        if place == "answer.after_final":
            monkeypatch.undo()
            kari.press(bot.answer_to(ts)["ts"], "answer_ask_expert")
            bot.wait(lambda: _is_waiting(bot, "Lille office"), "the press to be known")
            time.sleep(1)  # long enough for whoever would look too early

    monkeypatch.setattr("bot.slack.questions.failpoint", press)
    answer = bot.answer_to(ts)
    bot.wait(
        lambda: "Waiting for an expert" in str(bot.workspace.message(answer["ts"])["blocks"]),
        "the answer to say so",
    )


def _is_waiting(bot: Bot, text: str) -> bool:
    with bot.skredder.database.read() as session:
        return any(text in one.question.text for one in handovers.waiting(session))


def test_an_expert_may_answer_before_the_bot_knows_where_it_asked(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").mention("general", "Who tunes the piano in our Nice office?")
    answer = bot.answer_to(ts)
    bot.idle()
    bot.workspace.faults.drop_after("chat.postMessage")  # it stands there, and nobody says so
    bot.workspace.person("Kari").press(answer["ts"], "answer_ask_expert")
    bot.wait(lambda: len(bot.replies(ts)) == 2, "the message to the experts")
    bot.workspace.person("Ingrid").post("general", "That is Accord Parfait, call 56 78.", ts)
    _wait_until_nobody_is_asked_any_more(bot, bot.replies(ts)[1]["ts"])
    bot.idle()
    session = bot.workspace.state.sessions[f"{bot.workspace.channel('general').id}:{ts}"]
    assert session.status == "active"


def test_an_expert_answers_with_the_button_and_the_next_one_gets_that(bot: Bot) -> None:
    question = "What colour is the company's sailing boat in Marseille?"
    ts, _ = _hand_over(bot, question)
    ingrid = bot.workspace.person("Ingrid")
    ingrid.press(bot.replies(ts)[1]["ts"], "answer_correct")
    form = bot.form_of("Ingrid")
    assert question in str(form)
    assert ingrid.submit(form, {"better_answer": "Our sailing boat is green."}).is_accepted
    bot.wait(lambda: len(bot.replies(ts)) == 3, "the answer to the asker")
    assert f"<@{bot.workspace.person('Kari').id}>" in str(bot.replies(ts)[2]["blocks"])

    bot.wait(lambda: not _is_waiting(bot, question), "the question to wait no more")
    _wait_until_nobody_is_asked_any_more(bot, bot.replies(ts)[1]["ts"])
    assert "green" in bot.ask(question, who="Tom")["text"]


def test_asking_an_expert_twice_asks_once(bot: Bot) -> None:
    ts, answer = _hand_over(bot, "How heavy is the anchor of the boat in Toulon harbour?")
    body = {
        "type": "block_actions",
        "user": {"id": bot.workspace.person("Tom").id},
        "team": {"id": bot.workspace.team_id},
        "channel": {"id": bot.workspace.channel("general").id},
        "container": {"type": "message"},
        "trigger_id": "again",
        "actions": [
            {
                "action_id": "answer_ask_expert",
                "type": "button",
                "value": str(answer["metadata"]["event_payload"]["answer"]),
            }
        ],
    }
    assert bot.workspace.sockets.send("interactive", body).result(10).is_ok
    bot.wait(lambda: any("asked already" in text for text in bot.whispers_to("Tom")), "the whisper")
    _settle(bot)
    assert len(bot.replies(ts)) == 2


def test_a_topic_is_routed_to_the_one_who_knows_it(bot: Bot) -> None:
    ts, _ = _hand_over(bot, "Which payroll account number do we have in Zürich?")
    asked = str(bot.replies(ts)[1]["blocks"])
    assert f"<@{bot.workspace.person('Tom').id}>" in asked
    assert f"<@{bot.workspace.person('Ingrid').id}>" not in asked


def test_an_experts_correction_reply_counts_at_once(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").mention("general", "How long may unused days be kept?")
    bot.answer_to(ts)
    ingrid = bot.workspace.person("Ingrid")
    ingrid.post("general", "correction: Unused days may be kept until the end of April.", ts)
    bot.wait(lambda: "end of April" in str(bot.replies(ts)[-1]["blocks"]), "the better answer")
    assert "end of April" in bot.ask("How long may unused days be kept?", who="Tom")["text"]


def test_an_employees_correction_reply_waits_and_says_so(bot: Bot) -> None:
    ts = bot.workspace.person("Nora").mention("general", "Where in Bergen is room B12?")
    bot.answer_to(ts)
    bot.workspace.person("Nora").post("general", "Retting: Den er i tredje etasje.", ts)
    bot.wait(
        lambda: any("En ekspert ser på det" in text for text in bot.whispers_to("Nora")),
        "the whisper",
    )
    with bot.skredder.database.read() as session:
        assert any("tredje etasje" in one.output for one in pairs.listed(session, "proposed"))


def test_a_guest_may_not_correct(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").mention("general", WEEKS)
    bot.answer_to(ts)
    bot.workspace.person("Gil").post("general", "correction: 100 weeks", ts)
    bot.wait(
        lambda: any("for colleagues" in text for text in bot.whispers_to("Gil")), "the whisper"
    )


def test_an_experts_tick_makes_a_colleagues_reply_the_answer(bot: Bot) -> None:
    question = "Where do I find the spare projector bulbs?"
    ts = bot.workspace.person("Kari").post("general", question)
    reply = bot.workspace.person("Tom").post("general", "In the blue cabinet in room A2.", ts)
    bot.workspace.person("Ingrid").react(reply, "white_check_mark")
    bot.wait(lambda: any("Saved" in text for text in bot.whispers_to("Ingrid")), "the whisper")
    answer = bot.ask(question, who="Sindre")
    assert "blue cabinet" in answer["text"]
    with bot.skredder.database.read() as session:
        newest = pairs.listed(session, "approved")[0]
    assert newest.author == bot.workspace.person("Tom").id
    assert newest.asked_by == bot.workspace.person("Kari").id


def test_an_employees_tick_means_nothing(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").post("general", "Where are the ski poles kept?")
    reply = bot.workspace.person("Tom").post("general", "Behind the door.", ts)
    bot.workspace.person("Kari").react(reply, "white_check_mark")
    _settle(bot)
    with bot.skredder.database.read() as session:
        assert not any("Behind the door" in one.output for one in pairs.listed(session))


def test_a_reply_is_saved_from_its_menu_and_waits_for_an_expert(bot: Bot) -> None:
    ts = bot.workspace.person("Kari").post("general", "Who waters the plants on Fridays?")
    reply = bot.workspace.person("Tom").post("general", "The person who opens the office.", ts)
    bot.workspace.person("Kari").shortcut(reply, "save_reply")
    bot.wait(
        lambda: any("An expert will look" in text for text in bot.whispers_to("Kari")),
        "the whisper",
    )
    with bot.skredder.database.read() as session:
        waiting = pairs.listed(session, "proposed")
    assert any("opens the office" in one.output for one in waiting)


def test_a_reply_in_a_private_channel_answers_only_there(bot: Bot) -> None:
    ts = bot.workspace.person("Sindre").post("board", "What is the code word of the merger?")
    reply = bot.workspace.person("Ingrid").post("board", "It is Polarlys.", ts)
    bot.workspace.person("Ingrid").react(reply, "white_check_mark")
    bot.wait(lambda: any("Saved" in text for text in bot.whispers_to("Ingrid")), "the whisper")
    _settle(bot)
    assert "Polarlys" not in str(bot.ask("What is the code word of the merger?"))
    ts = bot.workspace.person("Sindre").mention("board", "What is the code word of the merger?")
    assert "Polarlys" in str(bot.answer_to(ts, "board"))
