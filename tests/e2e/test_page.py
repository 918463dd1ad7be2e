"""X-1: the chat page of the sandbox in a real browser, with a bridge behind it: what `make demo` shows."""

import re

import pytest
from playwright.sync_api import expect
from test_dialog import MENU

WELCOME = "Welcome, Anna Koval!"


class Chat:
    """One customer's window."""

    def __init__(self, window, sandbox, customer):
        self.window, self.page = window, window.page
        self.page.goto(f"{sandbox.url}/?bot={customer.bot}&user={customer.user}")

    def start(self) -> "Chat":
        """Press *Start*."""
        self.page.get_by_test_id("start").click()
        return self

    def write(self, text: str):
        """Write and send."""
        self.page.get_by_test_id("message-input").fill(text)
        self.page.get_by_test_id("send").click()

    def press(self, text: str):
        """Press a button of the keyboard."""
        self.page.get_by_test_id("keyboard").get_by_role("button", name=text, exact=True).click()

    def keyboard(self) -> list:
        """The buttons of the keyboard."""
        return self.page.get_by_test_id("keyboard-button").all_inner_texts()

    def shows(self, *texts: str):
        """Wait until exactly these bubbles are there, in this order."""
        expect(self.page.get_by_test_id("message").locator(".text")).to_contain_text([re.compile("^" + re.escape(text)) for text in texts])
        expect(self.page.get_by_test_id("message")).to_have_count(len(texts))

    def close(self):
        """Close the window; no script may have failed."""
        assert not self.window.troubles
        self.window.close()


@pytest.fixture
def open_chat(browser, sandbox):
    """Opens windows for customers."""
    chats = []

    def open_chat(customer, **more):
        chats.append(Chat(browser.window(**more), sandbox, customer))
        return chats[-1]

    yield open_chat
    for chat in chats:
        chat.close()


def test_a_customer_talks_on_the_page(bridge, company, shop, customer, open_chat):
    """Start, keyboard, a button under a message, writing: each answer appears by itself."""
    chat = open_chat(customer)
    expect(chat.page.get_by_text("Press Start to begin this chat.")).to_be_visible()
    chat.start().shows("/start", WELCOME, MENU)
    assert chat.keyboard() == ["Prices", "Hours"]
    chat.press("Prices")
    chat.shows("/start", WELCOME, MENU, "Prices", "Everything costs 5 €.")
    expect(chat.page.get_by_test_id("message").last.locator("b")).to_have_text("5 €")
    chat.write("/start")
    talk = ["/start", WELCOME, MENU, "Prices", "Everything costs 5 €.", "/start", WELCOME, MENU]
    chat.shows(*talk)
    chat.press("Hours")
    chat.shows(*talk, "Hours", "9 to 18")
    chat.page.get_by_test_id("message").last.get_by_role("button", name="Back").click()
    chat.shows(*talk, "Hours", "9 to 18", MENU)
    expect(chat.page.locator(".inline-button.waiting")).to_have_count(0)
    chat.page.reload()
    chat.shows(*talk, "Hours", "9 to 18", MENU)


def test_two_customers_talk_side_by_side(bridge, company, shop, customer, make_customer, open_chat):
    """Each sees their own chat alone; a phone's narrow window serves as well; an unread answer is counted in the list of people."""
    other = make_customer("Petro")
    one, two = open_chat(customer), open_chat(other, width=390, height=780)
    one.start()
    two.start()
    one.shows("/start", WELCOME, MENU)
    two.shows("/start", "Welcome, Petro!", MENU)
    two.press("Hours")
    one.press("Prices")
    two.shows("/start", "Welcome, Petro!", MENU, "Hours", "9 to 18")
    one.shows("/start", WELCOME, MENU, "Prices", "Everything costs 5 €.")
    person = one.page.locator(f".customer[data-user='{other.user}']")
    expect(person.locator(".last")).to_have_text("9 to 18")
    expect(person.locator(".unread")).not_to_be_empty()
    person.click()
    one.shows("/start", "Welcome, Petro!", MENU, "Hours", "9 to 18")
    expect(person.locator(".unread")).to_have_count(0)


def test_the_page_speaks_ukrainian(bridge, company, shop, customer, open_chat):
    """The page follows the browser's language."""
    chat = open_chat(customer, language="uk-UA")
    expect(chat.page.get_by_test_id("start")).to_have_text("Почати")
    chat.start().shows("/start", WELCOME, MENU)
    expect(chat.page.get_by_test_id("message-input")).to_have_attribute("placeholder", "Повідомлення")
