#!/usr/bin/env python3
"""How long do a million points take in and out of each format, and how much memory?

  figures.py VDB [--points N] [--dim D] [--dir DIR] [--formats backup,parquet]

VDB is the command, a release build with `--features full`. Makes N points (1,000,000) of D numbers (128) with a payload each, loads them,
writes and reads them in every format, or in those that are named, and migrates them to another directory; prints a table with the time, that of
all cores together, the size, and the peak of resident memory of each command, with and without the pages of mapped files, which the system takes
back when it needs them. Needs Linux, about 8 GB in DIR, and nothing but Python.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time


def make(folder, points, dim):
    """Vectors of random bytes, which as 32-bit floats are whole numbers, and payloads."""
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d), }" % (points, dim)
    header = header.ljust(117) + "\n"
    with open(os.path.join(folder, "vectors.npy"), "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        for start in range(0, points, 10000):
            file.write(os.urandom(dim * min(10000, points - start)))
    with open(os.path.join(folder, "payloads.jsonl"), "w", encoding="utf-8") as file:
        for number in range(points):
            file.write('{"n": %d, "word": "w\u00f6rd %d", "half": %s, "tags": ["a", null, %s]}\n'
                       % (number, number % 997, number / 2, "true" if number % 2 else "false"))


def size(path):
    if os.path.isdir(path):
        return sum(size(os.path.join(path, name)) for name in os.listdir(path))
    return os.path.getsize(path)


def anonymous(pid):
    """Resident memory without the pages of files, in kB; 0 once the process has ended."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("RssAnon:")), 0)
    except OSError:
        return 0


class Table:
    def __init__(self, command, folder):
        self.command, self.folder = command, folder
        print("%-18s %9s %9s %9s %9s %9s" % ("what", "seconds", "CPU s", "RSS MB", "own MB", "size MB"), flush=True)

    def run(self, what, made, *arguments):
        started = time.monotonic()
        child = subprocess.Popen([self.command, *arguments, "--quiet"], cwd=self.folder, stdout=subprocess.DEVNULL)
        peak, ended = 0, 0
        while not ended:
            peak = max(peak, anonymous(child.pid))
            time.sleep(0.02)
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        took = time.monotonic() - started
        if status != 0:
            sys.exit("vdb %s failed" % " ".join(arguments))
        cpu = usage.ru_utime + usage.ru_stime
        bytes = size(os.path.join(self.folder, made))
        memory = usage.ru_maxrss / 1024, peak / 1024
        print("%-18s %9.1f %9.1f %9.0f %9.0f %9.0f" % (what, took, cpu, *memory, bytes / 1e6), flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("vdb")
    arguments.add_argument("--points", type=int, default=1_000_000)
    arguments.add_argument("--dim", type=int, default=128)
    arguments.add_argument("--dir")
    arguments.add_argument("--formats", default="backup,parquet,jsonl,faiss,npy,migrate")
    arguments = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as folder:
        make(folder, arguments.points, arguments.dim)
        table = Table(os.path.abspath(arguments.vdb), folder)
        table.run("load .npy, .jsonl", "db", "load", "db", "c", "vectors.npy", "--payload", "payloads.jsonl",
                  "--distance", "euclid", "--no-index", "--durability", "buffered")
        asked = arguments.formats.split(",")
        for name in [one for one in ["backup", "parquet", "jsonl", "faiss"] if one in asked]:
            file = "c." + name
            table.run("export " + name, file, "export", "db", "c", file, "--format", name)
            more = ["--distance", "euclid"] if name == "jsonl" else []
            table.run("import " + name, "again", "import", file, "again", "--no-index", "--durability", "buffered", *more)
            shutil.rmtree(os.path.join(folder, "again"))
            if os.path.isdir(os.path.join(folder, file)):
                shutil.rmtree(os.path.join(folder, file))
            else:
                os.remove(os.path.join(folder, file))
        if "npy" in asked:
            table.run("export npy", "c.npy", "export", "db", "c", "c.npy", "--format", "npy", "--rows", "rows.jsonl")
            table.run("load npy, rows", "again", "load", "again", "c", "c.npy", "--rows", "rows.jsonl", "--distance", "euclid",
                      "--no-index", "--durability", "buffered")
            shutil.rmtree(os.path.join(folder, "again"))
        if "migrate" in asked:
            table.run("migrate", "again", "migrate", "--from", "db", "--to", "again", "--no-index")


if __name__ == "__main__":
    main()
