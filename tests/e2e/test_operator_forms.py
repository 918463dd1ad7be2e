"""The forms of operators, their chats and their customers in a real browser. No bridge: Odoo is told what one would tell it."""

import re
import uuid

import pytest
from company import PASSWORD
from playwright.sync_api import expect
from web_client import WebClient
from world import until


@pytest.fixture(scope="module")
def admin_window(browser, odoo, company):
    """The admin's window, logged in once."""
    return WebClient(browser.window(), odoo.url, "admin", "admin")


@pytest.fixture
def admin(admin_window):
    """The admin in our app; no script may have failed when the test ends."""
    admin_window.page.goto(f"{admin_window.url}/web")
    admin_window.open_app()
    yield admin_window
    assert not admin_window.window.troubles


class Words:
    """What a bridge tells Odoo."""

    def __init__(self, company):
        self.bridge = company.odoo.rpc("chatbridge", PASSWORD)
        hello = {"protocol": 2, "bridge_version": "0.1.0", "instance": "i", "store_id": "s", "nudge_secret": "00", "clock": "2026-11-22T19:00:00Z"}
        generation = self.bridge.call("chatbridge.bridge", "handshake", hello)["generation"]
        self.claim = {"store_id": "s", "generation": generation}

    def tell(self, type_, **fields):
        """Tell one thing."""
        operation = {"key": uuid.uuid4().hex[:26], "type": type_, "at": "2026-11-22T19:00:00Z", **fields}
        (answer,) = self.bridge.call("chatbridge.bridge", "apply", self.claim, [operation])
        assert "ok" in answer, answer

    def customer(self, channel, user, name, opened=True):
        """Somebody writes in a chat."""
        self.tell("sender", channel=channel, user=user, chat=user, first_name=name)
        if opened:
            self.tell("conversation.open", conversation=f"conversation-{user}", channel=channel, user=user, chat=user)


@pytest.fixture(scope="module")
def words(company):
    """What a bridge would tell."""
    return Words(company)


@pytest.fixture(scope="module")
def olena(company):
    """A colleague who may be an operator."""
    groups = "groups_id" if company.odoo.installation.series.number == "14" else "group_ids"
    names = [("base", "group_user"), ("chatbridge", "group_operator")]
    ids = [company.read("ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"])[0]["res_id"] for module, name in names]
    return company.create("res.users", name="Olena Melnyk", login="olena", password="a-long-password", **{groups: [(6, 0, ids)]})


def make_bot(admin, name, kind):
    """A new bot of a kind, by *Create* on the cards."""
    admin.menu("bots")
    form = admin.create()
    form.fill("name", name)
    form.field("kind").get_by_text(kind, exact=True).click()
    form.save()
    admin.arrives_at(name)
    return form


def test_an_operator_chat_from_nothing(admin, company, olena):
    """B-1, B-2, B-SET-2, B-SET-3, B-SET-5..11, OP-1, OP-16: a new operator chat, its settings, its operators; one joins by one click."""
    form = make_bot(admin, "Night desk", "Operator chat")
    assert form.tabs() == ["Channels", "Settings", "Conversations", "Senders", "Operators"]
    expect(admin.page.get_by_text("This chat has no operators yet")).to_be_visible()
    live_chat = form.lines("channel_ids").filter(has_text="Odoo live chat")
    expect(live_chat).to_have_count(1)
    expect(live_chat.locator("button[name=action_delete]:visible")).to_have_count(0)

    form.edit().tab("Settings")
    form.fill("most_parallel_chats", "3")
    form.tick("odoo_operators_only", True)
    for name in ("moderation", "approved", "rejected", "operator_connected", "how_to_end", "no_operator", "consultation_ended"):
        assert form.text(f"{name}_message"), name
    form.fill("moderation_message", "Wait, please")
    form.tab("Operators")
    form.field("operator_ids").locator(".o_field_x2many_list_row_add a").click()
    dialog = admin.page.locator(".modal:visible")
    form.choose("user_id", "Olena", dialog)
    admin.answer("Save & Close")
    form.save()
    expect(form.lines("operator_ids").filter(has_text="Olena Melnyk")).to_contain_text(re.compile(r"Odoo live chat.*Offline", re.S))
    expect(admin.page.get_by_text("This chat has no operators yet")).not_to_be_visible()
    (bot,) = company.read("chatbridge.bot", [("name", "=", "Night desk")], ["most_parallel_chats", "odoo_operators_only", "moderation_message"])
    assert (bot["most_parallel_chats"], bot["odoo_operators_only"], bot["moderation_message"]) == (3, True, "Wait, please")

    form.press("Join")
    expect(form.lines("operator_ids")).to_have_count(2)
    expect(form.lines("operator_ids").filter(has_text="Online")).to_have_count(1)
    admin.menu("bots")
    expect(admin.card("Night desk")).to_contain_text(re.compile(r"Operators\s*2"))
    admin.press_on_card("Night desk", "Leave")
    expect(admin.card("Night desk")).to_contain_text(re.compile(r"Operators\s*1"))
    admin.menu("bots")  # 14 takes a second click on the same card for a double one
    admin.press_on_card("Night desk", "Join")
    expect(admin.card("Night desk")).to_contain_text(re.compile(r"Operators\s*2"))


