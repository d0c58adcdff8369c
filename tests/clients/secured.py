#!/usr/bin/env python3
"""Keys, tokens and TLS with Qdrant's own Python client, over REST and gRPC.

Usage: secured.py VDB, where VDB is the command. Needs the package `qdrant-client`, and `openssl` to make certificates.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from qdrant_client import QdrantClient, models

KEY = "secret of the server"


def token(**claims):
    """A JSON Web Token that the server's key signs."""
    part = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    header, body = (part(json.dumps(value).encode()) for value in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(KEY.encode(), header + b"." + body, hashlib.sha256).digest()
    return b".".join((header, body, part(signature))).decode()


def certificates(directory: Path):
    """A certificate of localhost that vouches for itself, and its key."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*make, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def settings(directory: Path) -> Path:
    """A file of settings in TOML."""
    cert, key = certificates(directory)
    file = directory / "own.toml"
    file.write_text(
        f'[service]\napi_key = "{KEY}"\njwt_rbac = true\nenable_tls = true\n[tls]\ncert = "{cert}"\nkey = "{key}"\n'
    )
    # The client of gRPC takes what it trusts from here; that of REST is told.
    os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(cert)
    return file


def refused(words, call, *args, **named):
    try:
        call(*args, **named)
    except Exception as error:  # REST and gRPC raise unrelated classes
        assert any(word in str(error) for word in words), error
        return
    raise AssertionError("was not refused")


def play(client):
    """What tokens allow; `client` makes a client that shows a key."""
    manager = client(KEY)
    for name in ("birds", "fish"):
        manager.create_collection(name, vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    owl = models.PointStruct(id=1, vector=[1.0, 0.0], payload={"name": "owl"})
    for name in ("birds", "fish"):
        manager.upsert(name, [owl], wait=True)

    writer = client(token(access=[{"collection": "birds", "access": "rw"}], exp=int(time.time()) + 60))
    assert [c.name for c in writer.get_collections().collections] == ["birds"]
    writer.upsert("birds", [models.PointStruct(id=2, vector=[0.0, 1.0])], wait=True)
    assert writer.count("birds").count == 2
    forbidden = ("403", "PERMISSION_DENIED")
    refused(forbidden, writer.count, "fish")
    refused(forbidden, writer.delete_collection, "birds")
    away = models.LookupLocation(collection="fish")
    refused(forbidden, writer.query_points, "birds", query=1, lookup_from=away)

    reader = client(token(access="r"))
    assert reader.query_points("fish", query=[1.0, 0.0]).points[0].id == 1
    refused(forbidden, reader.upsert, "fish", [owl])

    unknown = ("401", "UNAUTHENTICATED")
    refused(unknown, client(token(exp=1)).get_collections)
    refused(unknown, client(token()[:-2]).get_collections)
    matches = [{"key": "name", "value": "owl"}]
    revocable = client(token(access="r", value_exists={"collection": "fish", "matches": matches}))
    assert revocable.count("birds").count == 2
    manager.delete("fish", [1], wait=True)
    refused(unknown, revocable.count, "birds")
    for name in ("birds", "fish"):
        manager.delete_collection(name)


def main():
    [command] = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="vdb-secured-") as parent:
        directory = Path(parent)
        file = settings(directory)
        args = [command, "--json", "--quiet", "serve", str(directory / "db"), "--http-port", "0", "--grpc-port", "0"]
        with subprocess.Popen([*args, "--config-path", str(file)], stdout=subprocess.PIPE, text=True) as server:
            try:
                told = json.loads(server.stdout.readline())
                ports = {part: int(told[part].rsplit(":", 1)[1]) for part in ("rest", "grpc")}
                assert told["rest"].startswith("https://"), told
                for prefer_grpc in (False, True):
                    play(
                        lambda key: QdrantClient(
                            host="localhost",
                            port=ports["rest"],
                            grpc_port=ports["grpc"],
                            prefer_grpc=prefer_grpc,
                            https=True,
                            api_key=key,
                            verify=str(directory / "cert.pem"),
                            check_compatibility=False,
                            timeout=30,
                        )
                    )
                    print(f"{'gRPC' if prefer_grpc else 'REST'}: keys, tokens and TLS ok", flush=True)
            finally:
                server.terminate()
            assert server.wait(timeout=60) == 0, "the server did not end well"


if __name__ == "__main__":
    main()
