"""Contacts of senders (DOC-4): the person is the parent, the account its child with a prefix in its name.

No company is set on them: a sender is one per database and may talk with the bots of several companies.
"""

import logging

import psycopg2

from .. import compat
from . import quiet

_logger = logging.getLogger(__name__)

PREFIX_PARAMETER = "chatbridge.name_prefix"
DEFAULT_PREFIX = "Telegram:"


def profile_name(values):
    """Return the name to show of a messenger profile: first and last name, else the username, else the number."""
    parts = [values.get("first_name"), values.get("last_name")]
    full = " ".join(part.strip() for part in parts if part and part.strip())
    username = values.get("username")
    return full or ("@" + username if username else values["user_ref"])


def prefix(env):
    """Return what stands before the name of an account."""
    return env["ir.config_parameter"].sudo().get_param(PREFIX_PARAMETER) or DEFAULT_PREFIX


def language_of(installed, language_code, default):
    """Return the installed language that fits Telegram's language code best (``uk`` is ``uk_UA``)."""
    wanted = (language_code or "").replace("-", "_").lower()
    if wanted:
        for code in installed:
            if code.lower() == wanted:
                return code
        for code in installed:
            if code.lower().split("_")[0] == wanted.split("_")[0]:
                return code
    return default


def make_contacts(env, wishes):
    """Create persons and accounts; return ``(account id, person id)`` or None for each of the wishes, in their order.

    A wish is a dictionary with ``name``, ``lang`` and ``company``. What a database wants of its contacts beyond that
    (a constraint, a required field) is no reason to forget who wrote: then the sender goes without a contact.
    """
    result = [None] * len(wishes)
    for company in {wish["company"] for wish in wishes}:
        places = [place for place, wish in enumerate(wishes) if wish["company"] == company]
        made = _tried(env, lambda places=places, company=company: _create(env, [wishes[p] for p in places], company))
        if made is None and len(places) > 1:
            made = [make_contacts(env, [wishes[place]])[0] for place in places]
        for place, pair in zip(places, made or [None]):
            result[place] = pair
    return result


def _create(env, wishes, company):
    """Create the contacts of one company's wishes in two calls."""
    # A fresh person has no address or tax number that its account would have to copy: skipping that halves the cost.
    partners = env["res.partner"].with_context(
        tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True, _partners_skip_fields_sync=True
    )
    before = prefix(env)
    local = partners.with_company(company) if company else partners
    persons = local.create([{"name": wish["name"], "lang": wish["lang"]} for wish in wishes])
    accounts = local.create(
        [
            {"name": before + person.name, "parent_id": person.id, "type": "other", "lang": person.lang}
            for person in persons
        ]
    )
    return [(account.id, person.id) for account, person in zip(accounts, persons)]


def rename_contacts(env, account_id, person_id, old_name, new_name):
    """Follow a profile's new name, unless somebody has given the contact a name of their own in Odoo."""
    before = prefix(env)
    partners = env["res.partner"].with_context(tracking_disable=True)
    for id_, old, new in ((account_id, before + old_name, before + new_name), (person_id, old_name, new_name)):
        contact = partners.browse(id_ or ())
        if contact.name == old:
            _tried(env, lambda contact=contact, new=new: contact.write({"name": new}))


def _tried(env, work):
    """Do some work under a savepoint of its own; return None where other people's code or the database refuses it."""
    try:
        with quiet.queries(), env.cr.savepoint():
            return work()
    except (psycopg2.OperationalError, psycopg2.InterfaceError, MemoryError, *compat.PASSING_EXCEPTIONS):
        # Trouble of the moment: the whole call is to be done again.
        raise
    except Exception as error:
        quiet.log(_logger, "A contact could not be written; the sender goes without", error)
        return None