def test_a_client_chat_that_hands_over(admin, company):
    """B-2, B-3, ST-OP, ST-8: a client chat with a token, a step To operator with a way out; the step says that nobody would answer."""
    make_bot(admin, "Empty desk", "Operator chat")
    form = make_bot(admin, "Day shop", "Client chat")
    form.tab("Settings")
    for name in ("odoo_operators_only", "most_parallel_chats", "moderation_message"):
        expect(form.field(name)).not_to_be_visible()
    assert form.text("how_to_end_message")
    form.tab("Channels")
    form.press("Add chat")
    admin.arrives_below("Day shop")
    form = admin.form.edit()
    form.fill("name", "Day shop on Telegram")
    form.fill("token", "880001:AAtoken-typed")
    form.save()
    admin.back()
    admin.arrives_at("Day shop")

    add_step(admin, "Nobody is here: leave us your question.")
    add_step(admin, "Thank you for asking!")
    admin.form.tab("Steps")
    admin.form.press("Add step")
    admin.arrives_below("Day shop")
    form = admin.form.edit()
    expect(form.field("no_operator_step_id")).to_have_count(0)
    form.select("kind", "To operator")
    form.choose("operator_bot_id", "Empty desk")
    expect(admin.page.get_by_text("has no operators yet: nobody would answer")).to_be_visible()
    form.choose("no_operator_step_id", "Nobody is here")
    form.choose("next_step_id", "Thank you")
    form.tab("Aliases")
    form.fill("code", "/start", form.add_line("alias_ids"))
    form.save()
    admin.arrives_at("To operator: Empty desk")
    admin.back()
    admin.arrives_at("Day shop")
    expect(admin.row("To operator: Empty desk")).to_contain_text(re.compile(r"Empty desk.*Nobody is here.*Thank you", re.S))
    expect(admin.page.get_by_text("that nobody has joined")).to_contain_text("Empty desk")
    (step,) = company.read("chatbridge.step", [("kind", "=", "operator")], ["operator_bot_id", "no_operator_step_id", "first"])
    assert (step["operator_bot_id"][1], step["first"]) == ("Empty desk", True)
    assert step["no_operator_step_id"]

    admin.menu("bots")
    admin.press_on_card("Empty desk", "Join")
    admin.card("Day shop").click()
    admin.arrives_at("Day shop")
    expect(admin.page.get_by_text("that nobody has joined")).not_to_be_visible()


def add_step(admin, text):
    """A text step by *Add step*."""
    admin.form.tab("Steps")
    admin.form.press("Add step")
    admin.arrives_below("Day shop")
    admin.form.edit().write("text", text)
    admin.form.save()
    admin.back()
    admin.arrives_at("Day shop")


def test_a_chat_moves_to_another_bot(admin, company):
    """B-2: *Join channel* warns, then moves a chat that exists; a chat is deleted after a question."""
    telegram = company.read("chatbridge.messenger", [("code", "=", "telegram")], ["id"])[0]["id"]
    shop = company.create("chatbridge.bot", name="Old owner", kind="client")
    channel = company.create("chatbridge.channel", name="Wandering", bot_id=shop, messenger_id=telegram, token="880002:AAtoken")
    form = make_bot(admin, "New owner", "Operator chat")
    form.press("Join channel")
    admin.dialog()
    dialog = admin.page.locator(".modal:visible")
    expect(dialog.get_by_text("This chat belongs to another bot")).not_to_be_visible()
    form.choose("channel_id", "Wandering", dialog)
    expect(dialog.get_by_text("This chat belongs to another bot")).to_be_visible()
    expect(form.field("from_bot_id", dialog)).to_contain_text("Old owner")
    admin.answer("Join channel")
    line = form.lines("channel_ids").filter(has_text="Wandering")
    expect(line).to_have_count(1)
    assert company.read("chatbridge.channel", [("id", "=", channel)], ["bot_id"])[0]["bot_id"][1] == "New owner"
    line.locator("button[name=action_open]").click()
    admin.arrives_at("Wandering")
    assert admin.form.text("bot_id") == "New owner"
    admin.back()
    admin.arrives_at("New owner")
    form.lines("channel_ids").filter(has_text="Wandering").locator("button[name=action_delete]").click()
    assert "Delete this chat?" in admin.dialog()
    admin.answer()
    expect(form.lines("channel_ids").filter(has_text="Wandering")).to_have_count(0)
    expect(form.lines("channel_ids")).to_have_count(1)


