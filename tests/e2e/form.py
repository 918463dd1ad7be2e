"""A form of Odoo's web client, alike on every series."""

import re

from browser import Window
from playwright.sync_api import Locator, expect

FORM = ".o_action_manager .o_form_view:visible"


class Form:
    """The open form; fields by their technical names, what a person presses by its label."""

    def __init__(self, window: Window):
        self.window, self.page = window, window.page

    def field(self, name: str, within: Locator = None) -> Locator:
        """A field's widget."""
        return (within or self.page.locator(FORM)).locator(f".o_field_widget[name='{name}']:visible").first

    def text(self, name: str) -> str:
        """What a field shows."""
        widget = self.field(name)
        box = self._box(widget)
        return (box.input_value() if box.count() else widget.inner_text()).strip()

    @staticmethod
    def _box(widget: Locator) -> Locator:
        """What one types into: older series put the name on the very input."""
        return widget.locator("xpath=descendant-or-self::*[self::input or self::textarea]").first

    def edit(self) -> "Form":
        """Make the form editable where it is not yet (until 15.0)."""
        button = self.page.locator(".o_form_button_edit:visible")
        if button.count():
            button.click()
            self.window.settle()
        self.page.wait_for_selector(".o_form_editable:visible")
        return self

    # Fields

    def fill(self, name: str, text: str, within: Locator = None) -> "Form":
        """Type into a field."""
        box = self._box(self.field(name, within))
        box.fill(text)
        box.press("Tab")
        self.window.settle()
        return self

    def write(self, name: str, text: str) -> "Form":
        """Type into a field with formatting, in place of what was there."""
        area = self.field(name).locator("[contenteditable=true]").first
        area.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)
        expect(area).to_contain_text(text)
        return self

    def choose(self, name: str, text: str, within: Locator = None) -> "Form":
        """Type a part of a record's name and take the record."""
        box = self._box(self.field(name, within))
        box.click()
        box.press("Control+A")
        box.press_sequentially(text)
        self.page.locator(":is(.ui-autocomplete .ui-menu-item, .o-autocomplete--dropdown-item):visible", has_text=text).first.click()
        expect(box).to_have_value(re.compile(re.escape(text)))
        return self

    def select(self, name: str, label: str) -> "Form":
        """Take one of a selection."""
        widget = self.field(name)
        if widget.evaluate("node => node.tagName") == "SELECT":
            widget.select_option(label=label)
        else:
            self._box(widget).click()
            self.page.locator(".o_select_menu_item:visible", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")).click()
        return self

    def tick(self, name: str, on: bool) -> "Form":
        """Set a box."""
        box = self.field(name).locator("input[type=checkbox]")
        if box.is_checked() != on:
            box.evaluate("node => node.click()")
        expect(box).to_be_checked(checked=on)
        return self

    def follow(self, name: str):
        """Go to the record that a field shows."""
        widget = self.field(name)
        link = widget.locator("xpath=descendant-or-self::a")
        if link.count():
            link.first.click()
        else:
            widget.hover()
            widget.locator(".o_external_button").click()
        self.window.settle()

    # Pages and lines

    def tabs(self) -> list:
        """The names of the tabs."""
        return [name.strip() for name in self.page.locator(f"{FORM} .o_notebook .nav-link:visible").all_inner_texts()]

    def tab(self, name: str) -> "Form":
        """Turn to a tab."""
        link = self.page.locator(f"{FORM} .o_notebook .nav-link:visible", has_text=re.compile(rf"^\s*{re.escape(name)}\s*$"))
        link.click()
        expect(link).to_have_class(re.compile(r"\bactive\b"))
        return self

    def add_line(self, field: str) -> Locator:
        """Add a line to a list in the form; return it, open for typing."""
        self.field(field).locator(".o_field_x2many_list_row_add a").click()
        return self.line(field)

    def line(self, field: str, text: str = "") -> Locator:
        """The line that is open for typing; after opening the one with this text, if none is."""
        if text and not self.field(field).locator(".o_selected_row").count():
            self.lines(field).filter(has_text=text).locator("td", has_text=text).first.click()
        line = self.field(field).locator(".o_selected_row")
        expect(line).to_be_visible()
        return line

    def lines(self, field: str) -> Locator:
        """The lines of a list in the form."""
        return self.field(field).locator(".o_data_row")

    # Buttons

    def press(self, label: str):
        """Press a button in the form."""
        self.page.locator(f"{FORM} button:visible", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")).first.click()
        self.window.settle()

    def can_save(self) -> bool:
        """Tell whether the form offers to save (or to edit, where one has to ask for that)."""
        return self.page.locator(":is(.o_form_button_save, .o_form_button_edit):visible").count() > 0

    def press_save(self):
        """Ask to save, whatever comes of it."""
        self.page.click(".o_form_button_save:visible")
        self.window.settle()

    def save(self) -> "Form":
        """Save, and wait until it is."""
        self.press_save()
        saved = ".o_form_view.o_form_readonly:visible, .o_form_status_indicator_buttons.invisible"
        self.page.wait_for_selector(f"{saved}, .modal:visible", state="attached")
        assert not self.page.locator(".modal:visible").count(), self.page.locator(".modal:visible").inner_text()
        return self

    def discard(self) -> "Form":
        """Give up what was typed."""
        self.page.click(".o_form_button_cancel:visible")
        self.window.settle()
        return self
