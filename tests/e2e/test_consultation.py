"""From the bot to an operator in Discuss and back."""

import itertools
import re

import pytest
from desk import Desk
from lab_odoo.rpc import OdooError
from test_dialog import MENU
from world import until

WELCOME = "Welcome, Anna Koval!"
LOOKING = "We are looking for somebody."
JOINED = "Operator connected to chat. Please start messaging!\nIf you would like to end your consultation Press: /end"
ENDED = "Consultation completed"
ELSE = "What else can we do?"

_numbers = itertools.count(300_001)
_users = itertools.count(6_000_001)


@pytest.fixture
def open_desk(company, sandbox):
    """Makes desks with a client chat."""

    def open_desk(most=0, wait=True, channel=None, **settings):
        desk = Desk(company, next(_numbers), most, **settings)
        desk.shop = desk.open_shop(wait, **(channel or {}))
        sandbox.add_bot(desk.shop.token, desk.shop.username)

        def customer(name="Anna", **more):
            more = more or ({"last_name": "Koval"} if name == "Anna" else {})
            return sandbox.customer(desk.shop.username, next(_users), name, language_code="en", **more)

        desk.customer = customer
        return desk

    return open_desk


def ask(customer, name=WELCOME):
    """Go from /start to *Operator*."""
    customer.say("/start")
    customer.hears(name, MENU)
    customer.press("Operator")


def test_a_consultation_from_the_button_to_the_end(bridge, company, open_desk):
    """ST-OP, OP-2, OP-6, OP-7 (text), OP-11, B-SET-5, B-SET-7, B-SET-11, B-SET-18, B-SET-19, LOG-1: there and back again, then the dialog goes on."""
    desk = open_desk()
    julia = desk.hire("Julia")
    company.live()
    anna = desk.customer()
    ask(anna)
    anna.hears(LOOKING, JOINED)
    talk = julia.gets("Anna Koval")
    assert talk.name() == "Telegram:Anna Koval"
    before = talk.before()
    for words in ("/start", WELCOME, MENU, "Operator", LOOKING):
        assert words in before, f"«{words}» in {before}"
    anna.say("Do you have it in red?")
    talk.shows("Do you have it in red?")
    talk.say("Yes, we do")
    anna.hears(JOINED, "Yes, we do")
    anna.say("Prices")  # a word of the menu is a word in a consultation
    anna.say("/prices")
    talk.shows("Do you have it in red?", "Yes, we do", "Prices", "/prices")
    anna.say("/end")
    anna.hears("Yes, we do", ENDED, ELSE)
    until(julia.idle, "the operator's chat has ended")
    company.has_messages(
        desk.shop, anna.user,
        ("customer", "/start"), ("bot", WELCOME), ("bot", MENU), ("customer", "Operator"), ("bot", LOOKING), ("bot", JOINED.replace("\n", "")),
        ("customer", "Do you have it in red?"), ("operator", "Yes, we do"), ("customer", "Prices"), ("customer", "/prices"), ("customer", "/end"),
        ("bot", ENDED), ("bot", ELSE),
    )
    first, second = company.conversations(desk.shop, anna.user)
    assert (first["state"], first["ended_reason"], second["state"]) == ("ended", "consultation", "active")
    assert julia.consultations()[-1]["ended_reason"] == "customer"


