"""A scripted provider on a real socket. What it does depends on the first part of the path; see ../proxy.yaml."""

import base64
import json
import struct
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXT = ["Grüße ", "aus ", "dem ", "Speicher ✓"]
USAGE = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}


class Upstream:
    """The server; `calls` counts what reached it, by provider and model, `bodies` keeps it."""

    def __init__(self):
        self.calls = Counter()
        self.bodies = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.upstream = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def note(self, provider, body):
        with self._lock:
            self.calls[provider, body["model"]] += 1
            self.bodies.append((provider, body))

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    # The default of five refuses connections when twenty requests come at once.
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it each small write of a stream waits for the acknowledgement of the one before.
    disable_nagle_algorithm = True

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        _, provider, _, *rest = self.path.split("/")
        self.server.upstream.note(provider, body)
        if self.headers["authorization"] != f"Bearer {provider}-key":
            self.error(401, "Incorrect API key provided", "invalid_api_key")
        elif provider == "limited":
            self.error(429, "Rate limit reached", "rate_limit_exceeded", retry_after="60")
        elif provider == "dry":
            self.error(429, "Rate limit reached", "rate_limit_exceeded", retry_after="40")
        elif provider == "fussy":
            self.error(400, "'top_p' must lie between 0 and 1", None)
        elif provider == "picky":
            self.error(422, "'messages[0].content' has the wrong type", None)
        elif rest == ["embeddings"]:
            self.json(200, vectors(body))
        elif body.get("stream"):
            self.stream(body, torn=provider == "torn")
        else:
            self.json(200, completion(body["model"]))

    def json(self, status, document, **headers):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def error(self, status, message, code, **headers):
        kind = "rate_limit_error" if status == 429 else "invalid_request_error"
        self.json(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, **headers)

    def stream(self, body, torn):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for text in TEXT[:2] if torn else TEXT:
            self.event(chunk(body["model"], {"content": text}))
        if torn:
            # Neither a finish reason nor the end of the chunked body: the connection just goes.
            self.close_connection = True
            return
        self.event(chunk(body["model"], {}, finish="stop"))
        if (body.get("stream_options") or {}).get("include_usage"):
            self.event(chunk(body["model"], None) | {"usage": USAGE})
        self.send("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def event(self, document):
        self.send(f"data: {json.dumps(document, ensure_ascii=False)}\n\n")

    def send(self, text):
        content = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()

    def log_message(self, *_):
        pass


def completion(model):
    message = {"role": "assistant", "content": "".join(TEXT)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    envelope = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model}
    return envelope | {"choices": [choice], "usage": USAGE}


def chunk(model, delta, finish=None):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": choices}


def vectors(body):
    numbers = [0.5, -0.5, 0.25]
    packed = base64.b64encode(struct.pack("<3f", *numbers)).decode()
    embedding = packed if body.get("encoding_format") == "base64" else numbers
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [{"object": "embedding", "index": index, "embedding": embedding} for index, _ in enumerate(texts)]
    return {"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
