"""The checks of documents find what is wrong."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import blocks
import words


def document(text):
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "a.md"
    path.write_text(text)
    return folder, path


class Words(unittest.TestCase):
    def test_links_and_anchors_have_to_be_there(self):
        folder, path = document("# A `b` c\n\n# A `b` c\n[1](#a-b-c) [2](#a-b-c-1) [3](a.md#a-b-c) [4](#nowhere) [5](b.md) <img src=\"c.png\">\n")
        with folder:
            told = list(words.broken_links(path))
        self.assertEqual(told, ["#nowhere: there is no such heading", "b.md leads nowhere", "c.png leads nowhere"])

    def test_code_holds_no_links_and_no_headings(self):
        folder, path = document("```sh\n# no heading\n[x](y.md)\n```\n`[x](z.md)` [other](https://a.example/b.md)\n")
        with folder:
            self.assertEqual(list(words.broken_links(path)), [])
            self.assertEqual(words.anchors(path.read_text()), set())

    def test_routes_are_read_from_tables_and_from_the_document(self):
        told = words.routes_told("| `PUT, DELETE /v1/a/{id}` | x |\n| `GET /health` |\n`curl /no`")
        self.assertEqual(told, {"PUT /v1/a/{id}", "DELETE /v1/a/{id}", "GET /health"})
        there = words.routes_there({"paths": {"/health": {"get": {}, "parameters": []}}})
        self.assertEqual(told - there, {"PUT /v1/a/{id}", "DELETE /v1/a/{id}"})

    def test_messages_have_to_be_the_programs(self):
        texts = [["cannot listen on ", ": ", ". Choose another with --host and --port"]]
        good = "429chain: cannot listen on 127.0.0.1:1: in use. Choose another with --host and --port"
        self.assertEqual(words.strange_messages([good], texts), [])
        self.assertEqual(words.strange_messages(["429chain: it cannot listen there"], texts), ["429chain: it cannot listen there"])

    def test_texts_are_read_as_the_compiler_does(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a.rs").write_text('f("one {x} and \\\n    two\\nthree words", \'"\', "short")')
            self.assertEqual(list(words.literals(Path(folder))), [["one ", " and two"], ["three words"]])


class Blocks(unittest.TestCase):
    def test_blocks_and_directives_come_in_order(self):
        text = "<!-- test: demo -->\n```sh\na\n```\n- x\n\n  ```yaml f.yaml\n  b: 1\n  ```\n"
        found = [(block.line, block.language, block.name, block.text) for block in blocks.blocks(text)]
        self.assertEqual(found, [(1, "test", "demo", ""), (2, "sh", "", "a\n"), (7, "yaml", "f.yaml", "b: 1\n")])

    def test_parts_of_configurations_are_made_whole(self):
        self.assertEqual(blocks.whole("version: 1\n"), "version: 1\n")
        self.assertIn("providers:\n  - id: a\n    type: local\n    rateLimits: {}\n", blocks.whole("rateLimits: {}\n"))
        self.assertIn("settings:\n  apiKeys: [a-key]\n  port: 1\n", blocks.whole("settings:\n  port: 1\n"))
        self.assertIn("- { id: x, type: openai", blocks.whole("chains:\n  - { name: c, entries: [{ provider: x, model: m }] }\n"))

    def test_what_serves_is_told_from_what_ends(self):
        def serves(line):
            found = blocks.SERVES.fullmatch(line)
            return bool(found) and not blocks.ENDS & set(found["arguments"].split())

        for line in ("429chain", "429chain demo --port 0  # it", "A=b 429chain serve --create-config"):
            self.assertTrue(serves(line), line)
        for line in ("429chain check", "429chain --config x init", "echo 1 | 429chain classify", "429chain --version", "curl x"):
            self.assertFalse(serves(line), line)

    def run_of(self, text):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(blocks, "ROOT", Path(folder)):
            path = Path(folder) / "a.md"
            path.write_text(text)
            home = Path(folder) / "home"
            home.mkdir()
            run = blocks.Run("/bin/true", home)
            run.all(path)
            return run

    def test_what_a_block_exports_and_where_it_is_stays(self):
        run = self.run_of("```sh\nexport A='b c'\nmkdir d\ncd d\n```\n```sh\n[ \"$A\" = 'b c' ]\n[ ${PWD##*/} = d ]\n```\n")
        self.assertEqual(run.count, 2)

    def test_a_block_that_fails_is_told_with_its_line(self):
        with self.assertRaisesRegex(blocks.Failed, r"a\.md:3: exit code 1\nwhy"):
            self.run_of("# a\n\n```sh\necho why\nfalse\ntrue\n```\n")
        for text in ("```json\n{\n```\n", "<!-- test: nothing -->\n", "```console\ntests/nowhere/run\n```\n"):
            with self.assertRaises(blocks.Failed, msg=text):
                self.run_of(text)

    def test_a_block_can_be_left_out_with_a_reason(self):
        run = self.run_of("<!-- test: skip too loud -->\n```sh\nfalse\n```\n```sh\ntrue\n```\n")
        self.assertEqual((run.count, run.notes), (1, ["line 1 is not run: too loud"]))

    def test_keys_are_those_that_were_printed_last(self):
        run = self.run_of("```sh\necho 'Client key for your apps: sk-429-1a'\n```\n```sh\n[ sk-429-... = sk-429-1a ]\n```\n")
        self.assertEqual((run.count, run.keys), (2, {"sk-429-...": "sk-429-1a"}))


if __name__ == "__main__":
    unittest.main()
