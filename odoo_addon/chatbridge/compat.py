"""What Python must know about the series it runs on: everything that 14.0 to 19.0 do differently is named here.

The XML differences are the business of ``odoo_addon/build.py``.
"""

import ast
from datetime import timedelta
from pathlib import Path

from markupsafe import Markup

from odoo import api, exceptions, fields, models, release

SERIES = int(release.series.replace("saas~", "").split(".")[0])

#: The series that build.py wrote this very folder for.
BUILT_FOR = ".".join(
    ast.literal_eval((Path(__file__).parent / "__manifest__.py").read_text(encoding="utf-8"))["version"].split(".")[:2]
)

#: The user's groups field (renamed in 19.0).
GROUPS_FIELD = "group_ids" if SERIES >= 19 else "groups_id"

#: All groups of a user, those that others imply too (before 19.0 the groups field itself has them).
ALL_GROUPS_FIELD = "all_group_ids" if SERIES >= 19 else "groups_id"

#: Odoo's model of canned responses (renamed in 18.0).
CANNED_RESPONSE_MODEL = "mail.canned.response" if SERIES >= 18 else "mail.shortcode"

#: Odoo's model of Discuss channels (renamed in 17.0).
DISCUSS_CHANNEL_MODEL = "discuss.channel" if SERIES >= 17 else "mail.channel"

#: The members of those (renamed in 16.0 and 17.0), and the channel's field with them.
DISCUSS_MEMBER_MODEL = (
    "discuss.channel.member" if SERIES >= 17 else "mail.channel.member" if SERIES == 16 else "mail.channel.partner"
)
DISCUSS_MEMBERS_FIELD = "channel_member_ids" if SERIES >= 16 else "channel_last_seen_partner_ids"

#: Whether Odoo knows guests of Discuss: people without a contact.
HAS_GUESTS = SERIES >= 15

#: Whether the web client shows a message before the server has taken it (and swallows the server's error).
POSTS_AT_ONCE = SERIES >= 17

#: Whether Discuss shows a channel to somebody who may read it without being a member.
OPENS_FOR_READERS = SERIES >= 17

#: Odoo's own exceptions for what another try may mend (19.0 has two, earlier series none). One is a ``UserError``.
PASSING_EXCEPTIONS = tuple(
    getattr(exceptions, name) for name in ("ConcurrencyError", "LockError") if hasattr(exceptions, name)
)


def give_to_new_users(env, group):
    """Have users that are made from now on get a group: a template user says so, from 19.0 on a group of groups."""
    if SERIES >= 19:
        env.ref("base.default_user_group").write({"implied_ids": [(4, group.id)]})
    else:
        env.ref("base.default_user").write({GROUPS_FIELD: [(4, group.id)]})


class _SqlConstraint:
    """Stands for ``models.Constraint`` before 19.0: adds itself to the model's ``_sql_constraints``."""

    def __init__(self, definition, message):
        self.definition = definition
        self.message = message

    def __set_name__(self, owner, name):
        known = owner.__dict__.get("_sql_constraints", [])
        owner._sql_constraints = known + [(name.lstrip("_"), self.definition, self.message)]


def constraint(definition, message):
    """Return an SQL constraint for a model's body; its attribute's name must begin with an underscore."""
    if SERIES >= 19:
        return models.Constraint(definition, message)
    return _SqlConstraint(definition, message)


def create_unique_index(model, name, definition):
    """Create a (partial) unique index; to be called in a model's ``init``."""
    # Table and index names come from our own code, never from people.
    model.env.cr.execute(
        "CREATE UNIQUE INDEX IF NOT EXISTS %s_%s ON %s %s" % (model._table, name, model._table, definition)
    )


def presence(user):
    """Return whether a user is active in Odoo now: "online", "away" or "offline"."""
    # Series and modules beside ours know more, such as "busy" (19.0) and "leave_online" (hr_holidays): not available.
    status = user.sudo().im_status or "offline"
    if status == "online":
        return status
    return "offline" if "offline" in status else "away"


