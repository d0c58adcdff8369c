"""Random points, filters and queries, of everything that both sides know."""

import uuid

from qdrant_client import models as m

from drifts import avoid

WORDS = ["owl", "hawk", "wren", "Owl", "finch", "émeu", "x y"]
TEXTS = ["the owl sat", "Hawk and owl", "a wren", "", "nothing here", "owlish wrens at dawn"]
TIMES = [
    "2024-05-01",
    "2024-05-01T12:00:00Z",
    "2024-05-01T14:00:00+02:00",
    "2023-01-01T00:00:00.250Z",
    "2024-02-29 23:59:59",
    "2025-12-31T23:59:59.999999Z",
    "1969-12-31T23:59:59Z",
    "no time at all",
]
INDEXES = {
    "kw": "keyword",
    "n": "integer",
    "f": "float",
    "b": "bool",
    "when": "datetime",
    "at": "geo",
    "tags": "keyword",
    "items[].v": "integer",
    "obj.a.b": "integer",
    "n[]": "integer",
}


class Generator:
    """Draws from one source of randomness."""

    def __init__(self, random, vectors):
        self.random = random
        self.vectors = vectors

    def maybe(self, chance):
        return self.random.random() < chance

    # -- points

    def id(self):
        number = self.random.randrange(48)
        return number if number < 36 else str(uuid.UUID(int=number << 100 | number))

    def is_sparse(self, name):
        return isinstance(self.vectors[name], m.SparseVectorParams)

    def is_multi(self, name):
        return not self.is_sparse(name) and self.vectors[name].multivector_config is not None

    def distance(self, name):
        return m.Distance.DOT if self.is_sparse(name) else self.vectors[name].distance

    def numbers(self, size):
        # Of few digits, sums of differences would be equal now and then.
        return [round(self.random.gauss(0, 1), 6) + 0.0 for _ in range(size)]

    def vector(self, name):
        if self.is_sparse(name):
            indices = self.random.sample(range(10), self.random.randrange(1, 6))
            return m.SparseVector(indices=indices, values=self.numbers(len(indices)))
        size = self.vectors[name].size
        if self.is_multi(name):
            return [self.numbers(size) for _ in range(self.random.randrange(1, 4))]
        return self.numbers(size)

    def new_vector(self):
        """Parameters of a vector that points may lack."""
        idf = self.random.choice([None, m.Modifier.IDF])
        distance = self.random.choice(list(m.Distance))
        return m.SparseVectorParams(modifier=idf) if self.maybe(0.5) else m.VectorParams(size=3, distance=distance)

    def point_vectors(self):
        if list(self.vectors) == [""]:
            return self.vector("")
        avoid("multi-missing")
        return {name: self.vector(name) for name in self.vectors if self.is_multi(name) or self.maybe(0.8)}

    def several(self, draw, most=3):
        return [draw() for _ in range(self.random.randrange(most + 1))]

    def one_or_more(self, draw):
        return draw() if self.maybe(0.7) else self.several(draw)

    def word(self):
        return self.random.choice(WORDS)

    def integer(self):
        return self.random.choice([*range(-5, 6), 2**40, -(2**53) - 1, 2**63 - 1])

    def fraction(self):
        avoid("match-float-integer")
        return self.random.randrange(-6, 6) + 0.5

    def place(self):
        lon = self.random.choice([13.4, -179.5, 179.5, 0.0, 2.35, round(self.random.uniform(-180, 180), 2)])
        lat = self.random.choice([52.5, 0.0, -33.9, 48.85, round(self.random.uniform(-85, 85), 2)])
        return {"lon": lon, "lat": lat}

    def item(self):
        item = {"k": self.word(), "v": self.random.randrange(5)}
        if self.maybe(0.2):
            del item["v"]
        return item

    def payload(self):
        avoid("booleans-are-numbers")
        avoid("is-empty-nulls")
        draws = {
            "kw": lambda: self.one_or_more(self.word),
            "n": lambda: self.one_or_more(self.integer),
            "f": lambda: self.one_or_more(self.fraction),
            "b": lambda: self.maybe(0.5),
            "when": lambda: self.one_or_more(lambda: self.random.choice(TIMES)),
            "at": lambda: self.one_or_more(self.place),
            "tags": lambda: self.random.choice([None, [], self.word(), self.several(self.word)]),
            "text": lambda: self.random.choice(TEXTS),
            "obj": lambda: self.random.choice([{}, {"a": {}}, {"a": {"b": self.random.randrange(4)}, "c": self.word()}]),
            "items": lambda: self.several(self.item),
        }
        return {field: draw() for field, draw in draws.items() if self.maybe(0.7)}

    def point(self, id):
        return m.PointStruct(id=id, vector=self.point_vectors(), payload=self.payload())

    # -- filters

    def bounds(self, draw):
        sides = self.random.choice([["gte"], ["lt"], ["gt", "lte"], ["gte", "lt"], ["gte", "lte"], []])
        values = sorted(draw() for _ in sides)
        return dict(zip(sides, values))

    def match(self, values, nulls=False):
        some = lambda: [values() for _ in range(self.random.randrange(1, 4))]
        draws = [lambda: m.MatchValue(value=values()), lambda: m.MatchAny(any=some())]
        avoid("except-null")
        if not nulls:
            draws.append(lambda: m.MatchExcept(**{"except": some()}))
        return self.random.choice(draws)()

    def polygon(self):
        """Now and then with a hole in its middle, sometimes around a place that points are at."""
        lon, lat = self.random.uniform(-150, 150), self.random.uniform(-60, 60)
        if self.maybe(0.5):
            lon, lat = self.random.choice([(13.0, 52.0), (0.5, 0.5), (2.0, 49.0)])
        width, height = self.random.uniform(1, 25), self.random.uniform(1, 25)
        exterior = m.GeoLineString(points=self.ring(lon, lat, width, height))
        share = self.random.uniform(0.1, 0.5)
        hole = m.GeoLineString(points=self.ring(lon, lat, width * share, height * share))
        return m.GeoPolygon(exterior=exterior, interiors=[hole] if self.maybe(0.5) else None)

    def ring(self, lon, lat, width, height):
        corners = [(-width, -height), (width, -height), (width * 0.7, height), (-width, height), (-width, -height)]
        return [m.GeoPoint(lon=round(lon + x, 3), lat=round(lat + y, 3)) for x, y in corners]

    def geo(self):
        center = m.GeoPoint(**self.place())
        kind = self.random.randrange(3)
        if kind == 0:
            radius = self.random.choice([10.0, 5e4, 1e6, 5e6, 2e7])
            return m.FieldCondition(key="at", geo_radius=m.GeoRadius(center=center, radius=radius))
        if kind == 1:
            other = self.place()
            top, bottom = max(center.lat, other["lat"]), min(center.lat, other["lat"])
            box = m.GeoBoundingBox(
                top_left=m.GeoPoint(lon=center.lon, lat=top), bottom_right=m.GeoPoint(lon=other["lon"], lat=bottom)
            )
            return m.FieldCondition(key="at", geo_bounding_box=box)
        return m.FieldCondition(key="at", geo_polygon=self.polygon())

    def condition(self, depth=0):
        avoid("phrase-prefix-slice")
        avoid("field-is-empty")
        avoid("text-needs-strings")
        avoid("values-count-missing")
        pick = self.random.choice
        field = m.FieldCondition
        time = lambda: pick([time for time in TIMES if time[0] in "12" and len(time) >= 19 and "." not in time])
        draws = [
            lambda: field(key=pick(["kw", "obj.c", "items[].k", "kw[0]"]), match=self.match(self.word)),
            lambda: field(key=pick(["tags", "tags[]", "tags[1]"]), match=self.match(self.word, nulls=True)),
            lambda: field(key=pick(["n", "n[]", "obj.a.b", "items[].v", "items[0].v"]), match=self.match(self.integer)),
            lambda: field(key="b", match=m.MatchValue(value=self.maybe(0.5))),
            lambda: field(key="text", match=m.MatchText(text=pick(["owl", "Owl", "wren", "s", "a w", "zz"]))),
            lambda: field(key="text", match=m.MatchTextAny(text_any=pick(["owl wren", "Hawk zz", "zz"]))),
            lambda: field(key=pick(["n", "f", "items[].v", "obj.a.b"]), range=m.Range(**self.bounds(self.fraction))),
            lambda: field(key="n", range=m.Range(**self.bounds(lambda: float(self.random.randrange(-5, 6))))),
            lambda: field(key="when", range=m.DatetimeRange(**(self.bounds(time) or {"gt": time()}))),
            self.geo,
            lambda: field(key="tags", values_count=m.ValuesCount(gte=pick([1, 2, 3]))),
            lambda: field(key=pick(["kw", "n", "items"]), values_count=m.ValuesCount(gt=pick([0, 1]), lte=5)),
            lambda: m.IsEmptyCondition(is_empty=m.PayloadField(key=pick(["tags", "kw", "obj.a", "items", "obj.a.b", "none"]))),
            lambda: m.IsNullCondition(is_null=m.PayloadField(key=pick(["tags", "kw", "none"]))),
            lambda: m.HasIdCondition(has_id=[self.id() for _ in range(self.random.randrange(6))]),
            lambda: m.HasVectorCondition(has_vector=pick(list(self.vectors))),
            lambda: m.NestedCondition(nested=m.Nested(key=pick(["items", "items[]"]), filter=self.in_item())),
        ]
        if depth < 2:
            draws += [lambda: self.filter(depth + 1)] * 2
        return pick(draws)()

    def in_item(self):
        k = lambda: m.FieldCondition(key="k", match=self.match(self.word))
        v = lambda: m.FieldCondition(key="v", range=m.Range(**self.bounds(lambda: self.random.randrange(5))))
        return self.random.choice(
            [
                lambda: m.Filter(must=[k(), v()]),
                lambda: m.Filter(must=[k()], must_not=[v()]),
                lambda: m.Filter(should=[k(), v()]),
                lambda: m.Filter(must=[m.IsEmptyCondition(is_empty=m.PayloadField(key="v"))]),
            ]
        )()

    def filter(self, depth=0):
        avoid("empty-clause-lists")
        conditions = lambda: [self.condition(depth) for _ in range(self.random.randrange(1, 4))]
        clauses = {}
        for clause, chance in [("must", 0.6), ("should", 0.4), ("must_not", 0.3)]:
            if self.maybe(chance):
                clauses[clause] = conditions()
        if self.maybe(0.15):
            some = conditions()
            clauses["min_should"] = m.MinShould(conditions=some, min_count=self.random.randrange(1, len(some) + 1))
        return m.Filter(**clauses)

    def some_filter(self, chance=0.5):
        return self.filter() if self.maybe(chance) else None

    # -- queries

    def input(self, name, ids):
        """A vector, or a point that has one."""
        if ids and self.maybe(0.5):
            return self.random.choice(ids)
        return self.vector(name)

    def sides(self, ids):
        """Points for either side: one on both would be as near as itself, give or take a rounding."""
        mixed = self.random.sample(ids, len(ids))
        return mixed[::2], mixed[1::2]

    def pair(self, name, ids):
        positive, negative = self.sides(ids)
        return m.ContextPair(positive=self.input(name, positive), negative=self.input(name, negative))

    def by_vector(self, name, ids, ties=True):
        """A query that scores by vectors, and whether the larger score is the better. Without `ties` no two points have the
        same score: a list that something is made of must have one order."""
        is_similarity = self.distance(name) in (m.Distance.COSINE, m.Distance.DOT)
        inputs = lambda least, ids: [self.input(name, ids) for _ in range(self.random.randrange(least, 4))]
        strategy = self.random.choice(list(m.RecommendStrategy))
        least = 1 if strategy == m.RecommendStrategy.AVERAGE_VECTOR else 0
        good, bad = self.sides(ids)
        positive, negative = inputs(least, good), inputs(0, bad)
        if not positive and not negative:
            negative = inputs(1, bad)
        recommend = m.RecommendInput(positive=positive, negative=negative, strategy=strategy)
        feedback = [m.FeedbackItem(example=self.input(name, ids), score=self.random.random()) for _ in range(3)]
        naive = m.NaiveFeedbackStrategy(naive=m.NaiveFeedbackStrategyParams(a=0.6, b=0.7, c=0.9))
        draws = [
            lambda: (m.NearestQuery(nearest=self.input(name, ids)), is_similarity),
            lambda: (m.NearestQuery(nearest=self.input(name, ids)), is_similarity),
            lambda: (m.RecommendQuery(recommend=recommend), is_similarity or not least),
            lambda: (
                m.DiscoverQuery(
                    discover=m.DiscoverInput(
                        target=self.input(name, ids), context=[self.pair(name, ids) for _ in range(self.random.randrange(1, 4))]
                    )
                ),
                True,
            ),
        ]
        if ties:
            draws.append(
                lambda: (m.ContextQuery(context=[self.pair(name, ids) for _ in range(self.random.randrange(1, 4))]), True)
            )
        if not ties and self.is_sparse(name):
            # Points that share no dimension with any example are equally far from it.
            draws = draws[:3] if least else draws[:2]
        avoid("feedback-distances")
        avoid("feedback-dense")
        if is_similarity and not self.is_sparse(name) and not self.is_multi(name):
            target = self.input(name, ids)
            feedback = m.RelevanceFeedbackInput(target=target, feedback=feedback, strategy=naive)
            draws.append(lambda: (m.RelevanceFeedbackQuery(relevance_feedback=feedback), True))
        return self.random.choice(draws)()

    def prefetch(self, ids_of, depth=0):
        name = self.random.choice(list(self.vectors))
        limit = self.random.randrange(1, 30)
        if depth == 0 and self.maybe(0.2):
            inner = [self.prefetch(ids_of, 1) for _ in range(self.random.randrange(1, 3))]
        else:
            inner = None
        query, _ = self.by_vector(name, ids_of(name), ties=False)
        return m.Prefetch(query=query, using=name, limit=limit, filter=self.some_filter(0.3), prefetch=inner)

    def expression(self, depth=0):
        pick = self.random.choice
        leaves = [
            lambda: "$score",
            lambda: "$score[1]",
            lambda: "obj.a.b",
            lambda: round(self.random.uniform(-2, 2), 2),
            lambda: self.condition(2),
            lambda: m.DatetimeExpression(datetime="2024-05-01T00:00:00Z"),
            lambda: m.DivExpression(div=m.DivParams(left="$score", right="obj.a.b", by_zero_default=0.25)),
        ]
        inner = lambda: self.expression(depth + 1)
        positive = lambda: m.SumExpression(sum=[m.AbsExpression(abs=inner()), 1.0])
        decay = lambda: m.DecayParamsExpression(x=inner(), target=0.5, scale=pick([0.5, 2.0]), midpoint=pick([0.3, 0.5]))
        steps = [
            lambda: m.SumExpression(sum=[inner(), inner()]),
            lambda: m.MultExpression(mult=[inner(), inner()]),
            lambda: m.NegExpression(neg=inner()),
            lambda: m.AbsExpression(abs=inner()),
            lambda: m.SqrtExpression(sqrt=positive()),
            lambda: m.LnExpression(ln=positive()),
            lambda: m.Log10Expression(log10=positive()),
            lambda: m.PowExpression(pow=m.PowParams(base=m.ExpDecayExpression(exp_decay=decay()), exponent=2.0)),
            lambda: m.LinDecayExpression(lin_decay=decay()),
            lambda: m.ExpDecayExpression(exp_decay=decay()),
            lambda: m.GaussDecayExpression(gauss_decay=decay()),
        ]
        return pick(leaves if depth > 2 else steps + leaves)()

    def merging(self, prefetches):
        """What makes one list of several."""
        weights = [round(self.random.random() * 2, 2) for _ in range(prefetches)]
        return self.random.choice(
            [
                lambda: m.FusionQuery(fusion=m.Fusion.RRF),
                lambda: m.FusionQuery(fusion=m.Fusion.DBSF),
                lambda: m.RrfQuery(rrf=m.Rrf(k=self.random.randrange(1, 60))),
                lambda: m.RrfQuery(rrf=m.Rrf(k=2, weights=weights)),
                lambda: m.FormulaQuery(
                    formula=m.SumExpression(sum=["$score", self.expression()]), defaults={"obj.a.b": 1.5, "$score[1]": 0.25}
                ),
            ]
        )()

    def selector(self):
        paths = ["kw", "obj.a", "obj.c", "items[].v", "items", "none", "tags"]
        some = self.random.sample(paths, self.random.randrange(1, 4))
        return self.random.choice(
            [True, False, some, m.PayloadSelectorInclude(include=some), m.PayloadSelectorExclude(exclude=some)]
        )
