"""A customer's dialog, from the chat to Odoo."""

import threading

from world import until

MENU = "What would you like to know?"


def test_a_dialog_is_answered_and_lands_in_odoo_in_order(bridge, company, shop, customer):
    """ST-TXT, ST-5, ST-3, DOC-4, LOG-1, B-7: /start, greeting, button, next step; contact, sender, conversation, messages."""
    customer.say("/start")
    screen = customer.hears("Welcome, Anna Koval!", MENU)
    assert [[button["text"] for button in row] for row in screen["keyboard"]] == [["Prices"], ["Hours"]]
    customer.press("Prices")
    customer.hears("Everything costs 5 €.")
    company.has_messages(
        shop, customer.user,
        ("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU),
        ("customer", "Prices"), ("bot", "Everything costs 5 €."),
    )
    conversation = until(lambda: [c for c in company.conversations(shop, customer.user) if c["step_id"]], "the position is copied")[0]
    assert conversation["state"] == "active"
    assert conversation["step_id"][0] == shop.steps["prices"]
    sender = company.read("chatbridge.sender", [("id", "=", conversation["sender_id"][0])], ["name", "user_ref", "partner_id", "person_id"])[0]
    assert (sender["name"], sender["user_ref"]) == ("Anna Koval", str(customer.user))
    account = company.read("res.partner", [("id", "=", sender["partner_id"][0])], ["name", "parent_id"])[0]
    assert account["name"] == "Telegram:Anna Koval"
    assert account["parent_id"][0] == sender["person_id"][0]
    assert company.read("res.partner", [("id", "=", sender["person_id"][0])], ["name"])[0]["name"] == "Anna Koval"


def test_a_button_under_a_message_leads_on(bridge, company, shop, customer):
    """ST-5: inline buttons; the tap is answered."""
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    customer.press("Hours")
    screen = customer.hears("9 to 18")
    customer.tap(screen["messages"][-1]["message_id"], "Back")
    customer.hears("9 to 18", MENU)
    assert until(lambda: customer.sandbox.calls(shop.username, "answerCallbackQuery"), "the tap is answered")


def test_before_start_the_bot_says_how_to_begin(bridge, company, shop, customer):
    """B-SET-4, B-SET-15."""
    customer.say("good day")
    customer.hears("Press /start to talk.")
    company.write("chatbridge.bot", shop.bot, not_started_message="Write /start, please")
    until(lambda: customer.say("again") and customer.heard()[-1] == "Write /start, please", "the new text is live")
    company.write("chatbridge.bot", shop.bot, wait_for_start=False)
    until(lambda: customer.say("and now?") and customer.heard()[-1] == MENU, "the dialog starts by itself")


def test_without_create_partner_no_contact_is_made(bridge, company, shop, make_customer):
    """B-4: the customer talks nevertheless, and is shown by name."""
    company.write("chatbridge.bot", shop.bot, create_partner=False)
    stranger = make_customer("Zoryana")
    stranger.say("/start")
    stranger.hears("Welcome, Zoryana!", MENU)
    sender = until(
        lambda: company.read("chatbridge.sender", [("user_ref", "=", str(stranger.user))], ["name", "partner_id", "person_id"]), "the sender is known"
    )[0]
    assert (sender["name"], sender["partner_id"], sender["person_id"]) == ("Zoryana", False, False)
    assert not company.read("res.partner", [("name", "ilike", "Zoryana")], ["id"])


def test_several_bots_side_by_side(bridge, company, shop, customer, sandbox):
    """B-7, SET-5: each channel has its own steps; a bot made while the bridge runs is live without a restart."""
    other = company.make_shop(200_001 + shop.bot)
    sandbox.add_bot(other.token, other.username)
    company.call("chatbridge.step", "write", [other.steps["prices"]], {"text": "<p>Other prices</p>"})
    visitor = sandbox.customer(other.username, customer.user, "Anna", last_name="Koval")
    visitor.say("/start")
    customer.say("/start")
    visitor.hears("Welcome, Anna Koval!", MENU)
    customer.hears("Welcome, Anna Koval!", MENU)
    visitor.press("Prices")
    visitor.hears("Other prices")
    until(lambda: len(company.conversations(other, customer.user)) == 1, "a conversation of its own")
    senders = company.read("chatbridge.sender", [("user_ref", "=", str(customer.user))], ["id"])
    assert len(senders) == 1, "one account, one sender, in however many bots"


def test_the_same_update_has_one_effect(bridge, company, shop, customer, sandbox):
    """Again, at the same time, and after a restart of the bridge."""
    first = customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    again = lambda: sandbox.post("redeliver", bot=shop.username, update_id=first["update_id"])  # noqa: E731
    threads = [threading.Thread(target=again) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: bridge.metric("updates_duplicate_total") >= 8, "the repetitions were seen")
    bridge.kill()
    again()
    bridge.start()
    until(lambda: bridge.metric("updates_duplicate_total") >= 1, "the repetition was seen after the restart")
    customer.press("Prices")
    customer.hears("Welcome, Anna Koval!", MENU, "Everything costs 5 €.")
    company.has_messages(
        shop, customer.user,
        ("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU), ("customer", "Prices"), ("bot", "Everything costs 5 €."),
    )


def test_bad_updates_between_good_ones_stop_nothing(bridge, company, shop, customer, sandbox):
    """Unknown kinds, broken and nonsensical updates: the good ones before, between and after are answered."""
    bad = (
        {"brand_new_update": {"text": "SECRETWORD"}},
        {"message": {"message_id": "not a number", "text": "SECRETWORD"}},
        {"message": {"message_id": 9, "date": 1, "chat": {"id": customer.user, "type": "space_station"}, "text": "SECRETWORD"}},
        {},
        {"callback_query": None},
        {"callback_query": {"id": 7, "data": "SECRETWORD"}},
    )
    greeted = 0
    for update in bad:
        sandbox.post("updates", bot=shop.username, update=update)
        customer.say("/start")
        greeted += 1
        until(lambda: customer.heard().count("Welcome, Anna Koval!") == greeted, f"answered after {list(update)}")  # noqa: B023
    assert bridge.metric("updates_undecodable_total") >= 2
    bridge.kill()
    bridge.start()
    customer.say("/start")
    until(lambda: customer.heard().count("Welcome, Anna Koval!") == greeted + 1, "and after a restart, once")


def test_who_blocks_the_bot_is_marked(bridge, company, shop, customer):
    """The conversation ends; who comes back is welcome."""
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    customer.block()
    member = [("sender_id.user_ref", "=", str(customer.user)), ("channel_id", "=", shop.channel)]
    until(lambda: company.read("chatbridge.membership", [*member, ("blocked", "=", True)], ["id"]), "marked as blocked")
    until(lambda: company.conversations(shop, customer.user)[0]["ended_reason"] == "blocked", "ended")
    customer.block(False)
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    until(lambda: company.read("chatbridge.membership", [*member, ("blocked", "=", False)], ["id"]), "back")
