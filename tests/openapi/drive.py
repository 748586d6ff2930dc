"""Starts a proxy in front of a scripted upstream, lets something happen, holds the answers of every GET to the document,
and then hands the proxy to schemathesis.
"""

import copy
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import jsonschema_rs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sdk" / "python"))

from proxy import Proxy  # noqa: E402
from upstream import Upstream  # noqa: E402

CLIENT_KEY = "openapi-client-key-of-the-tests"
ADMIN_KEY = "openapi-admin-key-of-the-tests"
RECORDED_SECONDS = 30

# What GET is asked for, by the path of the document; {id} and {name} stand for what the traffic below leaves behind.
QUESTIONS = {
    "/health": ["/health"],
    "/metrics": ["/metrics"],
    "/v1/models": ["/v1/models"],
    "/v1/models/{id}": ["/v1/models/default", "/v1/models/steady/small", "/v1/models/steady%2Fsmall", "/v1/models/x"],
    "/v1/stats/summary": ["/v1/stats/summary", "/v1/stats/summary?from=2020-01-01T00:00:00Z", "/v1/stats/summary?to=x"],
    "/v1/stats/providers": ["/v1/stats/providers?range=1h"],
    "/v1/stats/providers/{name}": ["/v1/stats/providers/steady", "/v1/stats/providers/x"],
    "/v1/stats/chains": ["/v1/stats/chains"],
    "/v1/stats/chains/{name}": ["/v1/stats/chains/default"],
    "/v1/stats/entries": ["/v1/stats/entries"],
    "/v1/stats/entries/{name}": ["/v1/stats/entries/steady/small", "/v1/stats/entries/steady%2Fsmall"],
    "/v1/stats/clients": ["/v1/stats/clients"],
    "/v1/stats/clients/{name}": ["/v1/stats/clients/key-1"],
    "/v1/stats/series": ["/v1/stats/series", "/v1/stats/series?range=1h&step=minute&chain=default", "/v1/stats/series?step=x"],
    "/v1/stats/prices": ["/v1/stats/prices"],
    "/v1/stats/requests": ["/v1/stats/requests", "/v1/stats/requests?limit=2", "/v1/stats/requests?format=csv",
                           "/v1/stats/requests?format=jsonl&chain=default"],
    "/v1/stats/requests/{id}": ["/v1/stats/requests/{id}", "/v1/stats/requests/req_0"],
    "/v1/ratelimits": ["/v1/ratelimits", "/v1/ratelimits?watch=2"],
    "/v1/openapi.json": ["/v1/openapi.json"],
    "/v1/admin/config": ["/v1/admin/config"],
    "/v1/admin/providers/{id}/models": ["/v1/admin/providers/steady/models", "/v1/admin/providers/steady/models?refresh=1",
                                        "/v1/admin/providers/x/models", "/v1/admin/providers/steady/models?refresh=x"],
    "/v1/admin/versions": ["/v1/admin/versions"],
    "/v1/admin/versions/{id}": ["/v1/admin/versions/{version}", "/v1/admin/versions/x"],
}


class Client:
    def __init__(self, url):
        self.url = url

    def ask(self, method, path, body=None, key=CLIENT_KEY):
        """Status, headers and body of the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.headers, refusal.read()


def traffic(client):
    """Something of everything: served at once, from the second entry, as a stream, not at all, malformed. An id of it."""

    def chat(model, **more):
        messages = [{"role": "user", "content": "Hello"}]
        return client.ask("POST", "/v1/chat/completions", {"model": model, "messages": messages, **more})

    asked = [chat("steady/small"), chat("default"), chat("default", stream=True), chat("counted"), chat("exhausted")]
    asked.append(client.ask("POST", "/v1/embeddings", {"model": "steady/small", "input": "Hello"}))
    asked.append(client.ask("POST", "/v1/chat/completions", {"model": 1}))
    assert [status for status, _, _ in asked] == [200, 200, 200, 200, 503, 200, 400], asked
    deadline = time.monotonic() + RECORDED_SECONDS
    while json.loads(client.ask("GET", "/v1/stats/summary")[2])["totalRequests"] < len(asked):
        assert time.monotonic() < deadline, "the requests were not recorded"
        time.sleep(0.05)
    return asked, asked[4][1]["x-request-id"]


def strict(schema):
    """The same, with nothing in an object that the document does not name: for answers of the proxy's own."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: strict(item) for name, item in schema.items()}
    if "allOf" in schema or ("properties" in schema and "additionalProperties" not in schema):
        schema["unevaluatedProperties"] = False
    return schema


