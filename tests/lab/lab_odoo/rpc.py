"""A small JSON-RPC client with a session, as a browser (and the bridge) talks to Odoo."""

import http.cookiejar
import json
import urllib.request


class OdooError(Exception):
    """Odoo answered with an error: `name` is its Python class, `message` the text for people."""

    def __init__(self, error: dict):
        data = error.get("data") or {}
        self.name = data.get("name", "")
        self.message = data.get("message") or error.get("message", "")
        self.debug = data.get("debug", "")
        super().__init__(f"{self.name}: {self.message}")


class Client:
    """One logged-in session on one database."""

    def __init__(self, url: str, database: str, login: str, password: str, timeout: float = 60):
        self.url = url
        self.timeout = timeout
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        parameters = {"db": database, "login": login, "password": password}
        #: What Odoo says about the session: `uid`, `user_context` and more.
        self.session = self.post("/web/session/authenticate", parameters)
        self.uid = self.session.get("uid")
        if not self.uid:
            raise OdooError({"data": {"name": "odoo.exceptions.AccessDenied", "message": "wrong login"}})

    def call(self, model: str, method: str, *args, **kw):
        """Call a public method of a model, as `/web/dataset/call_kw` does."""
        parameters = {"model": model, "method": method, "args": args, "kwargs": kw}
        return self.post(f"/web/dataset/call_kw/{model}/{method}", parameters)

    def post(self, path: str, parameters: dict):
        """Post JSON-RPC parameters to any path with the session; return the result."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "call", "params": parameters}).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=self.timeout) as response:
            answer = json.load(response)
        if "error" in answer:
            raise OdooError(answer["error"])
        return answer.get("result")
