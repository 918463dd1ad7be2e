"""Chat windows of Odoo's web client as an operator uses them, alike on every series."""

import re

from playwright.sync_api import Locator, expect
from web_client import WebClient

WINDOW = ":is(.o_ChatWindow, .o-mail-ChatWindow)"
HEADER = ":is(.o_ChatWindow_header, .o-mail-ChatWindow-header)"
MESSAGE = ":is(.o_Message, .o-mail-Message)"
BODY = ":is(.o_Message_content, .o-mail-Message-body)"
COMPOSER = ":is(.o_ComposerTextInput_textarea, .o-mail-Composer-input)"
OFFERED = ":is(.o_ComposerSuggestion, .o-mail-Composer-suggestion):visible"


class ChatWindow:
    """One customer's chat window in an operator's web client."""

    def __init__(self, client: WebClient, customer: str):
        self.client, self.page = client, client.page
        self.box = self.page.locator(WINDOW, has=self.page.locator(HEADER, has_text=customer))

    def pops_up(self) -> "ChatWindow":
        """Wait until it is there, with nobody having reloaded or pressed anything."""
        expect(self.box.first).to_be_visible()
        return self

    def is_absent(self):
        """It is not there."""
        expect(self.box).to_have_count(0)

    def messages(self) -> Locator:
        """The words in it."""
        return self.box.locator(MESSAGE).locator(BODY)

    def shows(self, text: str) -> "ChatWindow":
        """Wait until these words stand in it."""
        expect(self.messages().filter(has_text=re.compile(re.escape(text))).first).to_be_visible()
        return self

    def say(self, text: str):
        """Type and send. Where a command is offered while typed, the first Enter takes it."""
        box = self.box.locator(COMPOSER).first
        box.click()
        box.press_sequentially(text)
        if text.startswith("/"):
            expect(self.page.locator(OFFERED).first).to_be_visible()
            box.press("Enter")
            expect(box).to_have_value(f"{text} ")
        box.press("Enter")
        expect(box).to_have_value("")