def create_member_index(members):
    """Index the members of Discuss channels by contact: 14.0 and 15.0 read all of them each time Discuss is opened."""
    if SERIES <= 15:
        members.env.cr.execute(
            "CREATE INDEX IF NOT EXISTS %s_chatbridge_partner ON %s (partner_id)" % (members._table, members._table)
        )


def flush(env):
    """Write everything that waits in the cache, and run what waits for the commit."""
    flush_all(env)
    env.cr.precommit.run()


def flush_all(env):
    """Write everything that waits in the cache."""
    if SERIES >= 16:
        env.flush_all()
    else:
        env["base"].flush()


def invalidate_all(env):
    """Forget all cached values, after rows were changed by SQL."""
    if SERIES >= 16:
        env.invalidate_all()
    else:
        env["base"].invalidate_cache()


def online(users):
    """Return those of the users who are active in Odoo right now; a few queries, however many they are.

    All series keep presence in a model of its own (14.0 to 18.0 bus.presence, 19.0 mail.presence) and say by this
    field what it means; 19.0 counts also what a user has set by hand. 14.0 can't compute it for nobody.
    """
    return users.sudo().filtered(lambda user: user.im_status == "online") if users else users


def searched_values(value):
    """Return what a search method is asked for as a list: from 19.0 on, «=» comes as «in» with a collection."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return [value]
    return list(value)


def count_by(model, field_name, domain):
    """Return ``{id of field_name: number of records}``, with the rights of the caller."""
    if SERIES >= 17:
        return {record.id: count for record, count in model._read_group(domain, [field_name], ["__count"])}
    groups = model.read_group(domain, [field_name], [field_name])
    return {group[field_name][0]: group[field_name + "_count"] for group in groups if group[field_name]}


def translations(records, field_name):
    """Return ``{record id: {language: text}}`` with exactly what is stored, no fallback to another language.

    The source text stands under ``en_US``, as all series keep it there.
    """
    flush_all(records.env)
    if not records:
        return {}
    if SERIES >= 16:
        records.env.cr.execute(
            'SELECT id, "%s" FROM "%s" WHERE id = ANY(%%s)' % (field_name, records._table), (records.ids,)
        )
        return {id_: value or {} for id_, value in records.env.cr.fetchall()}
    return _translations_by_row(records, field_name)


def _translations_by_row(records, field_name):
    """Read translations of 14.0 and 15.0, which keep them in a table of their own."""
    cr = records.env.cr
    cr.execute('SELECT id, "%s" FROM "%s" WHERE id = ANY(%%s)' % (field_name, records._table), (records.ids,))
    result = {id_: {"en_US": value} if value else {} for id_, value in cr.fetchall()}
    cr.execute(
        "SELECT res_id, lang, value FROM ir_translation"
        " WHERE type = 'model' AND name = %s AND res_id = ANY(%s) AND value != '' AND lang != 'en_US'",
        ("%s,%s" % (records._name, field_name), records.ids),
    )
    for res_id, lang, value in cr.fetchall():
        # A text that was emptied keeps its translations in these series; to people it is empty.
        if result[res_id]:
            result[res_id][lang] = value
    return result


def returns_message(method):
    """Mark a method whose answer is a message: before 19.0, RPC gets its id by a decorator."""
    if SERIES >= 19:
        return method
    return api.returns("mail.message", lambda message: message.id)(method)


def livechat_values(operator, name, anonymous):
    """Return what a running live chat of this operator (a partner) is made with, beside its members."""
    values = {"name": name, "channel_type": "livechat", "livechat_operator_id": operator.id}
    if SERIES >= 19:
        values.update(livechat_status="in_progress", livechat_failure="no_answer")
    else:
        values["livechat_active"] = True
        values["anonymous_name"] = name if anonymous and not HAS_GUESTS else False
    if SERIES <= 15:
        values["public"] = "private"
    if SERIES == 14:
        values["email_send"] = False
    return values


def livechat_members(operator, customer):
    """Return the commands for a live chat's members: the operator and the customer (partners; the latter may be none).

    Without a type, 19.0 takes everybody for an agent; without somebody else, 14.0 shows the operator what they write as
    read by everybody. The public contact, Odoo's own choice there, would let every visitor of the website in.
    """
    kinds = [(operator, "agent"), (customer, "visitor")]
    if not customer and not HAS_GUESTS:
        kinds[1] = (operator.env.ref("chatbridge.partner_customer", raise_if_not_found=False), "visitor")
    return [
        (0, 0, dict({"partner_id": partner.id}, **({"livechat_member_type": kind} if SERIES >= 19 else {})))
        for partner, kind in kinds
        if partner
    ]


def add_guest(channel, name):
    """Add a person without a contact to a live chat; return the guest."""
    guest = channel.env["mail.guest"].create({"name": name})
    values = {"channel_id": channel.id, "guest_id": guest.id}
    if SERIES >= 19:
        values["livechat_member_type"] = "visitor"
    channel.env[DISCUSS_MEMBER_MODEL].create(values)
    return guest


def channel_guest(channel):
    """Return the guest of a channel, or nothing."""
    return channel[DISCUSS_MEMBERS_FIELD].guest_id[:1] if HAS_GUESTS else None


def post_as_guest(channel, guest):
    """Return the channel in an environment in which what is posted is the guest's."""
    public = channel.env.ref("base.public_user")
    return channel.with_user(public).with_context(guest=guest).sudo()


