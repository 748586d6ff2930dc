"""What the documents name, held against where it comes from."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def without_code(text):
    """A document without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)


def anchors(text):
    """What `#...` may name in a document, as GitHub makes it from its headings."""
    found = []
    for heading in re.findall(r"^#+ +(.*?)\s*$", without_code(text), re.M):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        same = sum(1 for other in found if re.fullmatch(re.escape(slug) + r"(-\d+)?", other))
        found.append(f"{slug}-{same}" if same else slug)
    return set(found)


def broken_links(document, root=ROOT):
    """Links of a document to what is not there."""
    text = without_code(document.read_text())
    text = re.sub(r"`[^`\n]*`", "", text)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists():
            yield f"{target} leads nowhere"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text()):
            yield f"{target}: there is no such heading"


def routes_told(text):
    """`METHOD /path` of the tables of a document. Several methods may stand before a path."""
    told = set()
    for methods, path in re.findall(r"`((?:[A-Z]+, )*[A-Z]+) (/[^`? ]+)`", text):
        told |= {f"{method} {path}" for method in methods.split(", ")}
    return told


def routes_there(openapi):
    methods = {"get", "head", "put", "post", "delete", "patch"}
    return {f"{method.upper()} {path}" for path, calls in openapi["paths"].items() for method in calls if method in methods}


def literals(root=ROOT / "src"):
    """The texts of the program as lists of what stands between the things that are put into them."""
    for file in sorted(root.rglob("*.rs")):
        source = file.read_text().replace("'\"'", "")
        for text in re.findall(r'"((?:[^"\\]|\\.)*)"', source, re.S):
            text = re.sub(r"\\\n\s*", "", text).replace('\\"', '"')
            for line in text.replace("\\n", "\n").splitlines():
                fixed = re.split(r"\{[^{}]*\}", line.replace("{{", "\0").replace("}}", "\1"))
                fixed = [part.replace("\0", "{").replace("\1", "}") for part in fixed]
                if max(map(len, fixed), default=0) >= 6:
                    yield fixed


def said(line, texts):
    """Which part of a line is in the program: 1 is all of it. Where in a file something is does not count."""
    line = re.sub(r"^(429chain: )?(\S+\.yaml:\d+:\d+: )?([\w.[\]]+: )?", "", line.strip())
    told = bytearray(len(line))
    for fixed in texts:
        if not all(part in line for part in fixed):
            continue
        if found := re.search(".*?".join(f"({re.escape(part)})" for part in fixed), line):
            for group, part in enumerate(fixed, 1):
                if len(part) >= 4:
                    told[slice(*found.span(group))] = b"x" * len(part)
    return told.count(b"x") / max(len(line), 1)


def strange_messages(lines, texts):
    """Lines of which less than half is the program's."""
    return [line for line in lines if said(line, texts) < 0.5]


def metrics_there(root=ROOT / "src"):
    """Names of all metrics, also of those that nothing has been counted of yet; `_total` is put to counters when they are shown."""
    files = [root / "actors/metrics.rs", root / "web/metrics.rs", root / "web/metrics/gauges.rs"]
    found = re.findall(r'register\(\s*"(\w+)"', "".join(file.read_text() for file in files))
    return {f"chain429_{name}" for name in found}
