"""The JavaScript clients: a server of its own, and `js/clients.mjs` told where it is.

    python javascript.py PATH_OF_VDB DIRECTORY_WITH_NODE_MODULES
"""

import pathlib
import shutil
import subprocess
import sys

import server


def main():
    binary, installed = sys.argv[1:]
    # Node looks for packages beside the script, so the script goes beside the packages.
    script = shutil.copy(pathlib.Path(__file__).parent / "js" / "clients.mjs", installed)
    with server.running(binary) as it:
        subprocess.run(["node", script, str(it.http_port), str(it.grpc_port)], check=True)


if __name__ == "__main__":
    main()
