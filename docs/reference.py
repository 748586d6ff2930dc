#!/usr/bin/env python3
"""Writes docs/CONFIGURATION.md from config/config.example.yaml and the code.

    python3 docs/reference.py           writes it
    python3 docs/reference.py --check   fails when it is out of date

Tests hold the example to the code (src/config/tests/example.rs): it shows every key, and its settings are the defaults. So
what is read from it here is true as well. The example is laid out for people, and that is what is relied on: two spaces a
level, a comment behind a value or right above it, and in the columns behind when it goes on.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "config/config.example.yaml"
DIALECTS = ROOT / "src/domain/dialect.rs"
TARGET = ROOT / "docs/CONFIGURATION.md"

# A comment that begins so far to the right goes on from the one above.
FAR = 30

# What stands below these is named by the user.
NAMED = {"models": "MODEL", "headers": "NAME", "referencePrices": "MODEL"}

HEAD = """\
# Configuration

<!-- Made by `python3 docs/reference.py` from config/config.example.yaml: change that file, or the texts in the script. -->

One YAML file, `config/config.yaml` unless `--config` or `CHAIN429_CONFIG` names another. [config.example.yaml](../config/config.example.yaml)
shows every key in its place; this page is made from it.

- `429chain init` writes a short file to start from. `429chain init --providers groq,google` writes one with these services only.
- `429chain check` prints everything that is wrong with a file, with line, column and what to write instead.
- The [dashboard](API.md#web-ui) and the [admin API](API.md#changing-the-configuration) change the file and leave your comments alone.

## A whole file

```yaml
version: 1
settings:
  apiKeys: ["${PROXY_KEY}"]            # what your apps send; "sha256:<hex>" works too
providers:
  - { id: groq, type: groq, apiKey: "${GROQ_API_KEY}", timeout: 10000 }
  - { id: gemini, type: google-ai, apiKey: "${GEMINI_API_KEY}" }
  - id: home
    type: local                        # Ollama, llama.cpp, vLLM, LM Studio
    baseUrl: http://192.168.1.20:11434/v1
    rateLimits: { concurrentRequests: 1 }
chains:
  - name: default
    entries:
      - { provider: groq, model: openai/gpt-oss-120b }
      - { provider: gemini, model: gemini-3.1-flash-lite, timeout: 20000 }
      - { provider: home, model: qwen3:8b }
```

## Rules for all values

"""

AFTER_RULES = """\
- The proxy notices by itself that the file has changed (also files of `apiKeyFile`, renames and mounted folders), and reads it again on
  `SIGHUP` or `POST /v1/admin/reload` as well. Requests in progress finish as they began, entries keep their counters and cooldowns, and
  whoever waits goes on waiting.
- A file with a mistake changes nothing. The log says what is wrong, and `/health` says so to whoever asks with a key.
- Variables of the environment are those of the start. What takes effect at the next start is named in the log when it has changed.
"""

OPTIONS = """\
## Command line and environment

The command line wins over the file. A variable stands in for its option.

| option | variable | what |
|---|---|---|
| `--config FILE`, `-c` | `CHAIN429_CONFIG` | the configuration file; `config/config.yaml` |
| `--port PORT`, `-p` | `CHAIN429_PORT` | in place of `settings.port`; 0 takes any free one |
| `--host HOST` | `CHAIN429_HOST` | in place of `settings.host` |
| `--data-dir DIR` | `CHAIN429_DATA_DIR` | where 429chain keeps its data; `./data` |
| `--log FILTER` | `CHAIN429_LOG` | in place of `settings.logLevel`: a level, or targets like `info,chain429::upstream=trace` |
| `--static-dir DIR` | | serves the web UI's style and scripts from there, in place of those in the binary |

| command | what |
|---|---|
| `429chain`, `429chain serve` | runs the proxy; with `--create-config` it writes a configuration first when there is none, as containers want it |
| `429chain init` | writes a configuration to start from: `--providers NAMES` for these services only, `--from-litellm FILE` takes over one of LiteLLM's proxy. It never overwrites a file |
| `429chain check` | checks the configuration |
| `429chain demo` | runs with simulated providers: no keys, no file, no network |
| `429chain health` | asks a running proxy whether it is well; for container health checks |
| `429chain explain [MODEL]` | asks a running proxy who would serve a request now, and why the others would not: `--prompt-tokens N`, `--max-tokens N`, `--json`. Needs an admin key (`CHAIN429_ADMIN_KEY`, or `--admin-key KEY`, which others on the machine can see) |
| `429chain admin-key` | makes a new admin key in place of the generated one |
| `429chain classify` | says what provider answers mean: JSON lines in, JSON lines out |

`--help` and `--version` work everywhere. Exit codes: 0 fine, 1 failure while running, 2 mistake in the command line or the configuration.

`SSL_CERT_FILE` names further root certificates (PEM), for a provider behind an authority of your own. `OTEL_*` variables turn
[traces](OPERATING.md#traces) on.
"""

TYPES = """\
## Types of providers

A type is a dialect: how a service announces and refuses. `generic-openai` fits any other service that answers
`POST /chat/completions`; what it sends is read as well as can be.

| type | `baseUrl` when none is given |
|---|---|
"""


@dataclass
class Key:
    """One key of the example."""

    path: str
    value: str
    notes: list = field(default_factory=list)
    group: str = ""


def split(text):
    """Value and comment of the rest of a line. No value of the example has ` #` in it."""
    value, _, note = text.partition("#") if text.startswith("#") else text.partition(" #")
    return value.strip(), note.strip()


class Reader:
    """Reads the example line by line, and keeps the keys in the order of their first place."""

    def __init__(self):
        self.keys = {}
        self.rules = []
        self.open = []  # (column, step) of the mappings and lists that a line is in
        self.above = []  # comments that belong to what comes next
        self.group = ""
        self.last = None

    def line(self, text):
        column = len(text) - len(text.lstrip(" "))
        rest = text.strip()
        if not rest:
            self.last = None
        elif title := re.fullmatch(r"# -+ ([^-].*?) -+", rest):
            self.group, self.above, self.last = title[1], [], None
        elif rest.startswith("#"):
            self.comment(column, rest[1:].strip())
        else:
            while self.open and self.open[-1][0] >= column:
                self.open.pop()
            self.content(column, rest)

    def comment(self, column, note):
        if column >= FAR and self.last:
            self.last.notes.append(note)
        elif column == 0:
            self.rule(note)
        else:
            self.above.append(note)

    def rule(self, note):
        """The head of the file: its list is that of the rules for all values."""
        note = re.sub(r"\$+\{[A-Z]*[^ ]*?(\}|(?=[. ]))", lambda found: f"`{found[0]}`", note)
        if note.startswith("- "):
            self.rules.append(note)
        elif self.rules and note:
            self.rules[-1] += " " + note

    def content(self, column, rest):
        if rest == "-" or rest.startswith("- "):
            self.open.append((column, "[]"))
            column, rest = column + 2, rest[2:]
            if not re.match(r"[A-Za-z]\w*:( |$)", rest):
                return self.item(rest)
        name, _, text = rest.partition(": ") if ": " in rest else rest.partition(":")
        value, note = split(text.strip())
        parent = self.open[-1][1] if self.open else ""
        path = self.path(NAMED.get(parent, name.strip('"')))
        self.open.append((column, NAMED.get(parent, name)))
        self.found(path, value, note)

    def item(self, rest):
        """An item that is no mapping of lines: what it says belongs to its list."""
        value, note = split(rest)
        if value.startswith("{"):
            return  # keys that other lines show
        key = self.keys[self.path("").removesuffix("[].")]
        shown = "`" + re.sub(r"0{64}", "<64 hex digits>", value) + "`"
        key.notes.append("<br>" + ": ".join([shown, *self.above, *([note] if note else [])]))
        self.above, self.last = [], key

    def path(self, name):
        steps = ""
        for _, step in self.open:
            steps += step if step == "[]" else ("." if steps else "") + step
        return steps + ("." if steps else "") + name

    def found(self, path, value, note):
        notes = [*self.above, *([note] if note else [])]
        self.above = []
        if path in self.keys:  # shown before; what else is said of another value is kept
            if notes:
                self.keys[path].notes.append(f"<br>`{value or path}`: " + " ".join(notes))
            self.last = self.keys[path] if notes else None
            return
        self.last = self.keys[path] = Key(path, value, notes, self.group if path.startswith("settings.") else "")


def read(text):
    reader = Reader()
    for line in text.splitlines():
        reader.line(line)
    return reader


def row(key, prefix):
    note = " ".join(re.sub(r"^\.\.\. | \.\.\.$", "", note) for note in key.notes).removeprefix("<br>").replace("|", "\\|")
    value = f"`{key.value}`" if key.value else "–"
    if key.value and key.group and re.search(r"\[\]|[A-Z]{2}", key.path):
        value = f"for example {value}"  # a setting that is the user's own has no default
    return f"| `{key.path.removeprefix(prefix)}` | {value} | {note} |"


def table(title, keys, prefix, column, before=""):
    lines = [f"## {title}" if not title.startswith("#") else title, ""]
    lines += [before, ""] if before else []
    lines += [f"| key | {column} | what |", "|---|---|---|"]
    return "\n".join([*lines, *(row(key, prefix) for key in keys)]) + "\n"


def types():
    source = DIALECTS.read_text()
    kebab = lambda name: re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
    found = [(kebab(name), url) for name, url in re.findall(r'Self::(\w+) => "(https?://[^"]+)"', source)]
    needed = [(name, "none: it has to be given") for name in ("cloudflare", "generic-openai")]
    code = lambda url: f"`{url}`" if "://" in url else url
    return TYPES + "".join(f"| `{name}` | {code(url)} |\n" for name, url in found + needed)


def page():
    reader = read(EXAMPLE.read_text())
    keys = list(reader.keys.values())
    below = lambda prefix, *without: [
        key for key in keys if key.path.startswith(prefix) and not any(key.path.startswith(other) for other in without)
    ]
    parts = [HEAD + "".join(f"{rule}\n" for rule in reader.rules) + AFTER_RULES]
    parts.append(table("Top level", [key for key in keys if re.fullmatch(r"\w+", key.path)], "", "in the example"))
    parts.append("## Settings\n\nValues are the defaults. `–` means that there is none.\n")
    for group in dict.fromkeys(key.group for key in below("settings.")):
        parts.append(table(f"### {group}", [key for key in below("settings.") if key.group == group], "settings.", "default"))
    limits, models = "providers[].rateLimits.", "providers[].models."
    parts.append(
        table("Providers", below("providers[].", limits, models), "providers[].", "example", "Only `id` and `type` are always needed.")
    )
    parts.append(table("Rate limits", below(limits), limits, "example", "`providers[].rateLimits`. How they work: [LIMITS.md](LIMITS.md)."))
    about = "`providers[].models`, by the model as the provider spells it."
    parts.append(table("Exceptions for models", below(models), models, "example", about))
    parts.append(table("Chains", below("chains[]."), "chains[].", "example"))
    parts += [types(), OPTIONS]
    return "\n".join(parts)


def main():
    made = page()
    if sys.argv[1:] == ["--check"]:
        if not TARGET.exists() or TARGET.read_text() != made:
            sys.exit("docs/CONFIGURATION.md is out of date: run python3 docs/reference.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        TARGET.write_text(made)


if __name__ == "__main__":
    main()
