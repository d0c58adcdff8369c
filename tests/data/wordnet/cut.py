#!/usr/bin/env python3
"""Cut the demo set out of WordNet 3.0 embedded as a whole.

    cut.py --vectors ALL.f16.npy --payload ALL.jsonl.gz --wordnet DIR [--out .]

ALL.f16.npy and ALL.jsonl.gz hold all 117,659 synsets in the order noun, verb, adj, adv of WordNet's data files
(README.md says how they were embedded); DIR holds WordNet's index.* and data.* files. Standard library only; the
same input gives the same bytes.

Each topic has a quota (QUOTA). Within a topic the synsets that people know come first: those tagged in a sense of
their word that occurs in the tagged corpora, then those with many links, then those named by one plain word; a
seeded number below one breaks ties.
"""
import argparse, gzip, json, math, random
from pathlib import Path

SEED = 42
DIM = 384
POS = ("noun", "verb", "adj", "adv")
TOPICS = (
    "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition "
    "noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object "
    "noun.person noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape "
    "noun.state noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition "
    "verb.consumption verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession "
    "verb.social verb.stative verb.weather adj.ppl"
).split()
QUOTA = {
    "noun.animal": 600, "noun.food": 550, "noun.artifact": 500, "noun.plant": 350, "noun.person": 350,
    "noun.feeling": 250, "noun.object": 250, "noun.location": 200, "noun.body": 200, "noun.substance": 150,
    "noun.phenomenon": 150, "noun.event": 100,
    "verb.motion": 230, "verb.emotion": 170, "verb.communication": 130, "verb.consumption": 120,
    "verb.perception": 100, "verb.cognition": 100, "verb.weather": 81,
    "adj.all": 319, "adv.all": 100,
}


def tagged(wordnet):
    """(pos, offset) of every synset that some word's tagged senses name."""
    seen = set()
    for pos in POS:
        for line in open(wordnet / f"index.{pos}", encoding="latin1"):
            if not line.startswith("  "):
                field = line.split()
                pointers = int(field[3])
                count = int(field[5 + pointers])
                seen.update((pos, int(offset)) for offset in field[6 + pointers:][:count])
    return seen


def links(wordnet):
    """(pos, offset) -> how many pointers the synset has to others."""
    count = {}
    for pos in POS:
        for line in open(wordnet / f"data.{pos}", encoding="latin1"):
            if not line.startswith("  "):
                field = line.split(" |", 1)[0].split()
                count[pos, int(field[0])] = int(field[4 + 2 * int(field[3], 16)])
    return count


def choose(rows, wordnet):
    rng, known, pointers = random.Random(SEED), tagged(wordnet), links(wordnet)
    ranked = {topic: [] for topic in QUOTA}
    for number, row in enumerate(rows):
        luck, topic, key = rng.random(), TOPICS[row["lexfile"]], (row["pos"], row["synset"])
        if topic in ranked:
            plain = any(word.isalpha() and word.islower() for word in row["words"])
            score = 3 * (key in known) + math.log2(1 + pointers[key]) / 2 + 2 * plain + luck
            ranked[topic].append((-score, number))
    return sorted(number for topic, quota in QUOTA.items() for _, number in sorted(ranked[topic])[:quota])


def npy_header(rows):
    text = f"{{'descr': '<f2', 'fortran_order': False, 'shape': ({rows}, {DIM}), }}"
    text = text.ljust((len(text) + 10) // 64 * 64 + 64 - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("vectors", "payload", "wordnet"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    with gzip.open(args.payload, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    kept = choose(rows, args.wordnet)
    with open(args.vectors, "rb") as source, open(args.out / "wordnet-5k.f16.npy", "wb") as target:
        start = 10 + int.from_bytes(source.read(10)[8:], "little")
        target.write(npy_header(len(kept)))
        for number in kept:
            source.seek(start + number * DIM * 2)
            target.write(source.read(DIM * 2))
    with open(args.out / "wordnet-5k.jsonl", "w", encoding="utf-8") as target:
        for number in kept:
            row = rows[number]
            row = {"words": row["words"], "gloss": row["gloss"], "pos": row["pos"], "topic": TOPICS[row["lexfile"]],
                   "lexfile": row["lexfile"], "lemmas": row["lemmas"], "examples": row["examples"],
                   "synset": row["synset"]}
            target.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
