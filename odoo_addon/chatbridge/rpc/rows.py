"""Rows of one table as a batch of operations sees them: read in one query, changed in memory, written in a few."""


class Row:
    """What the database holds, with what the batch has changed; ``id`` is None until it is written."""

    __slots__ = ("changed", "id", "values")

    def __init__(self, values, id_=None):
        self.values = values
        self.id = id_
        self.changed = set()

    def __getitem__(self, name):
        return self.values[name]

    def set(self, **values):
        """Change values, remembering which differ."""
        for name, value in values.items():
            if self.values.get(name) != value:
                self.values[name] = value
                self.changed.add(name)


class Table:
    """The rows of one model that a batch touches, by a key of its own."""

    def __init__(self, model, columns):
        self.model = model
        self.columns = columns
        self.rows = {}

    def load(self, condition, parameters):
        """Return the rows that meet an SQL condition; to be filed under their keys by the caller."""
        names = ", ".join('"%s"' % name for name in self.columns)
        self.model.env.cr.execute(
            "SELECT id, %s FROM %s t WHERE %s" % (names, self.model._table, condition), parameters
        )
        return [Row(dict(zip(self.columns, row[1:])), row[0]) for row in self.model.env.cr.fetchall()]

    def add(self, place, values):
        """Add a row that does not exist yet, under the key `place`."""
        row = self.rows[place] = Row(values)
        return row

    def insert(self):
        """Insert the rows that don't exist yet in one statement.

        Nothing is checked, computed or cleaned here but what the database does itself. The ORM would cost too much,
        and where a concurrent call was faster it would log the query with what people wrote.
        """
        fresh = [row for row in self.rows.values() if row.id is None]
        if not fresh:
            return
        values = [self._resolved(row) for row in fresh]
        names = list(self.columns)
        arrays = ", ".join("%%s::%s[]" % self.columns[name] for name in names)
        env = self.model.env
        env.cr.execute(
            "INSERT INTO %s (%s, create_uid, write_uid, create_date, write_date)"
            " SELECT %s, %%s, %%s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC' FROM unnest(%s) WITH ORDINALITY"
            " AS v(%s, place)"
            " ORDER BY v.place RETURNING id"
            % (
                self.model._table,
                ", ".join(names),
                ", ".join("v.%s" % name for name in names),
                arrays,
                ", ".join(names),
            ),
            [env.uid, env.uid] + [[row[name] for row in values] for name in names],
            # Odoo's log of a bad query would hold what people wrote.
            log_exceptions=False,
        )
        for row, (id_,) in zip(fresh, env.cr.fetchall()):
            row.id = id_
            row.changed.clear()

    def update(self, names):
        """Write these columns of all changed rows in one statement."""
        rows = [row for row in self.rows.values() if row.id is not None and row.changed]
        if not rows:
            return
        values = [self._resolved(row) for row in rows]
        assignments = ", ".join("%s = v.%s" % (name, name) for name in names)
        arrays = ", ".join("%%s::%s[]" % self.columns[name] for name in names)
        self.model.env.cr.execute(
            "UPDATE %s t SET %s, write_date = now() AT TIME ZONE 'UTC' FROM unnest(%%s::int[], %s) AS v(id, %s) WHERE"
            " t.id = v.id" % (self.model._table, assignments, arrays, ", ".join(names)),
            [[row.id for row in rows]] + [[row[name] for row in values] for name in names],
            log_exceptions=False,
        )
        for row in rows:
            row.changed.clear()

    def _resolved(self, row):
        """Return values as they are stored: rows that others point to are written by then."""
        return {name: value.id if isinstance(value, Row) else value for name, value in row.values.items()}