class Document:
    """The OpenAPI document, and what it says of answers."""

    def __init__(self, document):
        self.document = document
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema",
                                     "$defs": document["components"]["schemas"]})
        closed = {name: strict(schema) for name, schema in document["components"]["schemas"].items()}
        # Part of a larger object in one place and an object of its own in another: closed where it is used.
        self.schemas = opened_where_combined(closed)

    def check(self, path, method, status, headers, body, where):
        responses = self.document["paths"][path][method]["responses"]
        response = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        assert response, f"{where}: the document does not know the status {status}"
        for name, header in response.get("headers", {}).items():
            if name in headers and header["schema"]["type"] == "integer":
                assert headers[name].isdigit(), f"{where}: {name} is {headers[name]!r}"
        assert "X-Request-Id" in response["headers"] and headers["x-request-id"], where
        kind = headers["content-type"].split(";")[0]
        content = response["content"]
        assert kind in content, f"{where}: {kind} is not one of {list(content)}"
        if kind == "application/json":
            schema = {"$ref": "#/components/schemas/Error"} if status >= 400 and path != "/health" else content[kind]["schema"]
            whole = {**schema, "components": {"schemas": self.schemas}}
            validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
            faults = [f"{fault.instance_path}: {fault.message}" for fault in validator.iter_errors(json.loads(body))]
            assert not faults, f"{where}: {faults}"
            # The narrower one, which names the codes that there may be.
            plain = {**content[kind]["schema"], "components": self.document["components"]}
            assert jsonschema_rs.Draft202012Validator(plain).is_valid(json.loads(body)), f"{where}: {body}"


def opened_where_combined(schemas):
    """`unevaluatedProperties` of a schema knows nothing of those that it is combined with by `allOf`."""
    schemas = copy.deepcopy(schemas)
    parts = set()

    def collect(schema):
        for item in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
            collect(item)
        if isinstance(schema, dict):
            for part in schema.get("allOf", ()):
                part.pop("unevaluatedProperties", None)
                if "$ref" in part:
                    parts.add(part["$ref"].rsplit("/", 1)[1])

    collect(schemas)
    for name in parts:
        schemas[name].pop("unevaluatedProperties", None)
    return schemas


def changes_keep_to_the_document(client, document):
    """Changes the configuration to and fro, tests what there is, and thaws it. The id of a version."""
    def ask(method, path, body, there):
        answer = client.ask(method.upper(), there, body, ADMIN_KEY)
        document.check(path, method, *answer, f"{method} {there}")
        return answer

    def revision():
        return json.loads(client.ask("GET", "/v1/admin/config", key=ADMIN_KEY)[2])["revision"]

    provider, chain = "/v1/admin/providers/{id}", "/v1/admin/chains/{name}"
    for method, path, there, body, status in [
        ("put", provider, "/v1/admin/providers/more", {"type": "openai", "apiKey": "k", "baseUrl": "http://127.0.0.1:1"}, 200),
        ("put", provider, "/v1/admin/providers/more", {"type": "x"}, 422),
        ("put", chain, "/v1/admin/chains/more", {"entries": [{"provider": "more", "model": "m"}]}, 200),
        ("put", chain + "/order", "/v1/admin/chains/default/order", {"order": [1, 0]}, 200),
        ("put", chain + "/order", "/v1/admin/chains/default/order", {"order": [0, 1]}, 400),
        ("put", "/v1/admin/default-chain", "/v1/admin/default-chain", {"name": "x"}, 404),
        ("patch", "/v1/admin/settings", "/v1/admin/settings", {"retentionDays": 9}, 200),
        ("delete", provider, "/v1/admin/providers/more", {}, 409),
        ("delete", chain, "/v1/admin/chains/more", {}, 200),
        ("delete", provider, "/v1/admin/providers/more?removeEntries=true", {}, 200),
    ]:
        body = body if status == 400 else {**body, "revision": revision()}
        answer = ask(method, path, body, there)
        assert answer[0] == status, f"{method} {there}: {answer}"
    ask("patch", "/v1/admin/settings", {"revision": "0" * 16}, "/v1/admin/settings")
    version = json.loads(client.ask("GET", "/v1/admin/versions", key=ADMIN_KEY)[2])["versions"][-1]["id"]
    restored = ask("post", "/v1/admin/restore", {"id": version, "revision": revision()}, "/v1/admin/restore")
    assert restored[0] == 200, restored
    for body in ({"provider": "limited"}, {"entry": "steady/small"}, {"entry": "x"}, {}):
        ask("post", "/v1/admin/entries/thaw", body, "/v1/admin/entries/thaw")
    for name in ("default", "exhausted", "x"):
        ask("post", "/v1/test/chain/{name}", None, f"/v1/test/chain/{name}")
    for name in ("steady", "limited", "idle", "x"):
        ask("post", provider + "/test", {}, f"/v1/admin/providers/{name}/test")
    return version


