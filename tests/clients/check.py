"""Says hello by each agent, set up as its section of docs/CLIENTS.md tells. See run."""

import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/docs"))

import blocks  # noqa: E402

SAYS = "running inside 429chain"  # every simulated model does


def section(name):
    """The blocks below a heading."""
    text = (ROOT / "docs/CLIENTS.md").read_text()
    _, found, rest = text.partition(f"\n## {name}\n")
    assert found, f"docs/CLIENTS.md has no section {name}"
    return blocks.blocks(re.split(r"^## ", rest, maxsplit=1, flags=re.M)[0])


def command(name):
    """The line of its section that starts it, or sets it up."""
    (block,) = (block for block in section(name) if block.language == "console")
    return block.text.strip()


def aider(run):
    for block in section("Aider"):
        if block.language == "sh":
            run.one(block)
    alone = "--no-git --no-check-update --analytics-disable --no-show-model-warnings --yes-always"
    return f"{command('Aider')} {alone} --message Hello"


def cline(run):
    return f"{command('Cline')}\ncline --timeout 60 --auto-approve false 'Say hello to the world'"


def continue_(run):
    for block in section("Continue"):
        run.one(block)
    return "cn --config continue.yaml --print Hello"


def opencode(run):
    (settings,) = (block for block in section("opencode") if block.language == "json")
    (run.folder / "opencode.json").write_text(run.fill(settings.text))
    run.environment["CHAIN429_KEY"] = run.keys["sk-429-..."]
    return command("opencode")


AGENTS = {"aider": aider, "cline": cline, "continue": continue_, "opencode": opencode}


def says(agent):
    """What an agent has to say, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        run = blocks.Run(os.environ["CHAIN429_BIN"], Path(folder))
        try:
            run.serve({}, ["demo"])
            return run.output(["bash", "-eu", "-c", run.fill(agent(run))])
        except blocks.Failed as fault:
            return str(fault)
        finally:
            run.stop()


def main(names):
    if unknown := set(names) - set(AGENTS):
        sys.exit(f"tests/clients/run: no agent is called {', '.join(unknown)}. There are: {', '.join(AGENTS)}")
    silent = 0
    for name in names or AGENTS:
        said = says(AGENTS[name])
        silent += SAYS not in said
        print(f"{name}: answered" if SAYS in said else f"{name} has no answer of the demo:\n{said}", flush=True)
    sys.exit(1 if silent else 0)


main(sys.argv[1:])
