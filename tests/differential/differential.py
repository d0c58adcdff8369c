"""Plays the same random operations and queries through our engine and through the local mode of Qdrant's Python client, and
compares every answer. Where the local mode is known to depart from the server, the test keeps clear of it (drifts.py).

    differential.py --bridge PATH [--seed N] [--rounds N] [--steps N]
    differential.py --serve PATH_OF_VDB [--grpc] [--seed N] [--rounds N] [--steps N]

The first form asks the engine itself, the second a server, through the same client, by REST or gRPC. Everything follows from the seed; a failure says which seed and step show it again.

| file | what |
|---|---|
| `differential.py` | the rounds: operations, and the questions asked after them |
| `generate.py` | random points, filters, queries |
| `subjects.py`, `served.py` | those that are compared, behind one form of calls |
| `compare.py` | when two answers are the same |
| `drifts.py` | what is kept out, and why |
| `main.rs`, `read.rs`, `formula.rs` | the bridge: the engine behind lines of JSON |
"""

import argparse
import json
import random
import sys
import time
import traceback
import warnings

from qdrant_client import models as m

import compare
import drifts
from drifts import avoid
from generate import INDEXES, Generator
from served import Served
from subjects import ALL, Local, Ours, Refused, plain

DISTANCES = [m.Distance.COSINE, m.Distance.DOT, m.Distance.EUCLID, m.Distance.MANHATTAN]


def told(value):
    """A request in a failure's words."""
    parts = value.items() if isinstance(value, dict) else [("", value)]
    return ", ".join(f"{name} {json.dumps(plain(part))}" for name, part in parts if part is not None)


