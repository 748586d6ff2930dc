"""Runs the fenced blocks of a document, from its top to its bottom, in a temporary folder of its own.

    ```sh           is run by bash; what it exports and where it is stay for the next block
    ```python, js   is run, where what it imports is installed
    ```json         has to be JSON
    ```yaml         is a configuration, or a part of one: `429chain check` has to be content with it
    ```LANGUAGE F   (a name behind the language) is written to the file F in that folder, and not looked at otherwise
    ```nginx        is read by nginx, where it is installed
    ```console      cannot be run here; a script of ours that it names has to exist
    anything else   is for reading

A line of a ```sh block that would not end (`429chain`, `429chain serve`, `429chain demo`) goes on in the background until the
next such line, `<!-- test: stop -->` or the end. `<!-- test: demo -->` does the same as a line `429chain demo`, unseen.
`<!-- test: archive -->` puts the files of a release there. `<!-- test: skip REASON -->` lets the next block be.

Documents are written for a proxy at 127.0.0.1:3429. Here it has another port, and `sk-429-...` and `ak-429-...` stand for
the keys that were printed last.
"""

import hashlib
import importlib.util
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/sdk/python"))

from proxy import Proxy  # noqa: E402

SERVES = re.compile(r"(?P<set>(?:\w+=\S+ +)*)429chain(?P<arguments>(?: +(?:serve|demo|-\S+|[^-\s|>&#]\S*))*) *(?:#.*)?")
ENDS = {"init", "check", "health", "explain", "admin-key", "classify", "help", "--help", "--version"}
SECONDS = 120  # a block that hangs; nothing here takes long


@dataclass
class Block:
    """A fenced block, or a directive (its language is `test`)."""

    line: int
    language: str
    name: str
    text: str


def blocks(text):
    """All blocks and directives of a document, in order."""
    found, inside = [], None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"^( *)```+ *(\S*) *(\S*)", line)
        if inside and fence and not fence[2]:
            found.append(inside)
            inside = None
        elif inside:
            inside.text += line.removeprefix(indent) + "\n"
        elif fence:
            indent, inside = fence[1], Block(number, fence[2], fence[3], "")
        elif directive := re.fullmatch(r"\s*<!-- test: (\S+) *(.*?) *-->", line):
            found.append(Block(number, "test", directive[1], directive[2]))
    return found


# Below those that the system gives to whoever asks for any, so that nobody gets one of them meanwhile.
PORTS = itertools.count(20_000 + os.getpid() % 5_000)


def free_port():
    """A port for one document."""
    for port in itertools.takewhile(lambda port: port < 32_000, PORTS):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


class Failed(Exception):
    """A block that does not do what it says."""


