"""What the image and compose.yaml promise, by running them. The image is built, and COMPOSE_PROJECT_NAME set."""

import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL = "http://127.0.0.1:3429"


def run(*command, **more):
    return subprocess.run(command, check=True, text=True, capture_output=True, **more).stdout


def compose(*arguments):
    return run("docker-compose", *arguments)


def until(look, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}\n{logs()}")


def container():
    return compose("ps", "--quiet").strip()


def logs():
    done = subprocess.run(["docker-compose", "logs", "--no-color"], text=True, capture_output=True)
    return done.stdout + done.stderr


def healthy():
    state = run("docker", "inspect", "--format", "{{.State.Health.Status}}", container()).strip()
    return state == "healthy"


class Upstream(BaseHTTPRequestHandler):
    """A provider outside of the container that streams as long as it is told to."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()
    begun = threading.Event()

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not asked.get("stream"):
            message = {"role": "assistant", "content": "Hello"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": usage}
            return self.send(json.dumps(body).encode())
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.piece({"content": "first"})
        Upstream.begun.set()
        Upstream.go_on.wait(60)
        self.piece({"content": " last"})
        self.piece({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def piece(self, delta, finish=None):
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def send(self, body):
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def call(method, path, key, body=None):
    request = urllib.request.Request(URL + path, method=method, headers={"authorization": f"Bearer {key}"})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    return urllib.request.urlopen(request, timeout=60)


def ask(key, **more):
    messages = [{"role": "user", "content": "Hello"}]
    return call("POST", "/v1/chat/completions", key, {"model": "default", "messages": messages, **more})


class Browser:
    """As much of one as forms need."""

    def __init__(self, admin):
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self.page = self.post("/ui/login", key=admin)

    def get(self, path):
        self.page = self.opener.open(URL + path, timeout=30).read().decode()
        return self.page

    def post(self, path, **fields):
        # Cookies are for /ui, and so is what proves that a form is ours.
        data = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(URL + path, data=data, headers={"sec-fetch-site": "same-origin"})
        return self.opener.open(request, timeout=30).read().decode()

    def hidden(self, name):
        return re.search(f'name="{name}" value="([^"]+)"', self.page).group(1)


def demo():
    """The image by itself, in front of the simulated providers."""
    name = run("docker", "run", "--detach", "--read-only", "--publish", "127.0.0.1:3429:3429", "429chain", "demo").strip()
    try:
        said = lambda: subprocess.run(["docker", "logs", name], text=True, capture_output=True)
        key = until(lambda: re.search(r"Client key: (\S+)", said().stdout), "the demo says no key")
        until(lambda: can_connect(key.group(1)), "the demo does not answer")
        for _ in range(5):
            assert json.load(ask(key.group(1)))["choices"][0]["message"]["content"]
    finally:
        run("docker", "rm", "--force", name)


def main():
    demo()
    compose("up", "--detach", "--no-build")
    until(healthy, "it does not get healthy")
    said = logs()
    client = re.search(r"sk-429-[0-9a-f]+", said).group(0)
    admin = re.search(r"admin key, shown only now: (\S+)", said).group(1)
    assert "/config/config.yaml" in said, said

    # The network of compose is another one after `down`; this one stays.
    gateway = run("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").strip()
    server = ThreadingHTTPServer((gateway, 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    upstream = f"http://{gateway}:{server.server_port}/v1"

    # A provider and a chain are added by the pages, and it serves.
    browser = Browser(admin)
    browser.get("/ui/providers/new?preset=other")
    browser.post("/ui/providers", _csrf=browser.hidden("_csrf"), rev=browser.hidden("rev"), type="generic-openai", id="outside", baseUrl=upstream)
    browser.get("/ui/chains/default")
    browser.post("/ui/chains/default/entries", _csrf=browser.hidden("_csrf"), rev=browser.hidden("rev"), provider="outside", model="m", anyway="on")
    assert json.load(ask(client))["choices"][0]["message"]["content"] == "Hello"

    assert "is fine" in compose("exec", "-T", "429chain", "/usr/bin/429chain", "check")

    # Nothing but the volumes is written, and nobody is root.
    about = json.loads(run("docker", "inspect", container()))[0]
    assert about["HostConfig"]["ReadonlyRootfs"] and about["HostConfig"]["CapDrop"] == ["ALL"], about["HostConfig"]
    assert run("docker", "top", container(), "-eo", "pid,uid,comm").split("\n")[1].split()[1] == "65532"

    # What was changed is there after `down` and `up`, and so is the log.
    compose("down")
    compose("up", "--detach", "--no-build")
    until(healthy, "it does not get healthy again")
    assert "shown only now" not in logs(), "a key is made once"
    assert json.load(ask(client))["choices"][0]["message"]["content"] == "Hello"

    # A stream outlasts `docker stop`, and every row is written.
    answer = ask(client, stream=True)
    Upstream.begun.wait(30)
    stopping = subprocess.Popen(["docker-compose", "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: not can_connect(client), "it does not drain")
    Upstream.go_on.set()
    text = answer.read().decode()
    assert "last" in text and text.rstrip().endswith("[DONE]"), text
    assert stopping.wait(60) == 0
    code = run("docker", "inspect", "--format", "{{.State.ExitCode}}", run("docker-compose", "ps", "--quiet", "--all").strip() or container()).strip()
    assert code == "0", code
    compose("up", "--detach", "--no-build")
    until(healthy, "it does not get healthy the third time")
    rows = json.load(call("GET", "/v1/stats/requests?limit=10", admin))["requests"]
    assert len(rows) == 3 and all(row["httpStatus"] == 200 for row in rows), rows
    print("docker: healthy, serves, edits and rows last, streams outlast a stop")


def can_connect(key):
    """Whether new requests are taken: a proxy that drains says 503."""
    try:
        return call("GET", "/v1/models", key).status == 200
    except (urllib.error.HTTPError, urllib.error.URLError, OSError):
        return False


main()
