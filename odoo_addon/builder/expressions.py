"""Python expressions of 17.0 and later (``invisible="not x"``) as the domains that ``attrs`` held before."""

import ast

OPERATORS = {
    ast.Eq: "=",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in"}
CONSTANTS = {"1": True, "True": True, "true": True, "0": False, "False": False, "false": False}


def constant(expression):
    """Return True or False where the expression is just that, else None."""
    return CONSTANTS.get(expression.strip())


def names(expression):
    """Return the fields of the view that an expression uses; the parent's are not among them."""
    tree = _parsed(expression)
    parents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in parents}


def domain(expression):
    """Return the expression as a domain in prefix notation; raise ValueError where that can't be done."""
    return _domain(_parsed(expression).body, negated=False)


def _parsed(expression):
    try:
        return ast.parse(expression.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError("not an expression: %s" % expression) from error


def _domain(node, negated):
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _domain(node.operand, not negated)
    if isinstance(node, ast.BoolOp):
        both = isinstance(node.op, ast.And) != negated
        parts = [_domain(value, negated) for value in node.values]
        return ["&" if both else "|"] * (len(parts) - 1) + [leaf for part in parts for leaf in part]
    if isinstance(node, ast.Compare):
        return [_comparison(node, negated)]
    return [(_field(node), "=" if negated else "!=", False)]


def _comparison(node, negated):
    if len(node.ops) != 1 or type(node.ops[0]) not in OPERATORS:
        raise ValueError("only one comparison at a time can be written as a domain")
    try:
        value = ast.literal_eval(node.comparators[0])
    except ValueError as error:
        raise ValueError("a field can be compared with a constant only") from error
    operator = OPERATORS[type(node.ops[0])]
    value = list(value) if isinstance(value, (tuple, set)) else value
    return (_field(node.left), OPPOSITE[operator] if negated else operator, value)


def _field(node):
    """Return a field's name; truth of a to-many field is refused, for `attrs` can't see it."""
    if isinstance(node, ast.Name) and not node.id.endswith("_ids"):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "parent":
        return "parent.%s" % node.attr
    raise ValueError("only fields (no to-many ones) and parent.<field> can be written in a domain")