def close_livechat(channel):
    """Mark a live chat as ended, without Odoo's line about a visitor who has left."""
    if SERIES >= 19:
        channel.write({"livechat_end_dt": fields.Datetime.now()})
        tell_livechat_end(channel)
    else:
        channel.write({"livechat_active": False})


def tell_livechat_end(channel):
    """Have the open clients know whether a live chat has ended; before 19.0 none of them asks."""
    if SERIES >= 19:
        from odoo.addons.mail.tools.discuss import Store

        Store(bus_channel=channel).add(channel, "livechat_end_dt").bus_send()


def consultation_attributes():
    """Return what the client has to know of a channel beside Odoo's own (19.0)."""
    if SERIES < 19:
        return []
    from odoo.addons.mail.tools.discuss import Store

    return [Store.Attr("is_consultation", lambda channel: bool(channel.chatbridge_bot_id))]


def set_pinned(members, pinned):
    """Show channels to their members, or hide them, from when the client is loaded next: no open client is told."""
    if not members:
        return
    flush_all(members.env)
    if members._fields["is_pinned"].store:
        assignment, value = "is_pinned = %s", pinned
    else:
        # A second ahead: what was said in this very second would bring the channel back.
        assignment, value = "unpin_dt = %s", None if pinned else fields.Datetime.now() + timedelta(seconds=1)
    # The table's name comes from Odoo, the assignment from above.
    members.env.cr.execute(
        'UPDATE "%s" SET %s WHERE id = ANY(%%s)' % (members._table, assignment), (value, members.ids)
    )
    invalidate_all(members.env)


def unpin_at_once(member, user):
    """Hide a channel from one of its members, in open clients too, as that user does with the cross of the sidebar."""
    channel = member.channel_id.with_user(user)
    if hasattr(channel, "_execute_channel_pin"):
        channel._execute_channel_pin(False)
    else:
        channel.channel_pin(False)
    set_pinned(member, False)


def leave(channel, partner):
    """Take somebody out of a channel, in open clients too; before 18.0, Odoo posts a line of its own about it."""
    if SERIES >= 18:
        channel._action_unfollow(partner, post_leave_message=False)
    else:
        channel._action_unfollow(partner)


def html(text):
    """Return HTML as `message_post` takes it: from 17.0 on, a plain string would be escaped."""
    return Markup(text)
