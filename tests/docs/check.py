"""Runs the documents, and holds what they name to what is there. See blocks.py and words.py."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import blocks
import words

ROOT = words.ROOT
BINARY = os.path.abspath(os.environ["CHAIN429_BIN"])
RUN = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
READ = [*RUN, ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]


def differ(what, told, there):
    yield from (f"{what}: {one} is told of, and does not exist" for one in sorted(told - there))
    yield from (f"{what}: {one} is not told of" for one in sorted(there - told))


def names():
    """Faults of what documents name, by what a proxy and its help say."""
    text = lambda name: (ROOT / "docs" / name).read_text()
    with tempfile.TemporaryDirectory() as folder:
        run = blocks.Run(BINARY, Path(folder))
        run.serve({}, ["demo"])
        openapi = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{run.port}/v1/openapi.json").read())
        run.stop()
    yield from differ("docs/API.md", words.routes_told(text("API.md")), words.routes_there(openapi))
    codes = set(re.findall(r"^\| `([a-z_]+)` \| \d{3} \|", text("API.md"), re.M))
    yield from differ("docs/API.md", codes, set(openapi["components"]["schemas"]["ErrorCode"]["enum"]))
    counted = {name.removesuffix("_total") for name in re.findall(r"`(chain429_\w+)`", text("OPERATING.md"))}
    yield from differ("docs/OPERATING.md", counted, words.metrics_there())
    helps = [subprocess.run([BINARY, *c, "--help"], text=True, capture_output=True).stdout for c in commands()]
    there = set(re.findall(r"--[a-z][a-z-]+|CHAIN429_\w+", "".join(helps)))
    told = set(re.findall(r"--[a-z][a-z-]+|CHAIN429_\w+", text("CONFIGURATION.md")))
    yield from differ("docs/CONFIGURATION.md", told, there)
    said = [block for block in blocks.blocks(text("FAQ.md")) if block.language == "text"]
    texts = list(words.literals())
    for block in said:
        strange = words.strange_messages(block.text.splitlines(), texts)
        yield from (f"docs/FAQ.md:{block.line}: the program does not say: {line}" for line in strange)


def unit():
    """What systemd says about the unit, with the program where it is."""
    if not shutil.which("systemd-analyze"):
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "429chain.service"
        copy.write_text((ROOT / "docs/429chain.service").read_text().replace("/usr/local/bin/429chain", BINARY))
        done = subprocess.run(["systemd-analyze", "verify", copy], text=True, capture_output=True)
    if said := (done.stdout + done.stderr).strip():
        yield f"docs/429chain.service: {said}"


def commands():
    shown = subprocess.run([BINARY, "--help"], text=True, capture_output=True).stdout
    listed = re.search(r"^Commands:\n(.*?)\n\n", shown, re.M | re.S)[1]
    return [[], *([name] for name in re.findall(r"^  (\S+)", listed, re.M) if name != "help")]


def run(document):
    """What there is to say about the blocks of a document, and what is wrong with them."""
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        run = blocks.Run(BINARY, Path(folder))
        try:
            run.all(document)
        except blocks.Failed as fault:
            faults.append(str(fault))
    return "\n  ".join([f"{document.relative_to(ROOT)}: {run.count} blocks", *run.notes]), faults


def main():
    wanted = [Path(name).resolve() for name in sys.argv[1:]]
    faults = []
    with ThreadPoolExecutor(max_workers=3) as pool:  # they wait for slow providers of the demo most of the time
        for report, found in pool.map(run, wanted or RUN):
            print(report)
            faults += found
    if not wanted:
        faults += [f"{document.relative_to(ROOT)}: {fault}" for document in READ for fault in words.broken_links(document)]
        faults += [*names(), *unit()]
    for fault in faults:
        print(f"docs: {fault}", file=sys.stderr)
    print("docs: fine" if not faults else f"docs: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
