"""The forms in a real browser, as the company's people use them."""

import re

import pytest
from playwright.sync_api import expect
from test_dialog import MENU
from web_client import WebClient
from world import until

TELEGRAM = "Telegram"


@pytest.fixture(scope="module")
def admin_window(browser, odoo):
    """The admin's window, logged in once."""
    return WebClient(browser.window(), odoo.url, "admin", "admin")


@pytest.fixture
def admin(admin_window):
    """The admin in our app; no script may have failed when the test ends."""
    admin_window.page.goto(f"{admin_window.url}/web")
    admin_window.open_app()
    yield admin_window
    assert not admin_window.window.troubles


def test_the_app_has_its_menus_in_order(admin):
    """SET-7, as far as the menus are there yet."""
    assert "Chatbot" in admin.apps()
    assert admin.sections() == ["Bots", "Conversations", "Senders", "Settings"]
    assert admin.entries("settings") == ["Messengers", "Step aliases", "Chats", "Canned responses", "Bridge"]
    for name, title in (("bots", "Bots"), ("conversations", "Conversations"), ("senders", "Senders")):
        admin.menu(name)
        admin.arrives_at(title)
    for name, title in (("messengers", "Messengers"), ("step_aliases", "Step aliases"), ("chats", "Chats"), ("canned_responses", "Canned")):
        admin.menu(name, section="settings")
        admin.arrives_at(title)


def test_a_messenger_is_switched_on_and_off(admin):
    """SET-2: Telegram has to be activated, Odoo's live chat is on from the start."""
    admin.menu("messengers", section="settings")
    card = admin.card(TELEGRAM)
    expect(admin.card("Odoo live chat")).to_contain_text("Enabled")
    expect(card).not_to_contain_text("Enabled")
    expect(card.get_by_role("button", name="Settings")).to_have_count(0)
    admin.press_on_card(TELEGRAM, "Activate")
    expect(card).to_contain_text("Enabled")
    admin.menu("messengers", section="settings")  # 14 takes a second click on the same card for a double one
    admin.press_on_card(TELEGRAM, "Switch off")
    expect(card.get_by_role("button", name="Activate")).to_be_visible()
    expect(card).not_to_contain_text("Enabled")
    admin.menu("messengers", section="settings")
    admin.press_on_card(TELEGRAM, "Activate")
    admin.menu("messengers", section="settings")
    admin.press_on_card(TELEGRAM, "Settings")
    admin.arrives_at("Chats")


def test_both_bots_are_there_as_cards(admin):
    """B-1, B-8: name, kind and counts; a click opens the bot; Create on the cards and in the bot."""
    admin.menu("bots")
    for name, kind in (("Operator Chat", "Operator chat"), ("Client Chat", "Client chat")):
        expect(admin.card(name)).to_contain_text(kind)
        for what in ("Channels", "Conversations", "Senders"):
            expect(admin.card(name)).to_contain_text(re.compile(rf"{what}\s*\d"))
    admin.card("Client Chat").click()
    admin.arrives_at("Client Chat")
    assert admin.form.tabs() == ["Steps", "Channels", "Settings", "Conversations", "Senders"]
    expect(admin.page.get_by_text("Nobody can reach this bot yet")).to_be_visible()
    form = admin.create()
    form.fill("name", "Second shop")
    form.save()
    admin.arrives_at("Second shop")
    admin.menu("bots")
    expect(admin.card("Second shop")).to_contain_text("Client chat")
    admin.card("Operator Chat").click()
    admin.arrives_at("Operator Chat")
    assert "Steps" not in admin.form.tabs()


def test_a_bot_made_in_the_browser_serves_customers(admin, company, bridge, sandbox):
    """B-3, ST-1, ST-3, ST-5, ST-8, SET-5, SET-8, LOG-1, DOC-4: from Add step to the conversation with its contacts."""
    token, username, user = "990001:AAtoken-typed-in-the-browser", "typed_bot", 4_990_001
    sandbox.add_bot(token, username)
    admin.menu("bots")
    admin.card("Client Chat").click()
    admin.arrives_at("Client Chat")
    make_steps(admin)
    make_channel(admin, token)
    company.live()

    customer = sandbox.customer(username, user, "Olha", last_name="Bondar")
    customer.say("/start")
    screen = customer.hears("Which day suits you?")
    assert [[button["text"] for button in row] for row in screen["keyboard"]] == [["Today"]]
    customer.press("Today")
    screen = customer.hears("Come at noon!")
    assert [button["text"] for button in screen["messages"][-1]["inline_keyboard"][0]] == ["Map"]
    customer.say("NOON ")
    customer.hears("Come at noon!", "Come at noon!")
    until(lambda: len(company_lines(company, user)) == 7, "all is in Odoo")

    look_at_conversation(admin)

    admin.menu("bots")
    admin.card("Client Chat").click()
    admin.arrives_at("Client Chat")
    admin.row("Come at noon!").get_by_role("button", name="Edit").click()
    admin.arrives_at("Come at noon!")
    admin.form.edit().write("text", "Come at one!")
    admin.form.save()
    company.live()
    customer.say("noon")
    customer.hears("Come at noon!", "Come at one!")
    assert len(company.read("chatbridge.conversation", [("sender_id.user_ref", "=", str(user))], ["id"])) == 1, "the same conversation went on"


