"""When are two answers the same?"""

from subjects import id_key

# Scores of both sides are sums of single-precision products, in different orders.
TOLERANCE = 2e-4


def near(a, b):
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


def same(a, b, what):
    if a != b:
        raise AssertionError(f"{what}: ours {a!r}, theirs {b!r}")


def flat(vector):
    """The numbers of a vector of any kind, and where they stand."""
    if isinstance(vector, dict):
        return [x for pair in sorted(zip(vector["indices"], vector["values"])) for x in pair]
    if any(isinstance(row, list) for row in vector):
        return [len(vector), *(x for row in vector for x in row)]
    return vector


def near_vectors(ours, theirs, what):
    same(sorted(ours or {}), sorted(theirs or {}), f"{what}: vectors")
    for name, numbers in (ours or {}).items():
        a, b = flat(numbers), flat(theirs[name])
        if len(a) != len(b) or not all(near(x, y) for x, y in zip(a, b)):
            raise AssertionError(f"{what}: vector {name!r}: ours {numbers}, theirs {theirs[name]}")


def records(ours, theirs, what):
    same([point["id"] for point in ours], [point["id"] for point in theirs], f"{what}: ids")
    for a, b in zip(ours, theirs):
        same(a["payload"], b["payload"], f"{what}: payload of {a['id']}")
        near_vectors(a["vector"], b["vector"], f"{what}: {a['id']}")


def ranking(ours, everything, limit, offset, what):
    """`everything` is all that they find, best first: equal scores may come in any order."""
    expected = everything[offset : offset + limit]
    pairs = lambda points: [(point["id"], round(point["score"], 5)) for point in points]
    told = f"{what}: ours {pairs(ours)}, theirs {pairs(expected)}"
    if len(ours) != len(expected) or len({point["id"] for point in ours}) != len(ours):
        raise AssertionError(told)
    scores = {point["id"]: point["score"] for point in everything}
    for a, b in zip(ours, expected):
        if a["id"] not in scores or not near(a["score"], b["score"]) or not near(a["score"], scores[a["id"]]):
            raise AssertionError(f"{told}; differs at {a['id']}, which has {scores.get(a['id'])} there")


def order(ours, everything, descending, limit, offset, what):
    """`everything` is all that they find; ours has equal values in the order of ids."""
    by_id = sorted(everything, key=lambda point: id_key(point["id"]))
    expected = sorted(by_id, key=lambda point: point["order_value"], reverse=descending)
    if descending:
        # A stable sort that is reversed keeps equal values as they were.
        expected = sorted(by_id, key=lambda point: -point["order_value"])
    pairs = lambda points: [(point["id"], point["order_value"]) for point in points]
    same(pairs(ours), pairs(expected[offset : offset + limit]), what)


def groups(ours, everything, limit, size, what):
    """`everything` is all their groups with all their points."""
    best = lambda group: group["hits"][0]["score"]
    same(len(ours), min(limit, len(everything)), f"{what}: number of groups")
    known = {group["id"]: group["hits"] for group in everything}
    same(len({group["id"] for group in ours}), len(ours), f"{what}: a group comes twice")
    for a, b in zip(ours, everything):
        if a["id"] not in known or not near(best(a), best(b)):
            raise AssertionError(f"{what}: ours has group {a['id']!r} with {best(a)}, theirs {b['id']!r} with {best(b)}")
        ranking(a["hits"], known[a["id"]], size, 0, f"{what}: group {a['id']!r}")