class Round:
    """One collection, and what is done to it on both sides."""

    def __init__(self, ours, theirs, seed):
        self.ours, self.theirs, self.seed = ours, theirs, seed
        self.random = random.Random(seed)
        distance = DISTANCES[seed % len(DISTANCES)]
        if seed % 3 == 0:
            self.vectors = {"": m.VectorParams(size=4, distance=distance)}
        else:
            other = self.random.choice(DISTANCES)
            self.vectors = {
                "a": m.VectorParams(size=4, distance=distance),
                "b": m.VectorParams(size=3, distance=other),
            }
        if seed % 3 == 2:
            several = m.MultiVectorConfig(comparator=m.MultiVectorComparator.MAX_SIM)
            distance = self.random.choice(DISTANCES)
            self.vectors |= {
                "s": m.SparseVectorParams(),
                "rare": m.SparseVectorParams(modifier=m.Modifier.IDF),
                "m": m.VectorParams(size=3, distance=distance, multivector_config=several),
            }
        # Those that come and go are not in the collection of the examples.
        self.lasting = dict(self.vectors)
        self.draw = Generator(self.random, self.vectors)
        self.name = f"round-{seed}"
        self.other = f"other-{seed}"
        self.live, self.dead = {}, set()
        self.asked, self.left_out = 0, 0
        for collection in (self.name, self.other):
            ours.create(collection, self.vectors)
            theirs.create(collection, self.vectors)
        # Where other points have the vectors of examples.
        points = [self.draw.point(id) for id in range(100, 110)]
        for point in points:
            point.vector = self.draw.vector("") if "" in self.vectors else {n: self.draw.vector(n) for n in self.vectors}
        for subject in self.subjects():
            subject.upsert(self.other, points)

    def subjects(self):
        return (self.ours, self.theirs)

    def both(self, call):
        """The answers of both. Where one refuses, the other must too."""
        answers = []
        for subject in self.subjects():
            try:
                answers.append(call(subject))
            except Refused as refused:
                answers.append(refused)
        refusals = [isinstance(answer, Refused) for answer in answers]
        if refusals[0] != refusals[1]:
            raise AssertionError(f"only one side refuses: ours {answers[0]!r}, theirs {answers[1]!r}")
        self.asked += 1
        return None if all(refusals) else answers

    # -- operations

    def write(self):
        avoid("cursor-of-deleted")
        avoid("delete-payload-paths")
        avoid("set-null")
        avoid("update-filter-stops")
        calls = [self.upsert] * 5 + [self.delete, self.update_vectors, self.delete_vectors]
        calls += [self.set_payload] * 2 + [self.other_payload, self.upkeep, self.upkeep]
        if "" not in self.vectors:
            calls.append(self.change_vectors)
        self.random.choice(calls)()

    def upsert(self):
        ids = {self.draw.id() for _ in range(self.random.randrange(1, 12))}
        options = {}
        if self.draw.maybe(0.3):
            ids -= self.dead
            options["update_mode"] = self.random.choice(["upsert", "insert_only", "update_only"])
            if self.draw.maybe(0.5):
                options["update_filter"] = self.draw.filter()
        points = [self.draw.point(id) for id in sorted(ids, key=str)]
        if points:
            self.both(lambda subject: subject.upsert(self.name, points, **options))

    def target(self):
        avoid("no-points")
        if not self.live or self.draw.maybe(0.3):
            return {"filter": self.draw.filter()}
        return {"points": self.some_ids()}

    def some_ids(self):
        return self.random.sample(sorted(self.live, key=str), min(len(self.live), self.random.randrange(1, 5)))

    def delete(self):
        target = self.target()
        self.both(lambda subject: subject.delete(self.name, target))

    def update_vectors(self):
        for id in self.some_ids()[:1]:
            name = self.random.choice(list(self.vectors))
            vector = self.draw.vector(name)
            points = [m.PointVectors(id=id, vector={name: vector} if name else vector)]
            options = {"update_filter": self.draw.filter()} if self.draw.maybe(0.3) else {}
            self.both(lambda subject: subject.update_vectors(self.name, points, **options))

    def delete_vectors(self):
        some = [name for name in self.vectors if not self.draw.is_multi(name)]
        target, names = self.target(), [self.random.choice(some)]
        self.both(lambda subject: subject.delete_vectors(self.name, names, target))

    def change_vectors(self):
        """A vector that no point has yet, or one less."""
        extra = [name for name in self.vectors if name not in self.lasting]
        if extra and (len(extra) > 2 or self.draw.maybe(0.5)):
            name = self.random.choice(extra)
            self.both(lambda subject: subject.delete_vector(self.name, name))
            del self.vectors[name]
        else:
            name, params = self.random.choice([n for n in "vwxyz" if n not in self.vectors]), self.draw.new_vector()
            self.both(lambda subject: subject.create_vector(self.name, name, params))
            self.vectors[name] = params

    def set_payload(self):
        payload, target = self.draw.payload(), self.target()
        payload = {key: value for key, value in payload.items() if value is not None}
        if self.draw.maybe(0.4):
            key = self.random.choice(["obj", "obj.a", "new.deep"])
            payload = {"b": self.random.randrange(4)}
            self.both(lambda subject: subject.payload(self.name, "set_payload", target, payload=payload, key=key))
        else:
            self.both(lambda subject: subject.payload(self.name, "set_payload", target, payload=payload))

    def other_payload(self):
        call, target = self.random.choice(["overwrite_payload", "delete_payload", "clear_payload"]), self.target()
        parts = {}
        if call == "overwrite_payload":
            parts["payload"] = self.draw.payload()
        if call == "delete_payload":
            parts["keys"] = self.random.sample(["kw", "n", "obj", "tags", "none"], 2)
        self.both(lambda subject: subject.payload(self.name, call, target, **parts))

    def upkeep(self):
        """What changes nothing that anybody sees; for ours alone."""
        field, kind = self.random.choice(list(INDEXES.items()))
        self.random.choice(
            [
                lambda: self.ours.call(self.name, "flush"),
                lambda: self.ours.call(self.name, "optimize"),
                lambda: self.ours.call(self.name, "index", field=field, kind=kind),
                lambda: self.ours.call(self.name, "drop_index", field=field),
            ]
        )()

    # -- questions

    def check_all(self):
        """Everything there is, and what later questions need to know of it."""
        options = {"limit": ALL, "with_vector": True}
        (ours, _), (theirs, _) = self.both(lambda subject: subject.scroll(self.name, **options))
        compare.records(ours, theirs, "all points")
        live = {point["id"]: list(point["vector"] or {}) for point in theirs}
        self.dead = (self.dead | self.live.keys()) - live.keys()
        self.live = live

    def ids_with(self, name):
        return [id for id, names in self.live.items() if name in names]

    def ask(self):
        questions = [self.count, self.count, self.scroll, self.retrieve, self.by_vector, self.by_vector, self.by_vector]
        questions += [self.merged, self.merged, self.diverse, self.ordered, self.grouped, self.facet, self.sample, self.looked_up]
        self.random.choice(questions)()

    def count(self):
        filter = self.draw.filter()
        ours, theirs = self.both(lambda subject: subject.count(self.name, filter))
        compare.same(ours, theirs, f"count {told(filter)}")

    def scroll(self):
        filter, limit = self.draw.some_filter(), self.random.randrange(1, 20)
        offset = self.draw.id() if self.draw.maybe(0.5) else None
        options = {"filter": filter, "limit": limit, "offset": offset, "with_vector": self.draw.maybe(0.5)}
        (ours, on), (theirs, on_theirs) = self.both(lambda subject: subject.scroll(self.name, **options))
        compare.records(ours, theirs, f"scroll {told(options)}")
        compare.same(on, on_theirs, f"next page of scroll {told(options)}")

    def retrieve(self):
        selector = self.draw.selector()
        ids = sorted({self.draw.id() for _ in range(8)}, key=str)
        options = {"with_payload": selector, "with_vector": self.random.choice([False, True, list(self.vectors)[:1]])}
        ours, theirs = self.both(lambda subject: subject.retrieve(self.name, ids, **options))
        compare.records(ours, theirs, f"retrieve {told(options)}")

    def page(self):
        return self.random.randrange(1, 15), self.random.choice([0, 0, 0, 1, 5])

    def compare_query(self, options, limit, offset):
        answers = []
        for subject, page in [(self.ours, {"limit": limit, "offset": offset}), (self.theirs, {"limit": ALL})]:
            try:
                answers.append(subject.query(self.name, **options, **page))
            except Refused as refused:
                answers.append(refused)
        ours, theirs = answers
        self.asked += 1
        if isinstance(ours, Refused) or isinstance(theirs, Refused):
            if not (isinstance(ours, Refused) and isinstance(theirs, Refused)):
                raise AssertionError(f"only one side refuses {told(options)}: ours {ours!r}, theirs {theirs!r}")
            return
        compare.ranking(ours, theirs, limit, offset, f"query {told(options)}, limit {limit}, offset {offset}")

    def by_vector(self):
        name = self.random.choice(list(self.vectors))
        query, larger_is_better = self.draw.by_vector(name, self.ids_with(name))
        options = {"query": query, "using": name, "filter": self.draw.some_filter()}
        limit, offset = self.page()
        is_similarity = self.draw.distance(name) in (m.Distance.COSINE, m.Distance.DOT)
        avoid("threshold-of-examples")
        if self.draw.maybe(0.3) and is_similarity == larger_is_better:
            scores = [point["score"] for point in self.theirs.query(self.name, **options, limit=ALL)]
            gaps = [(a + b) / 2 for a, b in zip(scores, scores[1:]) if abs(a - b) > 0.01]
            if gaps:
                options["score_threshold"] = self.random.choice(gaps)
        self.compare_query(options, limit, offset)

    def one_order(self, prefetch):
        """Whether scores order the list of a prefetch alone. Where two are the same, or differ by no more than rounding, either
        side may have either first, and what is made of the ranks differs."""
        if not all(self.one_order(inner) for inner in prefetch.prefetch or []):
            return False
        options = {"query": prefetch.query, "using": prefetch.using, "prefetch": prefetch.prefetch, "filter": prefetch.filter}
        try:
            found = self.theirs.query(self.name, **options, limit=ALL)
        except Refused:
            return True
        scores = [point["score"] for point in found]
        return not any(compare.near(a, b) for a, b in zip(scores, scores[1:]))

    def merged(self):
        prefetch = [self.draw.prefetch(self.ids_with) for _ in range(self.random.randrange(1, 4))]
        options = {"prefetch": prefetch, "filter": self.draw.some_filter(0.3)}
        if not all(self.one_order(one) for one in prefetch):
            self.left_out += 1
            return
        if self.draw.maybe(0.3):
            name = self.random.choice(list(self.vectors))
            query, _ = self.draw.by_vector(name, self.ids_with(name))
            options |= {"query": query, "using": name}
        else:
            options["query"] = self.draw.merging(len(prefetch))
        self.compare_query(options, *self.page())

    def diverse(self):
        avoid("mmr-offset")
        avoid("mmr-idf")
        plain_weights = [name for name, of in self.vectors.items() if getattr(of, "modifier", None) is None]
        name = self.random.choice(plain_weights)
        # By sums of differences, half of the one and half of the other makes many points equal.
        halves = [] if self.draw.distance(name) == m.Distance.MANHATTAN else [0.5]
        mmr = m.Mmr(diversity=self.random.choice([0.0, 0.3, 1.0, *halves]), candidates_limit=self.random.choice([None, 5, 20]))
        query = m.NearestQuery(nearest=self.draw.vector(name), mmr=mmr)
        options = {"query": query, "using": name, "filter": self.draw.some_filter(0.3), "limit": self.random.randrange(1, 12)}
        ours, theirs = self.both(lambda subject: subject.query(self.name, **options))
        ids = lambda points: [point["id"] for point in points]
        compare.same(ids(ours), ids(theirs), f"diverse {told(options)}")
        compare.ranking(ours, theirs, ALL, 0, f"diverse {told(options)}")

    def ordered(self):
        avoid("order-mixed")
        key = self.random.choice(["n", "f", "when", "obj.a.b", "items[].v"])
        descending = self.draw.maybe(0.5)
        start = None
        if self.draw.maybe(0.4):
            start = "2024-02-29T23:59:59Z" if key == "when" else self.random.randrange(-4, 5)
        direction = m.Direction.DESC if descending else m.Direction.ASC
        query = m.OrderByQuery(order_by=m.OrderBy(key=key, direction=direction, start_from=start))
        options = {"query": query, "filter": self.draw.some_filter(0.3)}
        limit, offset = self.page()
        ours = self.ours.query(self.name, **options, limit=limit, offset=offset)
        theirs = self.theirs.query(self.name, **options, limit=ALL)
        self.asked += 1
        compare.order(ours, theirs, descending, limit, offset, f"order {told(options)}, limit {limit}, offset {offset}")

    def grouped(self):
        name = self.random.choice(list(self.vectors))
        query, _ = self.draw.by_vector(name, self.ids_with(name))
        options = {"query": query, "using": name, "filter": self.draw.some_filter(0.3)}
        options["group_by"] = self.random.choice(["kw", "n", "items[].k", "obj.c"])
        limit, size = self.random.randrange(1, 8), self.random.randrange(1, 4)
        ours = self.ours.query_groups(self.name, **options, limit=limit, group_size=size)
        theirs = self.theirs.query_groups(self.name, **options, limit=ALL, group_size=ALL)
        self.asked += 1
        compare.groups(ours, theirs, limit, size, f"groups {told(options)}, limit {limit}, size {size}")

    def facet(self):
        avoid("facet-mixed")
        key = self.random.choice(["kw", "n", "b", "tags", "items[].k", "items[].v", "obj.c"])
        options = {"key": key, "filter": self.draw.some_filter(), "limit": self.random.randrange(1, 10)}
        ours, theirs = self.both(lambda subject: subject.facet(self.name, **options))
        compare.same(ours, theirs, f"facet {told(options)}")

    def sample(self):
        filter, limit = self.draw.some_filter(), self.random.randrange(1, 20)
        query = m.SampleQuery(sample=m.Sample.RANDOM)
        ours, theirs = self.both(lambda subject: subject.query(self.name, query=query, filter=filter, limit=limit))
        compare.same(len(ours), len(theirs), f"sample {told(filter)}")
        matching, _ = self.theirs.scroll(self.name, filter=filter, limit=ALL)
        if not {point["id"] for point in ours} <= {point["id"] for point in matching}:
            raise AssertionError(f"a sample holds what does not match {told(filter)}: {ours}")

    def looked_up(self):
        name = self.random.choice(list(self.lasting))
        ids = self.random.sample(range(100, 110), 3)
        recommend = m.RecommendInput(positive=ids[:2], negative=ids[2:])
        place = m.LookupLocation(collection=self.other, vector=name)
        options = {"query": m.RecommendQuery(recommend=recommend), "using": name, "lookup_from": place}
        self.compare_query(options, *self.page())

    def play(self, steps):
        for self.step in range(steps):
            self.write()
            self.check_all()
            if self.live:
                for _ in range(6):
                    self.ask()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ours = parser.add_mutually_exclusive_group(required=True)
    ours.add_argument("--bridge", help="the program vdb-differential")
    ours.add_argument("--serve", help="the program vdb")
    parser.add_argument("--grpc", action="store_true", help="ask the server by gRPC")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--steps", type=int, default=30)
    args = parser.parse_args()
    # Local mode has no payload indexes, and says so each time.
    warnings.filterwarnings("ignore")
    ours = Ours(args.bridge) if args.bridge else Served(args.serve, args.grpc)
    theirs = Local()
    asked, left_out, begun, failures = 0, 0, time.monotonic(), []
    for seed in range(args.seed, args.seed + args.rounds):
        one = Round(ours, theirs, seed)
        try:
            one.play(args.steps)
        except AssertionError as error:
            failures.append(seed)
            print(f"--seed {seed} --rounds 1: step {one.step}: {error}", flush=True)
        except Exception:
            failures.append(seed)
            print(f"--seed {seed} --rounds 1: step {one.step}", flush=True)
            traceback.print_exc()
            if ours.process.poll() is not None:
                break
        asked += one.asked
        left_out += one.left_out
    if ours.close() != 0:
        failures.append("the bridge failed")
    print(f"{args.rounds} rounds, {asked} calls compared, {left_out} left out for ties, {time.monotonic() - begun:.0f} s; failed: {failures or 'none'}")
    if not failures and drifts.unused():
        print(f"nothing keeps clear of these drifts any more: {drifts.unused()}")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