def make_steps(admin):
    """Two steps by *Add step*: a question with an answer, and what the answer leads to."""
    admin.form.press("Add step")
    admin.arrives_below("Client Chat")
    form = admin.form.edit()
    assert form.text("bot_id") == "Client Chat"
    assert "Answers" not in form.tabs(), "a step without buttons has no answers"
    form.write("text", "Come at noon!")
    form.tab("Aliases")
    form.fill("code", "noon", form.add_line("alias_ids"))
    form.tab("Telegram buttons")
    line = form.add_line("inline_button_ids")
    form.fill("name", "Map", line)
    form.fill("url", "https://example.com/map", line)
    form.save()
    admin.arrives_at("Come at noon!")

    admin.back()
    admin.arrives_at("Client Chat")
    admin.form.press("Add step")
    admin.arrives_below("Client Chat")
    form = admin.form.edit()
    form.write("text", "Which day suits you?")
    form.select("kind", "Step with buttons")
    form.tab("Answers")
    line = form.add_line("answer_ids")
    form.fill("name", "Today", line)
    form.choose("next_step_id", "noon", line)
    form.tab("Aliases")
    form.fill("code", "/start", form.add_line("alias_ids"))
    form.press_save()
    assert "The code «/start» leads to the step «Hello! Glad to see you here. What can we do for you?» already" in admin.dialog()
    admin.answer()
    form.fill("code", "day", form.line("alias_ids", "/start"))
    form.save()
    form.tab("Telegram keyboard")
    expect(form.field("keyboard_preview")).to_contain_text("Today")

    admin.back()
    admin.arrives_at("Client Chat")
    admin.row("Glad to see you").get_by_role("button", name="Edit").click()
    admin.arrives_at("Hello!")
    form = admin.form.edit()
    form.choose("next_step_id", "Which day")
    form.save()
    admin.back()
    admin.arrives_at("Client Chat")
    expect(admin.row("Step with buttons")).to_contain_text("Today")


def make_channel(admin, token):
    """A chat with a token, by *Add chat*; the token can't be read on the screen."""
    admin.form.tab("Channels")
    admin.form.press("Add chat")
    admin.arrives_below("Client Chat")
    form = admin.form.edit()
    expect(admin.page.locator("b:visible", has_text="@BotFather")).to_be_visible()
    form.fill("name", "Typed")
    form.fill("token", token)
    assert form.field("token").locator("xpath=descendant-or-self::input").get_attribute("type") == "password"
    form.save()
    assert token not in admin.page.locator(".o_form_view:visible").inner_text()


def company_lines(company, user):
    """The lines of a customer's conversations."""
    return company.read("chatbridge.message", [("conversation_id.sender_id.user_ref", "=", str(user))], ["id"])


def look_at_conversation(admin):
    """Open Conversations, the conversation, its sender, the sender's contacts."""
    admin.menu("conversations")
    admin.cell("Olha Bondar").first.click()
    admin.arrives_at("C0")
    assert admin.form.tabs() == ["Messages"]
    transcript = admin.form.field("transcript")
    expect(transcript).to_contain_text("NOON")
    said = re.findall(r"/start|Hello! Glad|Which day suits you|Today|Come at noon|NOON", transcript.inner_text())
    assert said == ["/start", "Hello! Glad", "Which day suits you", "Today", "Come at noon", "NOON", "Come at noon"]
    assert admin.form.text("channel_id") == "Typed"
    admin.form.follow("sender_id")
    admin.arrives_at("Olha Bondar")
    expect(admin.form.lines("conversation_ids")).to_have_count(1)
    assert admin.form.text("person_id") == "Olha Bondar"
    admin.form.follow("partner_id")
    admin.arrives_at("Telegram:Olha Bondar")


