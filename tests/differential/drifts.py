"""Where the local mode departs from the server, so that the test keeps clear of it; and where we do.

`avoid(name)` stands in the generator or in a comparison wherever one of these is kept out; the test fails if one of them is
named nowhere any more.
"""

LOCAL = {
    "booleans-are-numbers": "True equals 1, ranges hold for it, it orders and groups as a number; on the server kinds of values never mix",
    "cursor-of-deleted": "a deleted id counts as existing for update modes, and payload calls on it succeed; the server knows no such point",
    "delete-payload-paths": "delete_payload knows top-level keys only; on the server a key is a path",
    "empty-clause-lists": "an empty should list matches nothing; on the server an empty clause does not constrain",
    "except-null": "a null value is outside any list of match except; on the server null never matches",
    "examples-of-prefetches": "ids that are examples are left out of the list that they are for; on the server of the whole query",
    "facet-mixed": "values of several kinds at one path cannot be sorted; uuids change their spelling",
    "feedback-distances": "relevance feedback over Euclid and Manhattan comes worst first; the server sorts by the score",
    "feedback-dense": "relevance feedback takes dense vectors only; on the server vectors of any kind",
    "field-is-empty": "is_empty and is_null within a field condition never match; the server treats them as conditions of their own",
    "idf-statistics": "how rare a dimension is comes from counters that deletions do not lower, over all points; on the server from points with the vector",
    "is-empty-nulls": "a list of nulls is empty; on the server it is not",
    "match-float-integer": "2.0 matches 2; on the server stored floats match no integer",
    "mmr-idf": "a diverse choice begins with the best of the search; on the server with the point most similar to the query as it was given, without idf",
    "mmr-offset": "the offset skips candidates before any is chosen; the server cuts it from what was chosen",
    "multi-missing": "a query by multivectors raises where some point lacks the vector, whether or not it could be found",
    "no-points": "a call for an empty list of points does nothing; the server refuses it",
    "order-mixed": "datetimes and numbers at one path are one scale of numbers",
    "phrase-prefix-slice": "conditions that raise: phrase, prefix, slice",
    "prefetch-filter": "the filter of a query does not reach into its prefetches; on the server it holds at every depth",
    "set-null": "set_payload keeps a null; on the server it takes the key away",
    "shared-values": "an object that is set on several points is one object: a later change of it in one point changes all",
    "text-needs-strings": "text conditions raise on numbers and look into lists as such",
    "threshold-of-examples": "over Euclid and Manhattan a larger score of a custom scorer passes a threshold; on the server a smaller one",
    "update-filter-stops": "update_vectors ends at the first point that fails its filter; the server skips it",
    "values-count-missing": "a missing field has no count, nor has an empty path; on the server it counts as 0",
}

OURS = {}

_avoided = set()


def avoid(name):
    """Says that the code around keeps clear of this drift."""
    if name not in LOCAL and name not in OURS:
        raise KeyError(f"no such drift: {name}")
    _avoided.add(name)


def unused():
    """Drifts that nothing keeps clear of."""
    return sorted((LOCAL.keys() | OURS.keys()) - _avoided)
