"""What Odoo itself sees wrong with the set-up, in sentences for ``chatbridge check``; nothing is changed."""

from odoo import _, fields, release

from .. import compat


def found(env):
    """Return a list of ``{"place", "sentence", "remedy"}``; an empty one is good."""
    looks = (_series, _bridge, _tokens, _messengers, _channels, _webhooks, _first_steps, _operators)
    return [
        {"place": place, "sentence": sentence, "remedy": remedy}
        for look in looks
        for place, sentence, remedy in look(env)
    ]


def _place(record):
    """Return a record as a place: what kind of thing it is, and its name."""
    return "%s «%s»" % (record._description, record.display_name)


def _series(_env):
    if compat.BUILT_FOR.split(".")[0] != str(compat.SERIES):
        yield (
            _("Odoo module «Chatbot»"),
            _("It was built for Odoo %(built)s, but this is Odoo %(ours)s.")
            % {"built": compat.BUILT_FOR, "ours": release.series},
            _("Build it with “odoo_addon/build.py %s.0”, and put that in its place.") % compat.SERIES,
        )


def _bridge(env):
    status = env["chatbridge.bridge.status"]._row()
    place = _("Bridge")
    if status.waiting_store_id:
        yield (
            place,
            _("A bridge waits for a confirmation: %s")
            % dict(status._fields["waiting_reason"]._description_selection(env)).get(status.waiting_reason, ""),
            _("Open Chatbot, Settings, Bridge, and press Confirm if this is the right one."),
        )
    elif status.store_id and not status._lease_runs():
        yield (
            place,
            _("No bridge has been heard of since %s (UTC).") % fields.Datetime.to_string(status.last_heartbeat),
            _("Start the bridge."),
        )
    if status.operations_refused:
        yield (
            place,
            _("Odoo refused %d writes of the bridge, which has put them aside.") % status.operations_refused,
            _("Read the bridge's log: it says which, and why."),
        )


def _live(env):
    """Return the channels that have a token."""
    return env["chatbridge.channel"].search([("telegram_bot_id", "!=", False), ("bot_id.active", "=", True)])


def _tokens(env):
    if not _live(env):
        yield (
            _("Chats"),
            _("No chat has a Telegram token."),
            _("Add a chat to a bot, and give it the token that @BotFather gave you."),
        )


def _messengers(env):
    for messenger in _live(env).mapped("messenger_id").filtered(lambda messenger: messenger.state != "on"):
        yield (
            _place(messenger),
            _("It is switched off: its chats fall silent."),
            _("Open Chatbot, Settings, Messengers, and press Activate."),
        )


def _channels(env):
    for channel in _live(env).filtered(lambda channel: channel.state in ("refused", "unreachable")):
        state = dict(channel._fields["state"]._description_selection(env))[channel.state]
        yield (
            _place(channel),
            "%s: %s" % (state, channel.last_error) if channel.last_error else state,
            _("Compare the token with what @BotFather says.")
            if channel.state == "refused"
            else _("See whether the bridge's machine reaches api.telegram.org."),
        )


def _webhooks(env):
    for channel in _live(env).filtered("webhook_url"):
        # The form refuses such an address; it may have been saved while local ones were allowed.
        if channel.webhook_warning:
            yield (
                _place(channel),
                channel.webhook_warning,
                _("Give a public https address, or empty the field for long polling."),
            )


def _first_steps(env):
    # A client chat without any step is right: it only notifies.
    for bot in _live(env).mapped("bot_id").filtered(lambda bot: bot.kind == "client" and bot.step_ids):
        if not any(bot.step_ids.mapped("first")):
            yield (
                _place(bot),
                _("No step is the first one: nothing follows /start."),
                _("Give the step that the dialog begins with the alias /start."),
            )


def _operators(env):
    steps = env["chatbridge.step"].search([("kind", "=", "operator"), ("bot_id.active", "=", True)])
    for chat in steps.mapped("operator_bot_id"):
        if not chat.active:
            yield (
                _place(chat),
                _("Steps lead to it, but it is archived: nobody answers."),
                _("Unarchive it, or choose another operator chat in these steps."),
            )
        elif not chat.operator_ids.filtered("user_id.active"):
            yield (
                _place(chat),
                _("Steps lead to it, but nobody has joined it."),
                _("Press Join on the bot, or add users to its tab Operators."),
            )