def test_the_operator_ends_with_a_command(bridge, company, open_desk):
    """OP-11: `/end` typed in Discuss; the customer is told, the dialog goes on, the command is no message."""
    desk = open_desk()
    julia = desk.hire("Julia")
    company.live()
    anna = desk.customer()
    ask(anna)
    talk = julia.gets("Anna Koval")
    anna.hears(LOOKING, JOINED)
    talk.say("Good bye")
    talk.say("/end")
    anna.hears("Good bye", ENDED, ELSE)
    assert julia.idle()
    assert "/end" not in talk.words()
    assert julia.consultations()[-1]["ended_reason"] == "operator"
    # Another one is another Discuss channel.
    ask(anna)
    assert julia.gets("Anna Koval").channel != talk.channel


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({"send_operator_name": True}, JOINED.replace("Operator", "Julia")),
        ({"send_operator_name": True, "join_message": False}, "Julia joined the chat"),
        ({"join_message": False}, None),
    ],
    ids=["name", "name-alone", "nothing"],
)
def test_what_the_customer_is_told_when_an_operator_joins(bridge, company, open_desk, channel, told):
    """B-SET-17, B-SET-18, SET-3: by the channel's switches; B-SET-19: and nothing at the end when that is off."""
    desk = open_desk(channel={**channel, "end_message": False})
    julia = desk.hire("Julia")
    company.live()
    anna = desk.customer()
    ask(anna)
    talk = julia.gets("Anna Koval")
    talk.say("Hello")
    anna.hears(*[LOOKING, *([told] if told else []), "Hello"])
    talk.say("/end")
    anna.hears("Hello", ELSE)


def test_nobody_is_there(bridge, company, open_desk):
    """OP-2, OP-3, B-SET-6, ST-OP: nobody joined, then somebody who is absent: the bot says so and goes to its step."""
    desk = open_desk(wait=False)
    company.live()
    anna = desk.customer()
    ask(anna)
    anna.hears(LOOKING, "Sorry, no operator available", "Leave us a note.")
    julia = desk.hire("Julia")
    julia.present(False)
    ask(anna)
    anna.hears(LOOKING, "Sorry, no operator available", "Leave us a note.")
    julia.present()
    ask(anna)
    julia.gets("Anna Koval")


def test_the_queue(bridge, company, open_desk):
    """OP-2, B-SET-3: with all busy one waits and is told the place; a freed slot takes the next, in order; /end leaves the queue."""
    desk = open_desk(most=1)
    julia = desk.hire("Julia")
    company.live()
    anna, petro, ihor = desk.customer(), desk.customer("Petro"), desk.customer("Ihor")
    ask(anna)
    talk = julia.gets("Anna Koval")
    places = {}
    for number, (name, customer) in enumerate((("Petro", petro), ("Ihor", ihor)), 1):
        ask(customer, f"Welcome, {name}!")
        told = lambda: customer.heard()[-1] if LOOKING in customer.heard()[:-1] else None  # noqa: B023, E731
        places[name] = until(told, "told of the queue")
        assert str(number) in places[name] and "/end" in places[name]
    petro.say("Are you there?")
    until(lambda: ("customer", "Are you there?") in company.messages(desk.shop, petro.user), "the line is in Odoo")
    talk.say("/end")
    with_petro = julia.gets("Petro")
    petro.hears(places["Petro"], JOINED)
    # What was written while waiting stands in the conversation so far.
    assert "Are you there?" in with_petro.before()
    assert with_petro.words() == []
    ihor.say("/end")
    ihor.hears(places["Ihor"], "You are no longer waiting for an operator.", ELSE)
    with_petro.say("/end")
    petro.hears(ENDED, ELSE)
    until(julia.idle, "nobody waits any more")


def test_two_operators_take_turns(bridge, company, open_desk):
    """OP-2: the fewest open chats first."""
    desk = open_desk()
    julia, oleh = desk.hire("Julia"), desk.hire("Oleh")
    company.live()
    names = ["Anna1", "Anna2", "Anna3", "Anna4"]
    for name in names:
        ask(desk.customer(name), f"Welcome, {name}!")
    count = lambda operator: len([c for c in operator.consultations() if c["state"] == "assigned"])  # noqa: E731
    until(lambda: count(julia) + count(oleh) == 4, "all are assigned")
    assert (count(julia), count(oleh)) == (2, 2)


