"""Shows that the gate can fail, and at what: python3 -m unittest discover tests/gate"""

import copy
import unittest

import deny

RULES = {
    "graph": {"targets": ["x86_64-unknown-linux-gnu"]},
    "licenses": {"allow": ["MIT"], "unused-allowed-license": "deny"},
    "bans": {
        "multiple-versions": "deny",
        "wildcards": "deny",
        "skip": [{"crate": "http@0.2", "reason": "why not"}],
    },
    "sources": {
        "unknown-registry": "deny",
        "unknown-git": "deny",
        "allow-registry": ["https://github.com/rust-lang/crates.io-index"],
    },
}
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def package(name, version, licence="MIT", source=CRATES_IO, dependencies=()):
    wanted = [{"name": dependency, "req": req} for dependency, req in dependencies]
    return {
        "id": f"{name}@{version}",
        "name": name,
        "version": version,
        "license": licence,
        "source": source,
        "dependencies": wanted,
    }


def tree(*packages, dev=()):
    """A workspace `own` that depends on all `packages`; on those named in `dev` only for its tests."""
    own = package("own", "1.0.0", source=None)
    deps = [
        {"pkg": found["id"], "dep_kinds": [{"kind": "dev" if found["id"] in dev else None, "target": None}]}
        for found in packages
    ]
    nodes = [{"id": found["id"], "deps": []} for found in packages]
    return {
        "packages": [own, *packages],
        "workspace_members": [own["id"]],
        "resolve": {"nodes": [{"id": own["id"], "deps": deps}, *nodes]},
    }


OLD_HTTP, NEW_HTTP = package("http", "0.2.12"), package("http", "1.5.0")


class Gate(unittest.TestCase):
    def check(self, metadata, rules=RULES):
        return deny.violations(rules, metadata, [metadata])

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.check(tree(OLD_HTTP, NEW_HTTP)), [])

    def test_expressions_are_read_as_spdx_has_them(self):
        allowed = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"}
        for expression, outcome in {
            "MIT": True,
            "GPL-3.0-only": False,
            "GPL-3.0-only OR MIT": True,
            "GPL-3.0-only AND MIT": False,
            "GPL-3.0-only/MIT": True,
            "Apache-2.0 / GPL-3.0-only": True,
            "MIT AND GPL-3.0-only OR Apache-2.0": True,
            "MIT AND (GPL-3.0-only OR Apache-2.0)": True,
            "(MIT OR Apache-2.0) AND GPL-3.0-only": False,
            "Apache-2.0 WITH LLVM-exception": True,
            "MIT WITH LLVM-exception": False,
            "GPL-2.0+": False,
        }.items():
            self.assertEqual(deny.satisfied(deny.licence_terms(expression), allowed), outcome, expression)

    def test_what_is_no_expression_is_no_licence(self):
        for expression in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Apache-2.0", "MIT WITH", "()"]:
            with self.assertRaises(ValueError, msg=expression):
                deny.licence_terms(expression)

    def test_licences(self):
        http = [OLD_HTTP, NEW_HTTP]
        for licence, said in {
            "GPL-3.0-only": "copyleft 1.0.0 is under GPL-3.0-only, which licenses.allow does not cover",
            None: "copyleft 1.0.0 names no licence",
            "MIT OR": "copyleft 1.0.0: 'MIT OR' is no licence expression",
        }.items():
            self.assertEqual(self.check(tree(*http, package("copyleft", "1.0.0", licence))), [said])
        generous = copy.deepcopy(RULES)
        generous["licenses"]["allow"].append("Zlib")
        self.assertIn("names Zlib, under which nothing is", self.check(tree(*http), generous)[0])

    def test_a_crate_in_two_versions(self):
        two = [package("rand", "0.8.5"), package("rand", "0.9.1")]
        found = self.check(tree(OLD_HTTP, NEW_HTTP, *two))
        self.assertEqual(len(found), 1)
        self.assertIn("rand is in the tree in versions 0.8.5, 0.9.1", found[0])
        self.assertEqual(self.check(tree(OLD_HTTP, NEW_HTTP, *two, dev=("rand@0.8.5",))), [])

    def test_a_third_version_is_not_excused_by_the_second(self):
        found = self.check(tree(OLD_HTTP, NEW_HTTP, package("http", "0.20.1")))
        self.assertIn("http is in the tree in versions 0.20.1, 1.5.0", found[0])

    def test_an_excuse_that_is_not_needed(self):
        self.assertIn("http@0.2 is not one of several versions", self.check(tree(NEW_HTTP))[0])
        self.assertIn("http@0.2 is not one of several versions", self.check(tree(OLD_HTTP))[0])

    def test_an_excuse_without_version_or_reason(self):
        for skip, said in [
            ({"crate": "http", "reason": "x"}, "must say which version"),
            ({"crate": "http@0.2"}, "no reason"),
        ]:
            rules = copy.deepcopy(RULES)
            rules["bans"]["skip"] = [skip]
            self.assertIn(said, self.check(tree(OLD_HTTP, NEW_HTTP), rules)[0])

    def test_sources(self):
        http = [OLD_HTTP, NEW_HTTP]
        fork = package("fork", "1.0.0", source="git+https://example.org/fork#abc")
        self.assertEqual(self.check(tree(*http, fork)), ["fork 1.0.0 comes from git+https://example.org/fork#abc"])
        near = package("near", "1.0.0", source=None)
        self.assertEqual(self.check(tree(*http, near)), ["near 1.0.0 comes from a local path"])

    def test_a_dependency_on_any_version(self):
        metadata = tree(OLD_HTTP, NEW_HTTP)
        metadata["packages"][0] = package("own", "1.0.0", source=None, dependencies=[("http", "*")])
        self.assertEqual(self.check(metadata), ["own depends on any version of http"])

    def test_rules_that_are_not_enforced_are_refused(self):
        for table, key, value in [
            ("bans", "deny", []),
            ("bans", "wildcards", "warn"),
            ("advisories", "yanked", "deny"),
        ]:
            rules = copy.deepcopy(RULES)
            rules.setdefault(table, {})[key] = value
            self.assertIn(f"{table}.{key}", self.check(tree(OLD_HTTP, NEW_HTTP), rules)[0])
        rules = copy.deepcopy(RULES)
        del rules["graph"]
        self.assertEqual(self.check(tree(OLD_HTTP, NEW_HTTP), rules), ["deny.toml: graph.targets is missing"])


if __name__ == "__main__":
    unittest.main()
