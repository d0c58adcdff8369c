"""What the comparisons share: the command, and what held of what was checked."""

import subprocess


class Checks:
    def __init__(self):
        self.good = self.bad = 0

    def check(self, holds, what):
        if holds:
            self.good += 1
        else:
            self.bad += 1
            print("FAILED:", what)


def vdb(command, *arguments, folder=None):
    """Runs the command, in `folder`, and returns what it prints."""
    done = subprocess.run([command, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("vdb %s: %s" % (" ".join(arguments), done.stderr.strip()))
    return done.stdout
