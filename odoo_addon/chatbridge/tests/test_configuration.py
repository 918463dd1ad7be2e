from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import TOKEN, BridgeCase


@tagged("post_install", "-at_install")
class TestConfiguration(BridgeCase):
    """What the bridge is told of bots, and that it hears of every change."""

    def setUp(self):
        super().setUp()
        self.connect()
        self.take_events()

    def configured(self, bot=None):
        """Return what the bridge gets to know of a bot, or None."""
        bots = self.bridge.configuration(self.claim, {})["bots"]
        return next((found for found in bots if found["id"] == (bot or self.bot).id), None)

    def assertHeard(self, work, bots=None):
        """Run a change; exactly one event names the bots, and the hash differs."""
        work()
        self.assertEqual(self.take_events(), [sorted((bots or self.bot).ids)])

    def test_bot_with_settings_channels_and_steps(self):  # B-SET-4, B-SET-15
        found = self.configured()
        self.assertEqual(
            (found["name"], found["kind"], found["company"]), ("Client Chat", "client", self.env.company.id)
        )
        self.assertTrue(found["wait_for_start"])
        self.assertTrue(found["create_partner"])
        self.assertEqual(found["texts"]["not_started"]["en_US"], "Press /start to talk.")
        self.assertEqual(
            found["channels"],
            [
                {
                    "id": self.channel.id,
                    "messenger": "telegram",
                    "telegram_bot": "123456789",
                    "username": None,
                    "token": TOKEN,
                    "send_operator_name": False,
                    "join_message": True,
                    "end_message": True,
                    "webhook_url": None,
                }
            ],
        )
        (step,) = found["steps"]
        self.assertEqual((step["id"], step["kind"], step["first"], step["next"]), (self.step.id, "text", True, None))
        self.assertIn("/start", step["aliases"])
        self.assertIn("Hello", step["text"]["en_US"])

    def test_only_what_differs_is_sent(self):
        bots = self.bridge.configuration(self.claim, {})
        known = {str(bot["id"]): bot["hash"] for bot in bots["bots"]}
        self.assertEqual(self.bridge.configuration(self.claim, known), {"bot_ids": bots["bot_ids"], "bots": []})
        self.bot.wait_for_start = False
        changed = self.bridge.configuration(self.claim, known)["bots"]
        self.assertEqual([(bot["id"], bot["wait_for_start"]) for bot in changed], [(self.bot.id, False)])

    def test_keyboard_and_buttons_by_rows(self):  # ST-5
        step = self.env["chatbridge.step"].create(
            {
                "bot_id": self.bot.id,
                "kind": "buttons",
                "text": "Choose",
                "answer_ids": [(0, 0, {"name": "Yes", "next_step_id": self.step.id}), (0, 0, {"name": "No"})],
                "inline_button_ids": [
                    (0, 0, {"name": "Site", "url": "https://example.com"}),
                    (0, 0, {"name": "Back", "next_step_id": self.step.id}),
                ],
            }
        )
        step.keyboard_button_ids.write({"row": 1})
        found = self.configured()["steps"][1]
        self.assertEqual([[button["text"]["en_US"] for button in row] for row in found["keyboard"]], [["Yes", "No"]])
        self.assertEqual([button["step"] for button in found["keyboard"][0]], [self.step.id, None])
        self.assertEqual(
            [(b["url"], b["step"]) for b in found["buttons"][0]], [("https://example.com", None), (None, self.step.id)]
        )
        step.kind = "text"
        self.assertEqual(self.configured()["steps"][1]["keyboard"], [])

    def test_empty_text_is_absent(self):
        self.bot.not_started_message = False
        self.assertEqual(self.configured()["texts"]["not_started"], {})

    def test_channels_that_are_off_are_left_out(self):
        self.assertHeard(self.telegram.action_switch_off)
        self.assertEqual(self.configured()["channels"], [])
        self.assertHeard(self.telegram.action_activate)
        self.assertEqual(len(self.configured()["channels"]), 1)
        self.assertHeard(lambda: self.channel.write({"active": False}))
        self.assertEqual(self.configured()["channels"], [])

    def test_archived_bot_is_missing(self):
        self.assertHeard(lambda: self.bot.write({"active": False}))
        answer = self.bridge.configuration(self.claim, {})
        self.assertNotIn(self.bot.id, answer["bot_ids"])
        self.assertIsNone(self.configured())

    def test_every_change_is_heard_of(self):  # SET-5
        self.assertHeard(lambda: self.bot.write({"not_started_message": "Hi"}))
        self.assertHeard(lambda: self.step.write({"text": "<p>Good day</p>"}))
        self.assertHeard(lambda: self.channel.write({"token": "5:abc"}))
        self.assertHeard(lambda: self.step.write({"alias_ids": [(0, 0, {"code": "hello"})]}))
        self.assertHeard(lambda: self.step.write({"kind": "buttons", "answer_ids": [(0, 0, {"name": "Yes"})]}))
        self.assertHeard(lambda: self.step.keyboard_button_ids.write({"row": 5}))
        self.assertHeard(lambda: self.step.answer_ids.unlink())
        self.assertHeard(
            lambda: self.step.write({"inline_button_ids": [(0, 0, {"name": "A", "url": "https://a.example"})]})
        )
        self.assertHeard(lambda: self.step.inline_button_ids.write({"name": "B"}))
        self.assertHeard(lambda: self.env["chatbridge.step"].create({"bot_id": self.bot.id, "text": "New"}))
        self.assertHeard(lambda: self.step.unlink())

    def test_deleted_and_new_bots(self):  # SET-5
        bot = self.env["chatbridge.bot"].create({"name": "New"})
        self.assertEqual(self.take_events(), [[bot.id]])
        gone = bot.id
        bot.unlink()
        self.assertEqual(self.take_events(), [[gone]])

    def test_a_change_moves_between_bots(self):
        other = self.env["chatbridge.bot"].create({"name": "Other"})
        self.take_events()
        self.assertHeard(lambda: self.channel.write({"bot_id": other.id}), self.bot | other)

    def test_one_event_for_a_transaction(self):
        self.bot.name = "One"
        self.flush()
        with self.env.cr.savepoint():
            self.step.text = "Two"
        other = self.env["chatbridge.bot"].create({"name": "Three"})
        self.assertEqual(self.take_events(), [sorted([self.bot.id, other.id])])

    def test_rolled_back_changes_are_not_heard_of(self):
        with self.assertRaises(ValueError), self.env.cr.savepoint():
            self.bot.name = "One"
            self.flush()
            raise ValueError
        self.assertEqual(self.take_events(), [])

    def test_what_is_no_configuration(self):
        self.apply(self.sender(), self.opening(), self.message(1))
        self.conversation().partner_id.name = "Somebody"
        self.assertEqual(self.take_events(), [])

    def test_translations_travel_and_are_heard_of(self):  # SET-5, X-5
        self.activate("uk_UA")
        self.take_events()
        self.assertHeard(lambda: self.step.with_context(lang="uk_UA").write({"text": "<p>Вітаю</p>"}))
        text = self.configured()["steps"][0]["text"]
        self.assertEqual(text["uk_UA"], "<p>Вітаю</p>")
        self.assertIn("Hello", text["en_US"])

    def test_translation_dialog_is_heard_of(self):  # SET-5, X-5
        self.activate("uk_UA")
        self.take_events()
        self.assertHeard(lambda: self.translate(self.step, "text", "uk_UA", "<p>Так<script>x</script></p>"))
        self.assertEqual(self.configured()["steps"][0]["text"]["uk_UA"], "<p>Так</p>")
        self.assertHeard(lambda: self.translate(self.bot, "not_started_message", "uk_UA", "Натисніть"))
        self.assertEqual(self.configured()["texts"]["not_started"]["uk_UA"], "Натисніть")

    def test_switching_a_language_is_heard_of(self):  # SET-5
        language = self.env["res.lang"].with_context(active_test=False).search([("code", "=", "fr_FR")])
        language.active = False
        self.take_events()
        language.active = True
        ((bots),) = self.take_events()
        self.assertIn(self.bot.id, bots)

    def activate(self, code):
        self.env["res.lang"].with_context(active_test=False).search([("code", "=", code)]).active = True

    def translate(self, record, field_name, language, text):
        """Do what the translation dialog of the series does."""
        if hasattr(record, "update_field_translations"):
            return record.update_field_translations(field_name, {language: text})
        name = "%s,%s" % (record._name, field_name)
        translation = self.env["ir.translation"].search(
            [("name", "=", name), ("lang", "=", language), ("res_id", "=", record.id)]
        )
        vals = {
            "name": name,
            "lang": language,
            "res_id": record.id,
            "type": "model",
            "src": record[field_name],
            "value": text,
            "state": "translated",
        }
        return translation.write({"value": text}) if translation else self.env["ir.translation"].create(vals)

    # Events

    def test_events_stay_until_acknowledged(self):
        self.bot.name = "One"
        self.flush()
        first = self.bridge.events(self.claim, 10)
        self.assertEqual([event["kind"] for event in first], ["configuration"])
        self.assertEqual(self.bridge.events(self.claim, 10), first)
        self.assertEqual(self.bridge.events(self.claim, 10, ["other"]), [])
        self.bridge.done(self.claim, [first[0]["id"]])
        self.assertEqual(self.bridge.events(self.claim, 10), [])

    # Channels

    def test_token_gives_the_telegram_bot(self):
        self.assertEqual(self.channel.telegram_bot_id, "123456789")
        self.channel.token = "  42:xyz \n"
        self.assertEqual((self.channel.token, self.channel.telegram_bot_id), ("42:xyz", "42"))
        with self.assertRaises(ValidationError):
            self.channel.token = "not a token"

    def test_one_chat_for_a_telegram_bot_archived_ones_too(self):
        self.channel.active = False
        with self.assertRaisesRegex(ValidationError, "Shop"):
            self.env["chatbridge.channel"].create({"name": "Second", "bot_id": self.bot.id, "token": TOKEN})
