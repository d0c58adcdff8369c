"""Tests of the command lines of peers.py and sets.py; they need none of the libraries that are measured."""
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent


def said(*options, script="peers.py"):
    """What is said to these options, and the exit status."""
    command = [sys.executable, HERE / script, "--data", "missing.npy", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


class CommandLine(unittest.TestCase):
    def test_names_that_are_none_are_refused(self):
        for only in ("hnswlib,", "", ",", "hnswlib,nonsense"):
            status, text = said("--only", only)
            self.assertEqual(status, 2, text)
            self.assertIn("--only", text)
            self.assertIn("usearch-f32", text)

    def test_queries_beside_a_split_are_refused(self):
        status, text = said("--queries", "5", "--split", "rows.npy")
        self.assertEqual(status, 2, text)
        self.assertIn("not allowed with", text)

    def test_a_system_that_fails_gives_a_line_and_the_next_is_measured(self):
        status, text = said("--only", "hnswlib,usearch-i8")
        self.assertEqual(status, 0, text)
        for name in ("hnswlib", "usearch-i8"):
            self.assertIn(f'{{"system": "{name}", "error": ', text)

    def test_other_distances_are_refused_where_a_system_is_set_up_for_cosine(self):
        status, text = said("--distance", "dot", "--only", "ngt-anng,zvec-int8")
        self.assertEqual(status, 0, text)
        self.assertEqual(text.count("--distance dot: measured by hnswlib"), 4, text)

    def test_sets_need_a_directory(self):
        status, text = said(script="sets.py")
        self.assertEqual(status, 2, text)
        self.assertIn("--out", text)


if __name__ == "__main__":
    unittest.main()
