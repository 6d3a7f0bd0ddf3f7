"""A plain JSON-RPC client, so that the tests see the stand-in's bytes and nothing of a library."""

import json
import urllib.request


class RpcError(Exception):
    """An error answer; `name` is what clients classify by."""

    def __init__(self, data):
        super().__init__(f"{data['name']}: {data['message']}")
        self.name = data["name"]
        self.message = data["message"]


class Client:
    """Calls one stand-in as one user."""

    def __init__(self, stand_in, *, login=None, key=None):
        self.url = stand_in.url
        self.database = stand_in.settings.database
        self.key = key or stand_in.settings.key
        self.uid = self.login(login or stand_in.settings.login, self.key)

    def login(self, login, key):
        return self.call("common", "login", self.database, login, key)

    def execute(self, model, method, *arguments, **keywords):
        return self.call(
            "object",
            "execute_kw",
            self.database,
            self.uid,
            self.key,
            model,
            method,
            list(arguments),
            keywords,
        )

    def call(self, service, method, *arguments):
        params = {"service": service, "method": method, "args": list(arguments)}
        answer = self.post("/jsonrpc", {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1})
        if "error" in answer:
            raise RpcError(answer["error"]["data"])
        return answer.get("result")

    def post(self, path, body, timeout=10):
        return post(self.url + path, body, timeout)

    def find(self, model, **equal):
        """Return the one id whose fields have these values."""
        (found,) = self.execute(model, "search", [[name, "=", value] for name, value in equal.items()])
        return found

    def read(self, model, record_id, *fields):
        """Return the one record, or its one field when a single one is asked for."""
        (record,) = self.execute(model, "read", [record_id], fields=list(fields))
        return record[fields[0]] if len(fields) == 1 else record


def post(url, body, timeout=10):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return json.load(response)


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as response:
        return json.load(response)
