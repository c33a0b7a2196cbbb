"""The review queue in App Home: what changes, who, why, what stands beside it; and long answers."""

from __future__ import annotations

from storage import pair_conflicts, pairs
from storage.pairs import NewPair
from tests.bot.slack.conftest import Bot, Json

LONG = "\n".join(f"Step {n}: take the {n}. form from the shelf and sign it." for n in range(120))


def _propose(bot: Bot, question: str, answer: str, **more: str) -> int:
    tom = bot.workspace.person("Tom").id
    with bot.skredder.database.write() as session:
        return pairs.propose(
            session,
            NewPair(question, answer, author=tom, origin="slack", origin_key=question + answer)
            if not more
            else NewPair(
                question, answer, author=tom, origin="slack", origin_key=question, reason="tone"
            ),
        ).id


def _state(bot: Bot, pair_id: int) -> str:
    with bot.skredder.database.read() as session:
        return pairs.get(session, pair_id).state


def _clear_queue(bot: Bot) -> None:
    """Turn down what earlier tests left waiting, so that the queue shows what this one adds."""
    with bot.skredder.database.write() as session:
        for pair in pairs.listed(session, "proposed"):
            pairs.reject(session, pair.id, "test")


def _home(bot: Bot) -> Json:
    return bot.workspace.person("Ingrid").open_home()


def _home_with(bot: Bot, text: str) -> Json | None:
    """Open App Home; an older view may still be on its way, and is none of what is looked for."""
    home = _home(bot)
    return home if text in str(home["blocks"]) else None


def test_the_queue_shows_what_changes_who_and_why(bot: Bot) -> None:
    _clear_queue(bot)
    answer = bot.ask("How many days ahead do I book my leave in Timely?")
    tom = bot.workspace.person("Tom")
    tom.press(answer["ts"], "answer_feedback", "negative")
    form = bot.form_of("Tom")
    text = form["blocks"][1]["element"]["initial_value"].replace("14", "21")
    values = {"better_answer": text, "reason": {"choice": "outdated"}}
    assert tom.submit(form, values).is_accepted
    shown = str(_home(bot)["blocks"])
    assert "~14~ *21*" in shown
    assert f"<@{tom.id}>" in shown
    assert "The page is out of date" in shown


def test_duplicates_and_contradictions_stand_side_by_side(bot: Bot) -> None:
    _clear_queue(bot)
    bot.verify("Where is the bike shed key?", "It hangs in the kitchen.")
    _propose(bot, "Where is the bike shed key?", "It lies in the drawer of the reception.")
    shown = _home(bot)["blocks"]
    fields = next(b for b in shown if "drawer of the reception" in str(b.get("fields", "")))
    assert "hangs in the kitchen" in str(fields)
    assert "Approved until now" in str(fields)


def test_an_expert_rejects_and_the_pair_is_gone_from_the_queue(bot: Bot) -> None:
    _clear_queue(bot)
    pair_id = _propose(bot, "Is there a sauna?", "Yes, in the cellar.")
    bot.workspace.person("Ingrid").press(_home(bot), "pair_reject", str(pair_id))
    assert _state(bot, pair_id) == "rejected"
    bot.wait(lambda: "sauna" not in str(bot.workspace.home_of("Ingrid")), "the new home")


def test_an_expert_edits_before_approving(bot: Bot) -> None:
    _clear_queue(bot)
    question = "When does the canteen close?"
    pair_id = _propose(bot, question, "At two.")
    ingrid = bot.workspace.person("Ingrid")
    ingrid.press(_home(bot), "pair_edit", str(pair_id))
    form = bot.form_of("Ingrid")
    assert form["blocks"][1]["element"]["initial_value"] == "At two."
    assert ingrid.submit(form, {"better_answer": "The canteen closes at 14:30."}).is_accepted
    assert _state(bot, pair_id) == "rejected"
    assert "14:30" in bot.ask(question)["text"]


def test_an_expert_takes_an_approved_answer_back(bot: Bot) -> None:
    question = "Which door code has the archive?"
    pair_id = bot.verify(question, "The code of the archive is 4711.")
    assert "4711" in bot.ask(question)["text"]
    bot.workspace.person("Ingrid").press(_home(bot), "pair_revoke", str(pair_id))
    assert _state(bot, pair_id) == "revoked"
    assert "4711" not in bot.ask(question, who="Tom")["text"]


def test_experts_decide_which_of_two_answers_is_right(bot: Bot) -> None:
    older = bot.verify("How fast may I drive on the yard?", "At most 10 km/h.")
    newer = bot.verify("How fast may one drive in the yard?", "At most 20 km/h.")
    with bot.skredder.database.write() as session:
        conflict = pair_conflicts.open_between(session, older, newer, "10 against 20", "test")
    home = bot.wait(lambda: _home_with(bot, conflict.disagreement), "the answers in App Home")
    bot.workspace.person("Ingrid").press(home, "conflict_older", str(conflict.id))
    assert _state(bot, newer) == "revoked"
    assert _state(bot, older) == "approved"


def test_an_answer_longer_than_one_field_goes_on_in_the_next(bot: Bot) -> None:
    question = "How do I leave the company properly?"
    answer = bot.ask(question)
    ingrid = bot.workspace.person("Ingrid")
    ingrid.press(answer["ts"], "answer_feedback", "negative")
    form = bot.form_of("Ingrid")
    first, second, third = LONG[:2_900], LONG[2_900:5_800], LONG[5_800:]
    values = {"better_answer": first, "better_answer_2": second, "better_answer_3": third}
    assert ingrid.submit(form, values).is_accepted

    def stored() -> str:
        with bot.skredder.database.read() as session:
            return pairs.listed(session, "approved")[0].output

    assert "Step 119" in stored()
    assert "Step 119" in str(bot.ask(question, who="Tom")["blocks"])


def test_a_long_answer_is_opened_again_in_as_many_fields(bot: Bot) -> None:
    answer = bot.ask("How do I leave the company properly?", who="Kari")
    ingrid = bot.workspace.person("Ingrid")
    ingrid.press(answer["ts"], "answer_feedback", "negative")
    form = bot.form_of("Ingrid")
    inputs = [b["element"] for b in form["blocks"] if b["type"] == "input"]
    typed = [element.get("initial_value", "") for element in inputs[:3]]
    assert all(typed[:2])
    assert max(map(len, typed)) <= 3_000
    assert "Step 119" in typed[-1]
    ingrid.close(form)