def test_wrong_entries_are_explained(admin, company, shop):
    """ST-3, ST-5: a token twice or misspelt, an address that is none: the form says so in words."""
    admin.menu("chats", section="settings")
    form = admin.create()
    form.fill("name", "Twin")
    form.choose("bot_id", "Client Chat")
    for token, complaint in (("12345", "This is not a Telegram token"), (shop.token, f"The chat «{shop.username}» of the bot")):
        form.fill("token", token)
        form.press_save()
        assert complaint in admin.dialog()
        admin.answer()
    form.fill("token", "990002:AAtoken-of-its-own")
    form.save()
    admin.menu("step_aliases", section="settings")
    admin.row(f"step_{shop.steps['hours']}").get_by_role("button", name="Open step").click()
    admin.arrives_at("9 to 18")
    form = admin.form.edit()
    form.tab("Telegram buttons")
    line = form.add_line("inline_button_ids")
    form.fill("name", "Our shop", line)
    form.fill("url", "example.com", line)
    form.press_save()
    assert "The address of a button begins with https://, http:// or tg://: example.com" in admin.dialog()
    admin.answer()
    form.discard()


def test_the_bridge_shows_itself(admin, company, bridge, shop, customer):
    """SET-6: connected, its version, what waits; the chat's state and last update."""
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    until(lambda: company.read("chatbridge.channel", [("id", "=", shop.channel), ("last_update_at", "!=", False)], ["id"]), "a heartbeat told of it")
    admin.menu("bridge", section="settings")
    admin.arrives_at("Bridge")
    form = admin.form
    expect(form.field("connection")).to_contain_text("Connected")
    assert re.match(r"\d+\.\d+\.\d+", form.text("bridge_version"))
    assert form.text("operations_waiting").isdigit() and form.text("operations_refused") == "0"
    admin.menu("chats", section="settings")
    admin.arrives_at("Chats")  # the bridge's form lists its chats, too
    admin.row(shop.username).first.locator("td", has_text=shop.username).first.click()
    admin.arrives_at(shop.username)
    expect(form.field("state")).to_contain_text("Connected")
    assert form.text("username") == shop.username
    assert form.text("last_update_at")


def test_deleting_and_archiving_ask_first(admin, company):
    """B-1."""
    bot = company.create("chatbridge.bot", name="Short-lived", kind="client")

    def there(active):
        return bool(company.read("chatbridge.bot", [("id", "=", bot), ("active", "=", active)], ["id"]))

    admin.menu("bots")
    admin.card("Short-lived").click()
    admin.arrives_at("Short-lived")
    admin.act("Archive")
    assert "archive" in admin.dialog().lower()
    admin.answer("Cancel")
    assert there(True)
    admin.act("Archive")
    admin.dialog()
    admin.answer()
    until(lambda: there(False), "archived")
    admin.act("Delete")
    assert "Are you sure" in admin.dialog()
    admin.answer()
    until(lambda: not there(False), "deleted")


def test_people_see_what_their_group_allows(browser, odoo, company, shop):
    """No group, no app; a chatbot user sees bots and chats, without tokens, and can't save."""
    person = {"password": "a-long-password", "groups_id" if odoo.installation.series.number == "14" else "group_ids": []}
    employee = company.call("ir.model.data", "search_read", [("module", "=", "base"), ("name", "=", "group_user")], ["res_id"])[0]["res_id"]
    member = company.call("ir.model.data", "search_read", [("module", "=", "chatbridge"), ("name", "=", "group_user")], ["res_id"])[0]["res_id"]
    groups = next(key for key in person if key.startswith("group"))
    company.create("res.users", name="Plain", login="plain", **{**person, groups: [(6, 0, [employee])]})
    company.create("res.users", name="Member", login="member", **{**person, groups: [(6, 0, [employee, member])]})
    window = browser.window()
    plain = WebClient(window, odoo.url, "plain", "a-long-password")
    assert "Chatbot" not in plain.apps()
    window.close()
    window = browser.window()
    client = WebClient(window, odoo.url, "member", "a-long-password")
    client.open_app()
    assert client.sections() == ["Bots", "Conversations", "Senders"]
    client.menu("bots")
    client.card(f"Shop {shop.username.strip('shop_bt')}").click()
    client.arrives_at("Shop")
    assert not client.form.can_save()
    assert not client.page.get_by_role("button", name="Add step").is_visible()
    client.form.tab("Channels")
    client.row(shop.username).first.locator("td", has_text=shop.username).first.click()
    client.window.settle()
    shown = client.page.locator("body").inner_text()
    assert shop.username in shown and "Telegram token" not in shown and shop.token not in client.page.content()
    assert not window.troubles
    window.close()