class Run:
    """One document."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.port, self.keys = free_port(), {}
        self.proxy, self.notes, self.count = None, [], 0
        commands = folder / ".bin"
        commands.mkdir()
        (commands / "429chain").symlink_to(binary)
        own = {"PATH": f"{commands}:{os.environ['PATH']}", "HOME": str(folder), "CHAIN429_PORT": str(self.port)}
        kept = ("LANG", "LC_ALL", "TMPDIR")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ} | own
        self.cwd = folder

    def all(self, document):
        skip = False
        try:
            for block in blocks(document.read_text()):
                if skip and block.language != "test":
                    skip = False
                    continue
                try:
                    skip = self.one(block) is True or skip
                except Failed as fault:
                    raise Failed(f"{document.relative_to(ROOT)}:{block.line}: {fault}") from None
        finally:
            self.stop()

    def one(self, block):
        if block.language == "test":
            return self.directive(block)
        if block.name:
            path = self.cwd / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.fill(block.text))
            return None
        handler = getattr(self, "run_" + block.language, None)
        if handler:
            self.count += 1
            handler(block.text)
        return None

    def directive(self, block):
        match block.name:
            case "demo":
                self.serve({}, ["demo"])
            case "stop":
                self.stop()
            case "archive":
                self.archive()
            case "skip":
                self.notes.append(f"line {block.line} is not run: {block.text}")
                return True
            case other:
                raise Failed(f"there is no directive {other}")
        return None

    def archive(self):
        """Puts here what a release has, packed as .github/workflows/release.yml does."""
        name = "429chain-linux-x64.tar.gz"
        with tarfile.open(self.cwd / name, "w:gz", compresslevel=1) as packed:
            packed.add(self.binary, "429chain")
            for file in ("LICENSE", *(path.name for path in ROOT.glob("*.md")), "docs", "config/config.example.yaml"):
                packed.add(ROOT / file, file)
        digest = hashlib.sha256((self.cwd / name).read_bytes()).hexdigest()
        (self.cwd / "SHA256SUMS").write_text(f"{digest}  {name}\n{'0' * 64}  429chain-darwin-arm64.tar.gz\n")

    def fill(self, text):
        text = re.sub(r"\b(127\.0\.0\.1|localhost):3429\b", rf"\1:{self.port}", text)
        for stands, key in self.keys.items():
            text = text.replace(stands, key)
        return text

    def learn(self, output):
        for stands, pattern in (("sk-429-...", r"Client key[^:\n]*: *(sk-429-\w+)"), ("ak-429-...", r"dmin key[^:\n]*: *(ak-429-\w+)")):
            if found := re.findall(pattern, output):
                self.keys[stands] = found[-1]

    def run_sh(self, text):
        part = ""
        for line in text.splitlines():
            serves = SERVES.fullmatch(line)
            if serves and not ENDS & set(serves["arguments"].split()):
                self.bash(part)
                part = ""
                changes = dict(pair.split("=", 1) for pair in serves["set"].split())
                self.serve(changes, serves["arguments"].split())
            else:
                part += line + "\n"
        self.bash(part)

    def bash(self, text):
        if not text.strip():
            return
        state = self.folder / ".state"
        script = f"{self.fill(text)}\nenv -0 > {state}; pwd >> {state}\n"
        self.output(["bash", "-eu", "-o", "pipefail", "-c", script])
        *pairs, cwd = state.read_text().split("\0")
        self.environment = dict(pair.split("=", 1) for pair in pairs)
        self.cwd = Path(cwd.strip())

    def output(self, command):
        try:
            done = subprocess.run(
                command, cwd=self.cwd, env=self.environment, stdin=subprocess.DEVNULL, text=True, timeout=SECONDS,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Failed(f"has not ended in {SECONDS} s") from None
        self.learn(done.stdout)
        if done.returncode:
            raise Failed(f"exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def serve(self, changes, arguments):
        self.stop()
        # Not by its bare name: the class of the SDK tests looks for the binary itself.
        self.proxy = Proxy(arguments, self.cwd, self.environment | changes)
        try:
            self.proxy.read_until(r"listening on (http://\S+)")
        except AssertionError as fault:
            self.proxy = None
            raise Failed(str(fault)) from None
        self.learn("".join(self.proxy.output))

    def stop(self):
        if self.proxy:
            proxy, self.proxy = self.proxy, None
            proxy.stop()

    def run_python(self, text):
        python = ROOT / "target/sdk-venv/bin/python"
        names = set(re.findall(r"^(?:from|import) (\w+)", text, re.M))
        looks = f"import importlib.util as u; print(*[n for n in {sorted(names)} if not u.find_spec(n)])"
        there = python.exists()
        missing = self.output([str(python), "-c", looks]).split() if there else [n for n in names if not importlib.util.find_spec(n)]
        if missing:
            self.notes.append(f"a snippet is not run: {', '.join(missing)} is not installed")
            return
        self.output([str(python) if there else sys.executable, "-c", self.fill(text)])

    def run_js(self, text):
        modules = ROOT / "tests/sdk/node/node_modules"
        names = set(re.findall(r"""from ['"]([^.'"][^'"]*)['"]""", text))
        missing = [name for name in names if not (modules / name).is_dir()]
        if missing:
            self.notes.append(f"a snippet is not run: {', '.join(missing)} is not installed")
            return
        link = self.folder / "node_modules"
        if not link.exists():
            link.symlink_to(modules)
        script = self.folder / ".snippet.mjs"
        script.write_text(self.fill(text))
        self.output(["node", str(script)])

    def run_json(self, text):
        try:
            json.loads(text)
        except ValueError as fault:
            raise Failed(f"is no JSON: {fault}") from None

    def run_yaml(self, text):
        names = set(re.findall(r"(?<!\$)\$\{(\w+)\}", text))
        path = self.folder / ".checked.yaml"
        path.write_text(whole(text).replace("/ACCOUNT_ID/", "/an-account/"))
        command = [self.binary, "check", "--config", str(path)]
        values = {name: f"value-of-{name}" for name in names} | self.environment
        done = subprocess.run(command, env=values, cwd=self.folder, text=True, capture_output=True)
        if done.returncode:
            raise Failed(f"exit code {done.returncode}\n{done.stderr}\n{path.read_text()}")

    def run_nginx(self, text):
        """A server block, as far as nginx is here to read it. It is given a certificate and a port of its own."""
        nginx, openssl = (shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("nginx", "openssl"))
        if not (nginx and openssl):
            self.notes.append("the configuration of nginx is not read: nginx or openssl is not installed")
            return
        key, certificate, file = (self.folder / name for name in ("privkey.pem", "fullchain.pem", "nginx.conf"))
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=llm.example.com"]
        self.output([openssl, "req", "-x509", *new, "-keyout", str(key), "-out", str(certificate)])
        text = re.sub(r"/etc/letsencrypt/\S*/", f"{self.folder}/", text).replace("listen 443", f"listen {free_port()}")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {self.folder}/{kind}; " for kind in kinds)
        file.write_text(f"pid {self.folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{places}\n{text}}}\n")
        self.output([nginx, "-t", "-q", "-p", str(self.folder), "-c", str(file)])

    def run_console(self, text):
        for script in re.findall(r"(?:^|\s)((?:tests|docs|npm)/\S+)", text):
            if not (ROOT / script).exists():
                raise Failed(f"{script} does not exist")


def whole(text):
    """A part of a configuration, with the rest around it."""
    tops = set(re.findall(r"^(\w+):", text, re.M))
    if "version" in tops:
        return text
    if not tops & {"settings", "providers", "chains"}:  # keys of a provider
        inner = "".join(f"    {line}\n" for line in text.splitlines())
        text, tops = f"providers:\n  - id: a\n    type: local\n{inner}", {"providers"}
    if "settings" not in tops:
        text = "settings: { apiKeys: [a-key] }\n" + text
    elif not re.search(r"^  apiKeys:", text, re.M):
        text = re.sub(r"^settings:\n", "settings:\n  apiKeys: [a-key]\n", text, flags=re.M)
    used = sorted(set(re.findall(r"\bprovider: *([\w.-]+)", text))) or ["a"]
    if "providers" not in tops:
        items = "".join(f"  - {{ id: {name}, type: openai, apiKey: key-of-{name} }}\n" for name in used)
        text += f"providers:\n{items}"
    if "chains" not in tops:
        first = re.search(r"\bid: *([\w.-]+)", text)[1]
        text += f"chains:\n  - {{ name: default, entries: [{{ provider: {first}, model: m }}] }}\n"
    return f"version: 1\n{text}"