def test_start_in_a_consultation_begins_anew(bridge, company, open_desk):
    """/start ends the consultation and begins the dialog; the operator is told."""
    desk = open_desk()
    julia = desk.hire("Julia")
    company.live()
    anna = desk.customer()
    ask(anna)
    julia.gets("Anna Koval")
    anna.hears(LOOKING, JOINED)
    anna.say("/start")
    anna.hears(JOINED, WELCOME, MENU)
    until(julia.idle, "the operator's chat has ended")
    assert julia.consultations()[-1]["ended_reason"] == "restart"


def test_a_customer_who_blocks_the_bot(bridge, company, open_desk):
    """OP-9 in part: the consultation ends; what the operator writes then is refused with a reason, not lost in silence."""
    desk = open_desk()
    julia = desk.hire("Julia")
    company.live()
    anna = desk.customer()
    ask(anna)
    julia.gets("Anna Koval")
    anna.block()
    until(julia.idle, "the operator's chat has ended")
    assert julia.consultations()[-1]["ended_reason"] == "blocked"


def test_without_a_contact(bridge, company, open_desk):
    """B-4: without *Create partner* the operator sees the name of the messenger, and the talk works both ways."""
    desk = open_desk()
    julia = desk.hire("Julia")
    company.write("chatbridge.bot", desk.shop.bot, create_partner=False)
    company.live()
    stranger = desk.customer("Zoryana")
    ask(stranger, "Welcome, Zoryana!")
    talk = julia.gets("Zoryana")
    stranger.say("Hello?")
    talk.shows("Hello?")
    talk.say("Hello!")
    stranger.hears(JOINED, "Hello!")
    assert not company.read("res.partner", [("name", "ilike", "Zoryana")], ["id"])


def test_live_chat_begins_in_odoo(bridge, company, open_desk):
    """B-6, B-5: *Live chat* after the last conversation has ended, and in the middle of a dialog."""
    desk = open_desk()
    julia = desk.hire("Julia")
    company.live()
    anna = desk.customer()
    ask(anna)
    julia.gets("Anna Koval").say("/end")
    anna.hears(ENDED, ELSE)
    conversation = company.conversations(desk.shop, anna.user)[-1]["id"]
    julia.rpc.call("chatbridge.conversation", "action_live_chat", [conversation])
    talk = julia.gets("Anna Koval")
    anna.hears(ELSE, JOINED)
    talk.say("One more thing")
    anna.hears(JOINED, "One more thing")
    anna.say("Yes?")
    talk.shows("One more thing", "Yes?")
    talk.say("/end")
    anna.hears("One more thing", ENDED)


def test_an_operator_who_writes_after_the_end_is_told(bridge, company, open_desk):
    """OP-11: nobody's words are lost: who writes in a consultation that is over is told so."""
    desk = open_desk()
    julia = desk.hire("Julia")
    company.live()
    anna = desk.customer()
    ask(anna)
    talk = julia.gets("Anna Koval")
    anna.hears(LOOKING, JOINED)
    anna.say("/end")
    until(julia.idle, "the consultation has ended in Odoo")
    try:
        talk.say("Wait!")
    except OdooError as refusal:
        # The words stay in the composer.
        assert "has ended" in str(refusal)
    else:
        # The web client has put the words among the others already: a line behind them says what became of them.
        assert talk.words()[-2] == "Wait!"
        assert re.search("Not delivered.*has ended", talk.words()[-1])
    anna.hears(JOINED, ENDED, ELSE)


def test_the_texts_are_those_of_the_bot_written_to(bridge, company, open_desk):
    """B-SET-20: the customer reads the client chat's texts, not the operator chat's."""
    desk = open_desk()
    julia = desk.hire("Julia")
    for bot, whose in ((desk.bot, "the desk"), (desk.shop.bot, "the shop")):
        company.write("chatbridge.bot", bot, operator_connected_message=f"of {whose}", how_to_end_message=False, consultation_ended_message=f"Over at {whose}")
    company.live()
    anna = desk.customer()
    ask(anna)
    anna.hears(LOOKING, "Operator of the shop")
    julia.gets("Anna Koval").say("/end")
    anna.hears("Over at the shop", ELSE)
