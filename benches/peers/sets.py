#!/usr/bin/env python3
"""Make data sets of other dimensions, lengths and distances out of one, to see whether a speed holds on them.

    pip install numpy
    sets.py --data VECTORS.npy --out DIR [--rows N]

Writes DIR/NAME.npy (float32) and prints a line for each: the file, the distance that it is for, and how it was made. All
choices come from a seed.
"""
import argparse
from pathlib import Path


def sets_of(x, random):
    """Name, distance, how it is made, and the vectors, of each set; `x` has rows of length one."""
    import numpy as np

    rows, dim = x.shape
    normal = lambda *shape: random.normal(size=shape).astype(np.float32)

    centred = x - x.mean(axis=0)
    _, _, directions = np.linalg.svd(centred[:8000], full_matrices=False)
    yield "pca96", "cosine", "the first 96 principal components", centred @ directions[:96].T

    hidden = np.tanh(np.tanh(x @ (normal(dim, 768) * 1.5)) @ (normal(768, 768) / 14))
    hidden /= np.linalg.norm(hidden, axis=1, keepdims=True)
    lengths = random.lognormal(0, 0.3, size=(rows, 1)).astype(np.float32)
    yield "random768", "dot", "a random network of two layers, lengths log-normal (.3)", hidden * lengths

    wide = np.tanh(x @ (normal(dim, 1536 - dim) * 2))
    yield "wide1536", "cosine", "the vectors and a random layer beside them", np.concatenate([x * 3, wide], axis=1)

    centres = random.gamma(1.0, 30, size=(500, 128))
    inner = normal(rows, 24) @ (normal(24, 128) * 9)
    bytes128 = centres[random.integers(0, 500, rows)] + inner + normal(rows, 128) * 4
    yield "bytes128", "euclid", "500 clusters of whole numbers from 0 to 218, as SIFT has them", np.clip(np.round(bytes128), 0, 218)

    features = np.tanh(normal(rows, 40) @ normal(40, 960) * 0.4) * 0.1
    features += 0.05 * random.random((1, 960))
    yield "positive960", "euclid", "40 latent numbers, positive features, as GIST has them", np.maximum(0, features)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--data", type=Path, required=True, help="vectors: .npy, a vector a row")
    parser.add_argument("--out", type=Path, required=True, help="a directory; made where it is missing")
    parser.add_argument("--rows", type=int, default=51000, help="how many rows of the data, drawn at random")
    args = parser.parse_args()
    import numpy as np

    random = np.random.default_rng(7)
    x = np.load(args.data).astype(np.float32)
    x = x[random.permutation(len(x))[: args.rows]]
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, distance, how, vectors in sets_of(x, random):
        file = args.out / f"{name}.npy"
        np.save(file, vectors.astype(np.float32))
        print(f"{file}: {len(vectors)} x {vectors.shape[1]}, {distance}: {how}", flush=True)


if __name__ == "__main__":
    main()
