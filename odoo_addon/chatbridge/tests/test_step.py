from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from .common import BridgeCase


@tagged("post_install", "-at_install")
class TestStep(BridgeCase):
    """Steps with their aliases, answers and buttons."""

    def new_step(self, **vals):
        return self.env["chatbridge.step"].create(dict({"bot_id": self.bot.id, "text": "A step"}, **vals))

    def test_text_step(self):  # ST-TXT, ST-1
        step = self.new_step(
            text="<p>First <b>words</b> of a rather long text that goes on and on, far beyond a name</p>",
            next_step_id=self.step.id,
        )
        self.assertEqual(step.kind, "text")
        self.assertEqual(step.name, "First words of a rather long text that goes on and on, far…")
        self.assertEqual(self.bot.step_ids[-1], step)

    def test_text_is_sanitised_in_each_language(self):  # ST-2
        step = self.new_step(text="<p>Hi<script>alert(1)</script></p>")
        self.assertEqual(step.text, "<p>Hi</p>")
        step.text = '<p onclick="x()">Hi</p>'
        self.assertEqual(step.text, "<p>Hi</p>")

    def test_languages_are_independent(self):  # ST-2
        self.env["res.lang"].with_context(active_test=False).search([("code", "=", "uk_UA")]).active = True
        step = self.new_step(text="<p>Good day</p>")
        step.with_context(lang="uk_UA").text = "<p>Добрий день</p>"
        step.with_context(lang="en_US").text = "<p>Good morning</p>"
        self.assertEqual(step.with_context(lang="uk_UA").text, "<p>Добрий день</p>")
        self.assertEqual(step.with_context(lang="uk_UA").name, "Добрий день")

    def test_steps_are_found_by_text_and_alias(self):  # ST-1
        step = self.new_step(text="Prices of everything", alias_ids=[(0, 0, {"code": "tariff"})])
        search = self.env["chatbridge.step"].name_search
        self.assertEqual([id_ for id_, _name in search("everything")], step.ids)
        self.assertEqual([id_ for id_, _name in search("tariff")], step.ids)

    def test_next_step_is_of_the_same_bot(self):  # ST-1
        other = self.env["chatbridge.bot"].create({"name": "Other"})
        with self.assertRaises(ValidationError):
            self.new_step(bot_id=other.id, next_step_id=self.step.id)

    def test_operator_chats_have_no_steps(self):
        with self.assertRaises(ValidationError):
            self.new_step(bot_id=self.env.ref("chatbridge.bot_operator").id)

    def test_each_step_has_a_stable_code(self):  # ST-3
        step = self.new_step()
        self.assertEqual(step.alias_ids.mapped("code"), ["step_%d" % step.id])
        step.text = "Changed"
        self.assertEqual(step.alias_ids.mapped("code"), ["step_%d" % step.id])
        with self.assertRaises(UserError):
            step.alias_ids.unlink()
        with self.assertRaises(UserError):
            step.alias_ids.code = "other"

    def test_aliases_are_unique_in_a_bot(self):  # ST-3
        step = self.new_step(alias_ids=[(0, 0, {"code": " Price "})])
        self.assertEqual(step.alias_ids.filtered(lambda alias: alias.kind == "manual").code_key, "price")
        for code in ("price", "PRICE", "  price"):
            with self.assertRaisesRegex(ValidationError, "A step"), self.env.cr.savepoint():
                self.new_step(alias_ids=[(0, 0, {"code": code})])
        other = self.env["chatbridge.bot"].create({"name": "Other"})
        self.new_step(bot_id=other.id, alias_ids=[(0, 0, {"code": "price"})])

    def test_start_marks_the_first_step(self):  # ST-3
        self.assertTrue(self.step.first)
        step = self.new_step()
        self.assertFalse(step.first)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            step.write({"alias_ids": [(0, 0, {"code": "/START"})]})
        self.step.alias_ids.filtered(lambda alias: alias.kind == "manual").unlink()
        step.write({"alias_ids": [(0, 0, {"code": "/START"})]})
        self.assertTrue(step.first)
        self.assertFalse(self.step.first)

    def test_answers_fill_the_keyboard(self):  # ST-5
        step = self.new_step(kind="buttons", answer_ids=[(0, 0, {"name": "Yes"}), (0, 0, {"name": "No"})])
        buttons = step.keyboard_button_ids.sorted("row")
        self.assertEqual(buttons.mapped("label"), ["Yes", "No"])
        self.assertEqual(buttons.mapped("row"), [1, 2])
        step.write({"keyboard_button_ids": [(0, 0, {"name": "Help", "row": 2})]})
        step.write({"answer_ids": [(0, 0, {"name": "Maybe"})]})
        self.assertEqual(step.keyboard_button_ids.filtered(lambda button: button.label == "Maybe").row, 3)
        self.assertIn("Maybe", step.keyboard_preview)
        step.answer_ids[0].unlink()
        self.assertEqual(set(step.keyboard_button_ids.exists().mapped("label")), {"No", "Help", "Maybe"})

    def test_keyboard_buttons_need_content(self):  # ST-5
        step = self.new_step(kind="buttons")
        with self.assertRaises(ValidationError):
            step.write({"keyboard_button_ids": [(0, 0, {"row": 1})]})

    def test_inline_buttons(self):  # ST-5
        for vals in (
            {"url": "ftp://x.example"},
            {"url": "javascript:alert(1)"},
            {"url": "https://x.example", "next_step_id": self.step.id},
        ):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.new_step(inline_button_ids=[(0, 0, dict(vals, name="Button"))])
        for url in ("https://x.example/a?b=1", "HTTP://x.example", "tg://resolve?domain=x"):
            self.new_step(inline_button_ids=[(0, 0, {"name": "Button", "url": url})])

    def test_copy_brings_answers_and_buttons(self):
        step = self.new_step(
            kind="buttons",
            answer_ids=[(0, 0, {"name": "Yes", "next_step_id": self.step.id})],
            inline_button_ids=[(0, 0, {"name": "B", "url": "https://b.example"})],
        )
        step.keyboard_button_ids.row = 4
        duplicate = step.copy()
        self.assertEqual(duplicate.answer_ids.next_step_id, self.step)
        self.assertEqual(
            (duplicate.keyboard_button_ids.answer_id, duplicate.keyboard_button_ids.row), (duplicate.answer_ids, 4)
        )
        self.assertEqual(duplicate.inline_button_ids.url, "https://b.example")
        self.assertEqual(duplicate.alias_ids.mapped("kind"), ["auto"])

    def test_form_of_a_new_step(self):  # ST-1
        model = (
            self.env["chatbridge.step"].with_user(self.user("administrator")).with_context(default_bot_id=self.bot.id)
        )
        with Form(model) as form:
            self.assertEqual(form.bot_id, self.bot)
            form.kind = "buttons"
            form.text = "<p>Choose</p>"
            with form.answer_ids.new() as answer:
                answer.name = "Yes"
                answer.next_step_id = self.step
            with form.alias_ids.new() as alias:
                alias.code = "choose"
        step = form.save()
        self.assertEqual(step.keyboard_button_ids.label, "Yes")
        self.assertEqual(set(step.alias_ids.mapped("kind")), {"auto", "manual"})

    def test_a_step_to_an_operator(self):  # ST-OP
        desk = self.env.ref("chatbridge.bot_operator")
        model = self.env["chatbridge.step"].with_user(self.user("administrator"))
        with Form(model.with_context(default_bot_id=self.bot.id)) as form:
            form.kind = "operator"
            self.assertEqual(form.operator_bot_id, desk)
            self.assertTrue(form.nobody_joined)
            form.no_operator_step_id = self.step
            form.next_step_id = self.step
        step = form.save()
        self.assertEqual((step.name, step.operator_chat), ("To operator: Operator Chat", "Operator Chat"))
        self.assertEqual((step.no_operator_step_id, step.next_step_id), (self.step, self.step))
        step.text = "<p>One moment</p>"
        self.assertEqual(step.name, "One moment")

    def test_a_step_to_an_operator_needs_an_operator_chat(self):  # ST-OP
        for chat in (False, self.bot.id):
            with self.assertRaisesRegex(ValidationError, "operator chat"), self.env.cr.savepoint():
                self.new_step(kind="operator", operator_bot_id=chat)
        other = self.env["chatbridge.bot"].create({"name": "Other"})
        foreign = self.new_step(bot_id=other.id)
        with self.assertRaisesRegex(ValidationError, "same bot"):
            self.new_step(kind="operator", no_operator_step_id=foreign.id)

    def test_other_steps_know_no_operators(self):  # ST-OP
        step = self.new_step()
        self.assertEqual((step.operator_chat, step.nobody_joined), (False, False))
