"""Contacts of senders (DOC-4): the person is the parent, the account its child with a prefix in its name.

No company is set on them: a sender is one per database and may talk with the bots of several companies.
"""

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
    """Create persons and accounts in two calls; return ``[(account id, person id)]`` in the order of the wishes.

    A wish is a dictionary with ``name``, ``lang`` and ``company``.
    """
    # A fresh person has no address or tax number that its account would have to copy: skipping that halves the cost.
    partners = env["res.partner"].with_context(
        tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True, _partners_skip_fields_sync=True
    )
    before = prefix(env)
    result = [None] * len(wishes)
    for company in {wish["company"] for wish in wishes}:
        places = [place for place, wish in enumerate(wishes) if wish["company"] == company]
        local = partners.with_company(company) if company else partners
        persons = local.create([{"name": wishes[place]["name"], "lang": wishes[place]["lang"]} for place in places])
        accounts = local.create(
            [
                {"name": before + person.name, "parent_id": person.id, "type": "other", "lang": person.lang}
                for person in persons
            ]
        )
        for place, account, person in zip(places, accounts, persons):
            result[place] = (account.id, person.id)
    return result


def rename_contacts(env, sender, old_name, new_name):
    """Follow a profile's new name, unless somebody has given the contact a name of their own in Odoo."""
    before = prefix(env)
    if sender.partner_id.name == before + old_name:
        sender.partner_id.with_context(tracking_disable=True).name = before + new_name
    if sender.person_id.name == old_name:
        sender.person_id.with_context(tracking_disable=True).name = new_name