def test_senders_are_approved_and_rejected(admin, company, words):
    """B-5, B-SET-2: Approve and Reject on the Senders tab of an operator chat, the state shown; no Approve with *Odoo operators only*."""
    telegram = company.read("chatbridge.messenger", [("code", "=", "telegram")], ["id"])[0]["id"]
    desk = company.create("chatbridge.bot", name="Phone desk", kind="operator")
    channel = company.create("chatbridge.channel", name="Phone desk", bot_id=desk, messenger_id=telegram, token="880003:AAtoken")
    words.customer(channel, "501", "Stepan", opened=False)
    admin.menu("bots")
    admin.card("Phone desk").click()
    admin.arrives_at("Phone desk")
    form = admin.form
    form.tab("Senders")
    line = form.lines("recent_membership_ids").filter(has_text="Stepan")
    expect(line).to_contain_text("Telegram")
    line.locator("button[name=action_approve]:visible").click()
    expect(line).to_contain_text("Was approved")
    expect(line.locator("button[name=action_approve]:visible")).to_have_count(0)
    line.locator("button[name=action_reject]:visible").click()
    expect(line).to_contain_text("Was rejected")
    expect(line.locator("button[name=action_reject]:visible")).to_have_count(0)
    expect(line.locator("button[name=action_approve]:visible")).to_have_count(1)
    form.edit().tab("Settings")
    form.tick("odoo_operators_only", True)
    form.save()
    form.tab("Senders")
    expect(line.locator("button[name=action_approve]:visible")).to_have_count(0)
    admin.menu("bots")
    admin.card("Client Chat").click()
    admin.arrives_at("Client Chat")
    assert "Operators" not in admin.form.tabs()


def test_conversations_and_their_buttons(admin, company, words):
    """B-6: Live chat beside each conversation, the delete icon only where it has ended; deleting asks first."""
    telegram = company.read("chatbridge.messenger", [("code", "=", "telegram")], ["id"])[0]["id"]
    shop = company.create("chatbridge.bot", name="Talking shop", kind="client")
    channel = company.create("chatbridge.channel", name="Talking", bot_id=shop, messenger_id=telegram, token="880004:AAtoken")
    words.customer(channel, "601", "Mariia")
    words.customer(channel, "602", "Danylo")
    words.tell("conversation.close", conversation="conversation-602", reason="silence")
    admin.menu("conversations")
    for name, deletes in (("Mariia", 0), ("Danylo", 1)):
        expect(admin.row(name).locator("button[name=action_live_chat]:visible")).to_have_count(1)
        expect(admin.row(name).locator("button[name=action_delete]:visible")).to_have_count(deletes)
    admin.row("Danylo").locator("button[name=action_delete]").click()
    assert "deleted with all its messages" in admin.dialog()
    admin.answer("Cancel")
    expect(admin.row("Danylo")).to_have_count(1)
    admin.row("Danylo").locator("button[name=action_delete]").click()
    assert "Danylo" in admin.dialog()
    admin.answer("Delete")
    expect(admin.row("Danylo")).to_have_count(0)
    expect(admin.row("Mariia")).to_have_count(1)
    until(lambda: len(company.read("chatbridge.conversation", [("bot_id", "=", shop)], ["id"])) == 1, "it is gone from the database")
    admin.menu("bots")
    admin.card("Talking shop").click()
    admin.arrives_at("Talking shop")
    admin.form.tab("Conversations")
    expect(admin.form.lines("recent_conversation_ids")).to_have_count(1)
    expect(admin.form.lines("recent_conversation_ids").locator("button[name=action_live_chat]:visible")).to_have_count(1)


def test_an_operator_joins_and_sees_no_settings(browser, odoo, company, olena):
    """OP-1: an operator finds Join on the cards and nothing that only administrators may do."""
    company.create("chatbridge.bot", name="Open desk", kind="operator")
    window = browser.window()
    client = WebClient(window, odoo.url, "olena", "a-long-password")
    client.open_app()
    client.menu("bots")
    client.press_on_card("Open desk", "Join")
    expect(client.card("Open desk")).to_contain_text(re.compile(r"Operators\s*1"))
    expect(client.card("Open desk").get_by_role("button", name="Leave")).to_be_visible()
    client.menu("bots")
    client.card("Open desk").click()
    client.arrives_at("Open desk")
    for name in ("Add chat", "Join channel"):
        expect(client.page.get_by_role("button", name=name)).to_have_count(0)
    assert not client.form.can_save()
    client.form.tab("Operators")
    expect(client.form.lines("operator_ids").filter(has_text="Olena Melnyk")).to_contain_text("Online")
    client.form.press("Leave")
    expect(client.form.lines("operator_ids")).to_have_count(0)
    assert not window.troubles
    window.close()
