"""Tests of peers.py and sets.py; they need none of the libraries that are measured, and only those of vectors need NumPy."""
import argparse
import importlib.util
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import peers

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


@unittest.skipUnless(importlib.util.find_spec("numpy"), "NumPy is not installed")
class Vectors(unittest.TestCase):
    def setUp(self):
        import numpy as np

        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, random = Path(folder.name), np.random.default_rng(1)
        self.rows = random.normal(size=(60, 5)).astype(np.float32)
        self.rows[7] = 0

    def fvecs(self, rows=None):
        file = self.folder / "some.set.fvecs"
        rows = self.rows if rows is None else rows
        file.write_bytes(b"".join(struct.pack(f"<i{len(row)}f", len(row), *row) for row in rows))
        return file

    def npy(self, name, rows):
        import numpy as np

        np.save(self.folder / name, rows)
        return self.folder / name

    def read(self, data, split=None, rows=None, distance="cosine"):
        return peers.DataSet(argparse.Namespace(data=data, split=split, queries=20, rows=rows, distance=distance))

    def test_files_of_both_kinds_give_the_same_set(self):
        import numpy as np

        for distance in ("cosine", "dot", "euclid"):
            one = self.read(self.fvecs(), distance=distance)
            other = self.read(self.npy("some.npy", self.rows), distance=distance)
            self.assertEqual((one.name, one.dim, one.base.shape, one.queries.shape), ("some", 5, (40, 5), (20, 5)))
            self.assertTrue((one.base == other.base).all() and (one.queries == other.queries).all())
            self.assertEqual(one.truth, other.truth)
            self.assertEqual((one.base.dtype, one.base.flags.c_contiguous, one.base.flags.writeable), (np.float32, True, True))

    def test_the_split_names_the_queries_and_the_others_keep_their_order(self):
        import numpy as np

        split = self.npy("split.npy", np.array([59, 3], np.uint64))
        found = self.read(self.fvecs(), split=split, rows=10, distance="dot")
        self.assertTrue((found.queries == self.rows[[59, 3]]).all())
        self.assertTrue((found.base == self.rows[[0, 1, 2, 4, 5, 6, 7, 8, 9, 10]]).all())

    def test_lengths_become_one_and_those_of_nothing_stay(self):
        import numpy as np

        split = self.npy("split.npy", np.array([59], np.uint64))
        found = self.read(self.npy("half.npy", self.rows.astype(np.float16)), split=split)
        lengths = np.linalg.norm(found.base, axis=1)
        self.assertEqual(lengths[7], 0)
        self.assertTrue((abs(np.delete(lengths, 7) - 1) < 1e-6).all())

    def test_truth_is_what_a_sort_of_all_distances_says(self):
        import numpy as np

        found = self.read(self.fvecs(), distance="euclid")
        for query, truth in zip(found.queries, found.truth):
            apart = np.linalg.norm(found.base - query, axis=1)
            self.assertEqual(truth, set(np.argsort(apart)[:10].tolist()))

    def test_files_that_are_no_vectors_are_refused(self):
        whole = self.fvecs().read_bytes()
        ragged = struct.pack("<i2f", 2, 1, 2) + struct.pack("<ifi", 1, 1, 0)
        for wrong, told in ((b"", "not a whole number"), (whole[:-1], "not a whole"), (whole[:-4], "not a whole"), (ragged, "different lengths")):
            file = self.folder / "wrong.fvecs"
            file.write_bytes(wrong)
            with self.assertRaisesRegex(ValueError, told):
                peers.vectors_of(file)


if __name__ == "__main__":
    unittest.main()