def answers_keep_to_the_document(client):
    asked, refused = traffic(client)
    document = Document(json.loads(client.ask("GET", "/v1/openapi.json")[2]))
    paths = document.document["paths"]
    unasked = {path for path, item in paths.items() if "get" in item} ^ QUESTIONS.keys()
    assert not unasked, f"GET paths that are only here or only in the document: {unasked}"
    version = changes_keep_to_the_document(client, document)
    count = 0
    for path, questions in QUESTIONS.items():
        for question in questions:
            question = question.replace("{id}", refused).replace("{version}", version)
            key = ADMIN_KEY if path.startswith("/v1/admin/") else CLIENT_KEY
            document.check(path, "get", *client.ask("GET", question, key=key), f"GET {question}")
            count += 1
    for status, headers, body in asked:
        path = "/v1/embeddings" if b'"embedding"' in body else "/v1/chat/completions"
        document.check(path, "post", status, headers, body, f"POST {path}")
    for question in ({}, {"chain": "exhausted", "promptTokens": 10}, {"model": "default", "promptBytes": 9}, {"x": 1}):
        answer = client.ask("POST", "/v1/admin/explain", question, ADMIN_KEY)
        document.check("/v1/admin/explain", "post", *answer, f"explain {question}")
    for path, item in paths.items():
        for method, operation in item.items():
            if not any(not keys for keys in operation["security"]):
                answer = client.ask(method.upper(), path, {} if method == "post" else None, "no-key")
                assert answer[0] == 401, f"{method} {path}: {answer}"
                document.check(path, method, *answer, f"{method} {path} without a key")
    print(f"{count} GET questions were answered as the document says")


def schemathesis(client, directory):
    # In a folder of its own: whatever it writes is gone afterwards, and no settings but these are found.
    environment = os.environ | {"CLIENT_KEY": CLIENT_KEY, "ADMIN_KEY": ADMIN_KEY}
    environment |= {"PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "hooks"}
    command = [Path(sys.executable).parent / "st", "--config-file", HERE / "schemathesis.toml", "run"]
    command += [client.url + "/v1/openapi.json", "--no-color"]
    return subprocess.run(command, cwd=directory, env=environment, check=False).returncode


def main():
    upstream = Upstream()
    with tempfile.TemporaryDirectory() as directory:
        environment = {"UPSTREAM": upstream.url, "DATA": directory}
        # A copy: it is changed.
        config = Path(directory) / "proxy.yaml"
        config.write_text((HERE / "proxy.yaml").read_text())
        proxy = Proxy(["serve", "-c", str(config), "--port", "0"], directory, environment)
        (address,) = proxy.read_until(r"listening on (http://127\.0\.0\.1:\d+)")
        client = Client(address)
        try:
            answers_keep_to_the_document(client)
            code = schemathesis(client, directory)
        finally:
            proxy.stop()
            upstream.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
