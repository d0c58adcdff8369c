"""A `vdb serve` of its own for a test: started on free ports and an empty directory, stopped and looked at when done."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Where a running server is reached."""

    def __init__(self, process, http_port, grpc_port, log):
        self.process, self.http_port, self.grpc_port, self.log = process, http_port, grpc_port, log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def wait_until_ready(self, seconds: float = 30) -> None:
        """Returns when `/readyz` says yes; raises with the server's log when it does not in time or the process ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            time.sleep(0.02)
        raise RuntimeError(f"the server was not ready after {seconds} s:\n{self.tail()}")

    def tail(self) -> str:
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-40:])

    def stop(self) -> None:
        """Asks the server to end, as an init system does, and checks that it ended well."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        if code != 0:
            raise RuntimeError(f"the server ended with {code} after SIGTERM:\n{self.tail()}")

    def kill(self) -> None:
        """Takes the process away without notice."""
        self.process.kill()
        self.process.wait(timeout=60)


def start(binary: str, directory: str, *options: str) -> Server:
    """Starts a server on `directory` and waits until it is ready."""
    http_port, grpc_port = free_port(), free_port()
    log = os.path.join(directory, "..", f"serve-{http_port}.log")
    command = [binary, "serve", directory, "--http-port", str(http_port), "--grpc-port", str(grpc_port), *options]
    with open(log, "w", encoding="utf-8") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
    server = Server(process, http_port, grpc_port, log)
    try:
        server.wait_until_ready()
    except BaseException:
        process.kill()
        raise
    return server


@contextlib.contextmanager
def running(binary: str, *options: str):
    """A server on an empty directory for as long as the block runs; its last lines are shown when the block fails."""
    with tempfile.TemporaryDirectory(prefix="vdb-clients-") as parent:
        directory = os.path.join(parent, "data")
        os.mkdir(directory)
        server = start(binary, directory, *options)
        try:
            yield server
        except BaseException:
            print(server.tail(), file=sys.stderr)
            server.kill()
            raise
        server.stop()
