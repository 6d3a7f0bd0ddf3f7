"""Translating the ids of a recorded server to those of another one, by model, as its answers tell them."""

# An id no record has stays what it is.
ABSENT = 99999999

DOMAIN_FIRST = {"search", "search_read", "search_count", "formatted_read_group"}
RECORDS = {"read", "search_read", "formatted_read_group"}
MOVES = {"create_invoices", "refund_moves"}


class Translation:
    """The ids known so far; `relations` tells the model that a field of a model leads to, or None."""

    def __init__(self, relations):
        self._relations = relations
        self._known = {}

    def learn(self, model, recorded, actual):
        """Remember that the recorded id, or each of a list, is the actual one at the same place."""
        pairs = zip(recorded, actual, strict=True) if isinstance(recorded, list) else [(recorded, actual)]
        self._known.update({(model, before): after for before, after in pairs})

    def translate_call(self, model, method, arguments, keywords):
        """Return the arguments and keywords of a recorded call with the actual ids in them."""
        first, *rest = arguments
        if method in DOMAIN_FIRST:
            first = self._domain(model, first)
        elif method == "create":
            first = [self._values(model, values) for values in first]
        elif method == "load":
            rest = [[self._row(model, first, row) for row in rest[0]]]
        elif model != "ir.model.data" and method != "fields_get":
            first = self._ids(model, first)
        if method == "write":
            rest = [self._values(model, rest[0])]
        context = self._context(keywords.get("context"))
        return [first, *rest], keywords | ({"context": context} if context else {})

    def learn_result(self, model, method, recorded, actual):
        """Learn from where ids stand in two answers to the same call."""
        if method in {"search", "create"}:
            self.learn(model, recorded, actual)
        elif method == "load" and recorded["ids"]:
            self.learn(model, recorded["ids"], actual["ids"])
        elif method in MOVES:
            self.learn("account.move", recorded["res_id"], actual["res_id"])
        elif method in RECORDS:
            for before, after in zip(recorded, actual, strict=True):
                self._learn_record(model, before, after)

    def _learn_record(self, model, recorded, actual):
        for name, value in recorded.items():
            relation = model if name == "id" else self._relations(model, name)
            if relation and value:
                is_named = isinstance(value, list) and isinstance(value[-1], str)
                self.learn(
                    relation, value[0] if is_named else value, actual[name][0] if is_named else actual[name]
                )

    def _ids(self, model, value):
        if isinstance(value, list):
            return [self._ids(model, each) for each in value]
        if value is False or value == ABSENT:
            return value
        return self._known[model, value]

    def _follow(self, model, path):
        for name in path.split("."):
            model = model if name == "id" else self._relations(model, name)
        return model

    def _domain(self, model, domain):
        return [term if isinstance(term, str) else self._condition(model, *term) for term in domain]

    def _condition(self, model, path, operator, value):
        relation = self._follow(model, path)
        return [path, operator, self._ids(relation, value) if relation else value]

    def _values(self, model, values):
        return {name: self._value(self._relations(model, name), value) for name, value in values.items()}

    def _value(self, relation, value):
        if relation is None:
            return value
        if isinstance(value, list):
            return [self._command(relation, *command) for command in value]
        return self._ids(relation, value)

    def _command(self, relation, code, target, argument):
        if isinstance(argument, dict):
            return [code, target, self._values(relation, argument)]
        return [code, target, self._ids(relation, argument)]

    def _row(self, model, columns, row):
        return [self._cell(model, column, cell) for column, cell in zip(columns, row, strict=True)]

    def _cell(self, model, column, cell):
        if not column.endswith("/.id") or not cell:
            return cell
        relation = self._follow(model, column.removesuffix("/.id").replace("/", "."))
        return str(self._ids(relation, int(cell)))

    def _context(self, context):
        translated = dict(context or {})
        for key, model in (
            ("allowed_company_ids", "res.company"),
            ("active_ids", translated.get("active_model")),
        ):
            if key in translated:
                translated[key] = self._ids(model, translated[key])
        return translated
