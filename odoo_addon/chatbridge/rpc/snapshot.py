"""What the bridge reads: bots as ``configuration`` gives them, and open conversations for a lost store."""

import hashlib
import json

from .. import compat
from .instant import instant

#: Text settings of bots, by the names that the protocol gives them.
TEXT_SUFFIX = "_message"


class _Texts:
    """Translated texts of some records, read once."""

    def __init__(self, env):
        self.env = env
        self.installed = [code for code, _name in env["res.lang"].get_installed()]
        self.read = {}

    def of(self, record, field_name, language):
        """Return ``{language: text}`` in the installed languages; the bot's own language is always among them."""
        key = (record._name, field_name)
        if record.id not in self.read.get(key, {}):
            self.read.setdefault(key, {}).update(compat.translations(record, field_name))
        stored = self.read[key][record.id]
        texts = {code: stored[code] for code in self.installed if stored.get(code)}
        source = stored.get("en_US")
        if source and language in self.installed:
            texts.setdefault(language, source)
        return texts

    def preload(self, records, *field_names):
        """Read texts of many records in one query per field."""
        for field_name in field_names:
            self.read.setdefault((records._name, field_name), {}).update(compat.translations(records, field_name))


def texts_of(record, field_name):
    """Return a bot's text as ``{language: text}``."""
    return _Texts(record.env).of(record, field_name, record.language)


def bots(records):
    """Return the configuration of bots, each with its hash."""
    texts = _Texts(records.env)
    steps = records.mapped("step_ids")
    texts.preload(records, *records._default_texts())
    texts.preload(steps, "text")
    texts.preload(steps.mapped("answer_ids"), "name")
    texts.preload(steps.mapped("keyboard_button_ids"), "name")
    texts.preload(steps.mapped("inline_button_ids"), "name")
    return [_with_hash(_bot(bot, texts)) for bot in records]


def _with_hash(bot):
    canonical = json.dumps(bot, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return dict(bot, hash=hashlib.sha256(canonical.encode()).hexdigest())


def _bot(bot, texts):
    return {
        "id": bot.id,
        "name": bot.name,
        "kind": bot.kind,
        "language": bot.language,
        "company": bot.company_id.id or None,
        "wait_for_start": bot.wait_for_start,
        "create_partner": bot.create_partner,
        "odoo_operators_only": bot.odoo_operators_only,
        "texts": {name[: -len(TEXT_SUFFIX)]: texts.of(bot, name, bot.language) for name in bot._default_texts()},
        "channels": [
            _channel(channel) for channel in bot.channel_ids if channel.token and channel.messenger_id.state == "on"
        ],
        "steps": [_step(step, texts) for step in bot.step_ids],
    }


def _channel(channel):
    return {
        "id": channel.id,
        "messenger": channel.messenger_id.code,
        "telegram_bot": channel.telegram_bot_id or None,
        "username": channel.username or None,
        "token": channel.token,
        "send_operator_name": channel.send_operator_name,
        "join_message": channel.join_message,
        "end_message": channel.end_message,
        "webhook_url": channel.webhook_url or None,
    }


def _step(step, texts):
    language = step.bot_id.language
    return {
        "id": step.id,
        "kind": step.kind,
        "first": step.first,
        "aliases": step.alias_ids.mapped("code"),
        "text": texts.of(step, "text", language),
        "next": step.next_step_id.id or None,
        "operator_bot": step.operator_bot_id.id or None if step.kind == "operator" else None,
        "no_operator_step": step.no_operator_step_id.id or None if step.kind == "operator" else None,
        "keyboard": _rows(step, step._shown_keyboard_buttons(), lambda button: _keyboard_button(button, texts)),
        "buttons": _rows(step, step.inline_button_ids, lambda button: _inline_button(button, texts)),
    }


def _rows(step, buttons, form):
    return [[form(button) for button in row] for row in step._button_rows(buttons)]


def _keyboard_button(button, texts):
    shown = button.answer_id or button
    return {
        "id": button.id,
        "text": texts.of(shown, "name", button.step_id.bot_id.language),
        "step": shown.next_step_id.id or None,
    }


def _inline_button(button, texts):
    return {
        "id": button.id,
        "text": texts.of(button, "name", button.step_id.bot_id.language),
        "step": button.next_step_id.id or None,
        "url": button.url or None,
    }


def open_conversation(env, channel_id, user_ref):
    """Return what a bridge without its store must know of a sender's open conversation, or None."""
    conversation = env["chatbridge.conversation"].search(
        [("channel_id", "=", channel_id), ("sender_id.user_ref", "=", user_ref), ("state", "=", "active")], limit=1
    )
    if not conversation:
        return None
    last = env["chatbridge.message"].search([("conversation_id", "=", conversation.id)], order="sequence desc", limit=1)
    return {
        "conversation": conversation.key,
        "step": conversation.step_id.id or None,
        "state": json.loads(conversation.dialog_state or "{}"),
        "sequence": last.sequence or 0,
        "at": instant(conversation.last_activity),
        "consultation": _running(conversation._running_consultation()),
    }


def _running(consultation):
    """Return what a bridge without its store must know of a running consultation, or None."""
    if not consultation:
        return None
    operator = consultation.user_id.name if consultation.state == "assigned" else None
    return {"consultation": consultation.key, "state": consultation.state, "operator": operator}
