"""Holds the dependency tree to deny.toml: licences, crates in two versions, sources.

It reads the part of cargo-deny's format that deny.toml uses, and refuses keys that it does not know: a rule that is
written down and not enforced is worse than none. Python's standard library is all it needs.

    python3 tests/gate/deny.py
"""

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The tables and keys that are enforced here; for the strings among them, the only value that is.
KNOWN = {
    "graph": {"targets": list},
    "licenses": {"allow": list, "unused-allowed-license": "deny"},
    "bans": {"multiple-versions": "deny", "wildcards": "deny", "skip": list},
    "sources": {"unknown-registry": "deny", "unknown-git": "deny", "allow-registry": list},
}


def unknown_rules(rules):
    """Rules that nobody would enforce, and tables that are missing."""
    for table, keys in rules.items():
        for key, value in keys.items():
            meaning = KNOWN.get(table, {}).get(key)
            if meaning is None or (meaning is not list and meaning != value):
                yield f"deny.toml: {table}.{key} = {value!r} is not enforced by tests/gate/deny.py"
    for table, keys in KNOWN.items():
        for key in keys.keys() - rules.get(table, {}).keys():
            yield f"deny.toml: {table}.{key} is missing"


def licence_terms(expression):
    """An SPDX expression as nested tuples: ("or"|"and", left, right), or a licence with its exception as a string."""
    # The slash is how manifests said OR before SPDX.
    words = re.findall(r"[()]|[^\s()/]+|/", expression)
    at = 0

    def peek():
        return words[at] if at < len(words) else None

    def take():
        nonlocal at
        at += 1
        return words[at - 1]

    def single():
        if peek() is None or peek() in (")", "/", "OR", "AND", "WITH"):
            raise ValueError(f"{expression!r} is no licence expression")
        if take() == "(":
            inner = either()
            if peek() != ")":
                raise ValueError(f"{expression!r} lacks a closing parenthesis")
            take()
            return inner
        licence = words[at - 1]
        if peek() == "WITH":
            take()
            return f"{licence} WITH {single()}"
        return licence

    def both():
        terms = single()
        while peek() == "AND":
            take()
            terms = ("and", terms, single())
        return terms

    def either():
        terms = both()
        while peek() in ("OR", "/"):
            take()
            terms = ("or", terms, both())
        return terms

    terms = either()
    if peek() is not None:
        raise ValueError(f"{expression!r} goes on after its end with {peek()!r}")
    return terms


def names(terms):
    """All licences in an expression."""
    if isinstance(terms, str):
        return {terms}
    return names(terms[1]) | names(terms[2])


def satisfied(terms, allowed):
    """Whether the expression leaves a choice that is allowed."""
    if isinstance(terms, str):
        return terms in allowed
    operator, left, right = terms
    combine = any if operator == "or" else all
    return combine((satisfied(left, allowed), satisfied(right, allowed)))


def licences(packages, rules):
    """Packages of all platforms, tests included: their sources are fetched and built on somebody's machine."""
    allowed = set(rules["licenses"]["allow"])
    seen = set()
    for package in packages:
        label = f"{package['name']} {package['version']}"
        if not package["license"]:
            yield f"{label} names no licence"
            continue
        try:
            terms = licence_terms(package["license"])
        except ValueError as fault:
            yield f"{label}: {fault}"
            continue
        seen |= names(terms)
        if not satisfied(terms, allowed):
            yield f"{label} is under {package['license']}, which licenses.allow does not cover"
    for licence in sorted(allowed - seen):
        yield f"licenses.allow names {licence}, under which nothing is: remove it"


def shipped(metadata):
    """Ids of the packages that the workspace needs to be built, without those of tests and benches."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = list(metadata["workspace_members"])
    found = set()
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    return found


def duplicates(metadata, rules):
    """Crates in more than one version, and exceptions that are none (any more)."""
    versions = defaultdict(set)
    wanted = shipped(metadata)
    for package in metadata["packages"]:
        if package["id"] in wanted:
            versions[package["name"]].add(package["version"])
    doubled = {name: found for name, found in versions.items() if len(found) > 1}
    for skip in rules["bans"]["skip"]:
        name, _, wanted_version = skip["crate"].partition("@")
        if not re.fullmatch(r"\d+(\.\d+){0,2}", wanted_version):
            yield f"bans.skip: {skip['crate']} must say which version, like {name}@1.2"
            continue
        if not skip.get("reason"):
            yield f"bans.skip: {skip['crate']} has no reason"
        matching = {
            version for version in doubled.get(name, ()) if f"{version}.".startswith(f"{wanted_version}.")
        }
        if not matching:
            yield f"bans.skip: {skip['crate']} is not one of several versions of {name} any more: remove it"
        doubled[name] = doubled.get(name, set()) - matching
    for name, left in sorted(doubled.items()):
        if len(left) > 1:
            yield f"{name} is in the tree in versions {', '.join(sorted(left))}: cargo tree -i {name}@VERSION"


def wildcards(metadata):
    """Own dependencies on any version at all."""
    for package in metadata["packages"]:
        if package["id"] in metadata["workspace_members"]:
            for dependency in package["dependencies"]:
                if dependency["req"] == "*" and not dependency.get("path"):
                    yield f"{package['name']} depends on any version of {dependency['name']}"


def sources(metadata, rules):
    """Packages that come from elsewhere than the registries that are trusted."""
    allowed = {f"registry+{url}" for url in rules["sources"]["allow-registry"]}
    for package in metadata["packages"]:
        if package["source"] not in allowed and package["id"] not in metadata["workspace_members"]:
            yield f"{package['name']} {package['version']} comes from {package['source'] or 'a local path'}"


def violations(rules, everything, on_targets):
    """All that is wrong; `everything` is the metadata of all platforms, `on_targets` that of each one that counts."""
    wrong = list(unknown_rules(rules))
    if wrong:
        return wrong
    wrong += [*licences(everything["packages"], rules), *wildcards(everything), *sources(everything, rules)]
    for metadata in on_targets:
        wrong += duplicates(metadata, rules)
    return wrong


def cargo_metadata(*options):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", *options]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    everything = cargo_metadata()
    targets = rules.get("graph", {}).get("targets", [])
    wrong = violations(rules, everything, [cargo_metadata("--filter-platform", target) for target in targets])
    for fault in wrong:
        print(f"deny: {fault}", file=sys.stderr)
    if wrong:
        return 1
    print(f"deny: {len(everything['packages'])} packages keep to deny.toml")
    return 0


if __name__ == "__main__":
    sys.exit(main())
