"""The subset of the 19.0 syntax that the sources may use. What is not listed here is an error."""

#: Attributes that any element of a form or list may have.
COMMON = {
    "name",
    "string",
    "class",
    "style",
    "groups",
    "invisible",
    "colspan",
    "nolabel",
    "help",
    "title",
    "role",
    "alt",
    "series",
}
DECORATIONS = {
    "decoration-%s" % kind for kind in ("bf", "it", "danger", "info", "muted", "primary", "success", "warning")
}
HTML = {"a", "b", "br", "div", "h1", "h2", "h3", "i", "img", "li", "p", "small", "span", "strong", "ul"}
QWEB = {"t-if", "t-else", "t-elif", "t-esc", "t-att-src", "t-att-class", "t-att-title", "aria-label"}

#: Elements of a view's architecture, each with the attributes it may have beside the common ones.
ELEMENTS = {
    "form": {"create", "edit", "delete", "duplicate"},
    "list": {"create", "edit", "delete", "editable", "default_order", "limit", "sample", *DECORATIONS},
    "kanban": {"create", "edit", "delete", "can_open", "default_order", "default_group_by", "sample"},
    "search": set(),
    "field": {
        "widget",
        "options",
        "domain",
        "context",
        "readonly",
        "required",
        "column_invisible",
        "placeholder",
        "optional",
        "password",
        "filter_domain",
        "operator",
        "mode",
        "sum",
        "can_create",
        "can_write",
        "width",
        *DECORATIONS,
    },
    "filter": {"domain", "context", "date"},
    "button": {"type", "icon", "confirm", "context", "special", "t-if"},
    "label": {"for"},
    "page": {"autofocus"},
    "widget": {"bg_color"},
    "group": {"col"},
    "header": set(),
    "footer": set(),
    "sheet": set(),
    "notebook": set(),
    "separator": set(),
    "templates": set(),
    "chatter": set(),
    "t": {"t-name"},
    "xpath": {"expr", "position"},
    **{tag: {"src", "href", "width", "height", "type"} for tag in HTML},
}

#: What each kind of data element may have.
DATA = {
    "function": {"model", "name"},
    "odoo": {"noupdate"},
    "data": {"noupdate"},
    "record": {"id", "model", "context", "forcecreate", "series"},
    "field": {"name", "ref", "eval", "type", "file", "model", "series"},
    "menuitem": {"id", "name", "parent", "action", "sequence", "groups", "web_icon", "series"},
}

#: Python that one of the series does not know; `compat.py` alone may name it.
PYTHON = {
    "_sql_constraints": "use compat.constraint",
    "models.Constraint": "use compat.constraint",
    "def name_get": "use a computed name with _rec_name",
    "fields.Command": "write the tuples (0, 0, …): 14.0 has no Command",
    "import Command": "write the tuples (0, 0, …): 14.0 has no Command",
    "env._(": "use _(): series before 18.0 don't know env._",
    ".read_group(": "use compat.count_by",
    "_read_group(": "use compat.count_by",
    "env.flush_all(": "use compat.flush_all",
    "env.invalidate_all(": "use compat.invalidate_all",
    "invalidate_recordset(": "use compat.invalidate_all",
    "invalidate_cache(": "use compat.invalidate_all",
    "groups_id": "use compat.GROUPS_FIELD",
    "from odoo.osv": "gone in 19.0",
}
