//! What the model test does, at random.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use vdb::{
    CollectionConfig, Distance, Element, Expected, Modifier, MultiVectorComparator, NamedVectorParams,
    Payload, PayloadIndexKind, Point, PointId, SparseVector, SparseVectorParams, UpsertMode, Vector,
    VectorParams, Vectors,
};
use vdb_tests::Numbers;
use vdb_tests::oracle::{Aim, Op, Step};

/// Numbers in the default vector.
pub(crate) const DIM: usize = 5;
/// Numbers in the other vector.
pub(crate) const SIDE_DIM: usize = 3;

/// A search, with a filter that counts and pages are asked for too.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) name: &'static str,
    pub(crate) using: &'static str,
    pub(crate) seed: u64,
    pub(crate) limit: usize,
    pub(crate) offset: usize,
    /// Which of the scores found is the threshold.
    pub(crate) threshold: Option<usize>,
    pub(crate) filter: Option<Value>,
    /// Counted and paged through only.
    pub(crate) others: Vec<Value>,
}

/// Something done to the engine and the oracle.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Write(&'static str, Op),
    Batch(Vec<Step>),
    /// Many points at once, so that there are graphs to walk.
    Bulk(&'static str, u64, u64, u64),
    CreateIndex(&'static str, &'static str, PayloadIndexKind),
    DropIndex(&'static str, &'static str),
    CreateVector(&'static str, &'static str),
    DropVector(&'static str, &'static str),
    Flush(&'static str),
    Optimize(&'static str),
    Reopen,
    PowerCut(u64),
    Create(&'static str),
    Drop(&'static str),
    Rename(&'static str, &'static str),
    Alias(&'static str, &'static str),
    Ask(Question),
}

/// Every distance with every element type, the next combination for the second vector.
pub(crate) fn config(combination: usize) -> CollectionConfig {
    let params = |size: usize, n: usize| {
        let elements = [Element::F32, Element::F16, Element::U8];
        VectorParams::new(size, Distance::ALL[n % 4]).element(elements[n / 4 % 3])
    };
    let mut config =
        CollectionConfig::new(params(DIM, combination)).vector("side", params(SIDE_DIM, combination + 5));
    let several = params(SIDE_DIM, combination + 7).multivector(MultiVectorComparator::MaxSim);
    let modifier = if combination.is_multiple_of(2) {
        Modifier::Idf
    } else {
        Modifier::None
    };
    config = config
        .vector("tokens", several)
        .sparse_vector("words", SparseVectorParams::new().modifier(modifier));
    config.optimizer.index_min_rows = 60;
    config
}

/// The parameters of a vector of [`config`].
pub(crate) fn params(combination: usize, name: &str) -> NamedVectorParams {
    let config = config(combination);
    let dense = config.vectors.into_iter().find(|(n, _)| n == name);
    let sparse = config.sparse_vectors.into_iter().find(|(n, _)| n == name);
    dense
        .map(|(_, params)| params.into())
        .or(sparse.map(|(_, params)| params.into()))
        .unwrap()
}

/// A vector of one of the names, of its kind.
pub(crate) fn vector_of(name: &str, seed: u64) -> Vector {
    let numbers = &mut Numbers::new(seed);
    match name {
        "side" => vector(SIDE_DIM, seed).into(),
        "tokens" => {
            let rows = 1 + numbers.below(3);
            let rows: Vec<Vec<f32>> = (0..rows).map(|_| vector(SIDE_DIM, numbers.bits())).collect();
            rows.into()
        }
        "words" => {
            let mut indices: Vec<u32> = (0..9).filter(|_| numbers.one_in(3)).collect();
            indices.reverse();
            let values = indices.iter().map(|_| numbers.below(33) as f32 / 4.0 - 3.0);
            SparseVector::new(indices.clone(), values.collect::<Vec<_>>()).into()
        }
        _ => vector(DIM, seed).into(),
    }
}

/// A vector with numbers that are exact in every element type, so that ties are ties.
pub(crate) fn vector(dim: usize, seed: u64) -> Vec<f32> {
    let numbers = &mut Numbers::new(seed);
    if seed.is_multiple_of(23) {
        return vec![0.0; dim];
    }
    if seed.is_multiple_of(3) {
        // Out of the range of bytes, and between them.
        return (0..dim)
            .map(|_| *numbers.pick(&[-3.0, -0.5, 0.0, 0.25, 1.0, 1.75, 9.0, 200.0, 255.0, 300.0]))
            .collect();
    }
    (0..dim).map(|_| numbers.below(33) as f32 / 4.0 - 3.0).collect()
}

fn name() -> impl Strategy<Value = &'static str> + Clone {
    select(vec!["a", "a", "a", "b", "c", "alias"])
}

fn id() -> impl Strategy<Value = PointId> + Clone {
    let uuid = |n: u128| PointId::Uuid(uuid::Uuid::from_u128(n));
    prop_oneof![
        12 => (0u64..20).prop_map(PointId::Num),
        1 => Just(PointId::Num(u64::MAX)),
        3 => select(vec![uuid(1), uuid(7), uuid(u128::MAX), uuid(1 << 64)]),
    ]
}

fn word() -> impl Strategy<Value = Value> + Clone {
    select(vec![
        json!("red"),
        json!("green"),
        json!("blue"),
        json!("dark red"),
        json!("reddish"),
        json!(""),
    ])
}

fn number() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        8 => (-3i64..6).prop_map(Value::from),
        2 => select(vec![json!(0.5), json!(1.0), json!(2.5), json!(-0.0)]),
        1 => select(vec![json!(u64::MAX), json!(i64::MIN), json!(1i64 << 53), json!((1i64 << 53) + 1)]),
    ]
}

fn date() -> impl Strategy<Value = Value> + Clone {
    select(vec![
        json!("2024-02-29"),
        json!("2024-02-29T12:30:00Z"),
        json!("2024-02-29T14:30:00.25+02:00"),
        json!("2024-02-29T12:30:00.250001Z"),
        json!("1969-12-31T23:59:59Z"),
        json!("2024-02-30"),
        json!("soon"),
        json!(20_240_229),
    ])
}

/// A value, or none, or several, or what is not a value at all.
fn loose<S: Strategy<Value = Value> + Clone + 'static>(one: S) -> BoxedStrategy<Value> {
    prop_oneof![
        10 => one.clone(),
        3 => vec(one.clone(), 0..4).prop_map(Value::Array),
        1 => vec(prop_oneof![one, Just(Value::Null), Just(json!({})), Just(json!([1]))], 1..4).prop_map(Value::Array),
        1 => select(vec![Value::Null, json!([]), json!([null]), json!({}), json!(true), json!("2"), json!(2)]),
    ]
    .boxed()
}

/// Positions on a grid of halves around the origin, and on both sides of the 180th meridian.
fn position() -> impl Strategy<Value = Value> + Clone {
    let lon = prop_oneof![4 => -4i32..5, 1 => select(vec![-360, -359, 359, 360])];
    (lon, -4i32..5).prop_map(|(lon, lat)| json!({"lon": f64::from(lon) / 2.0, "lat": f64::from(lat) / 2.0}))
}

fn uuid_text() -> impl Strategy<Value = Value> + Clone {
    select(vec![
        json!("67e55044-10b1-426f-9247-bb680e5fe0c8"),
        json!("67E55044-10B1-426F-9247-BB680E5FE0C8"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("67e5504410b1426f9247bb680e5fe0c8"),
    ])
}

fn area() -> impl Strategy<Value = (&'static str, Value)> {
    let ring = || {
        vec(position(), 3..6).prop_map(|mut points| {
            points.push(points[0].clone());
            json!({ "points": points })
        })
    };
    prop_oneof![
        (position(), position())
            .prop_map(|(a, b)| ("geo_bounding_box", json!({"top_left": a, "bottom_right": b}))),
        (position(), 0u32..8)
            .prop_map(|(center, n)| ("geo_radius", json!({"center": center, "radius": n * 50_000}))),
        (ring(), vec(ring(), 0..2))
            .prop_map(|(outer, holes)| ("geo_polygon", json!({"exterior": outer, "interiors": holes}))),
    ]
}

fn object() -> impl Strategy<Value = Value> + Clone {
    (option::of(loose(word())), option::of(loose(number()))).prop_map(|(k, n)| {
        let mut map = Payload::new();
        map.extend(k.map(|k| ("k".to_owned(), k)));
        map.extend(n.map(|n| ("n".to_owned(), n)));
        Value::Object(map)
    })
}

fn payload() -> BoxedStrategy<Payload> {
    let fields = (
        option::of(loose(word())),
        option::of(loose(number())),
        option::of(loose(any::<bool>().prop_map(Value::from))),
        option::of(loose(date())),
        option::of(loose(position())),
        option::of(loose(uuid_text())),
        option::weighted(0.4, loose(object())),
        option::weighted(
            0.5,
            prop_oneof![4 => vec(object(), 0..4).prop_map(Value::Array), 1 => loose(object())],
        ),
    );
    fields
        .prop_map(|(k, n, b, d, g, u, o, a)| {
            let fields = [
                ("k", k),
                ("n", n),
                ("b", b),
                ("d", d),
                ("g", g),
                ("u", u),
                ("o", o),
                ("a", a),
            ];
            fields
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?)))
                .collect()
        })
        .boxed()
}

const PATHS: [&str; 16] = [
    "k", "n", "b", "d", "g", "u", "k", "n", "o.k", "o.n", "a[].k", "a[].n", "a[1].n", "none", "k[]", "a",
];

fn path() -> impl Strategy<Value = &'static str> {
    select(PATHS.to_vec())
}

fn limits(one: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let kinds = select(vec!["gt", "gte", "lt", "lte"]);
    vec((kinds, one), 0..3).prop_map(|list| list.into_iter().map(|(kind, v)| (kind.to_owned(), v)).collect())
}

fn valid_date() -> impl Strategy<Value = Value> {
    let dates = [
        "2024-02-29",
        "2024-02-29T12:30:00.25Z",
        "1969-12-31T23:59:59Z",
        "2024-02-29T13:00:00Z",
    ];
    select(dates.to_vec()).prop_map(Value::from)
}

fn predicate() -> BoxedStrategy<(&'static str, Value)> {
    let wanted = prop_oneof![
        word(),
        (-3i64..6).prop_map(Value::from),
        any::<bool>().prop_map(Value::from)
    ];
    let lists = prop_oneof![vec(word(), 0..3), vec((-3i64..6).prop_map(Value::from), 0..3)];
    let kinds = select(vec!["any", "except"]);
    let texts = select(vec!["text", "phrase", "text_any", "prefix", "substring"]);
    let pieces = select(vec!["red", "dark", "re", "blue green", "ish dark", "", " "]);
    prop_oneof![
        3 => wanted.prop_map(|value| ("match", json!({"value": value}))),
        2 => (kinds, lists).prop_map(|(kind, list)| ("match", json!({kind: list}))),
        1 => (texts, pieces).prop_map(|(kind, text)| ("match", json!({kind: text}))),
        2 => limits(number()).prop_map(|l| ("range", l)),
        1 => limits(valid_date()).prop_map(|l| ("range", l)),
        1 => limits((0u64..4).prop_map(Value::from)).prop_map(|l| ("values_count", l)),
        1 => any::<bool>().prop_map(|b| ("is_empty", b.into())),
        1 => any::<bool>().prop_map(|b| ("is_null", b.into())),
    ]
    .boxed()
}

fn condition(paths: &'static [&'static str]) -> BoxedStrategy<Value> {
    let at = move || select(paths.to_vec());
    prop_oneof![
        12 => (at(), predicate()).prop_map(|(path, (kind, value))| json!({"key": path, kind: value})),
        2 => vec(word(), 0..3).prop_map(|list| json!({"key": "k", "match": {"except": list}})),
        1 => limits(number()).prop_map(|l| json!({"key": "n", "range": l})),
        1 => at().prop_map(|path| json!({"is_empty": {"key": path}})),
        1 => at().prop_map(|path| json!({"is_null": {"key": path}})),
        2 => vec(id(), 0..5).prop_map(|ids| {
            let ids: Vec<Value> = ids.into_iter().map(|id| match id {
                PointId::Num(n) => n.into(),
                PointId::Uuid(uuid) => uuid.to_string().into(),
            }).collect();
            json!({"has_id": ids})
        }),
        1 => select(vec!["", "side"]).prop_map(|name| json!({"has_vector": name})),
        1 => (1u32..5, 0u32..3)
            .prop_map(|(more, index)| json!({"slice": {"total": index + more, "index": index}})),
        2 => area().prop_map(|(kind, area)| json!({"key": "g", kind: area})),
        1 => vec(uuid_text(), 0..3).prop_map(|list| json!({"key": "u", "match": {"any": list}})),
        1 => vec(uuid_text(), 0..3).prop_map(|list| json!({"key": "u", "match": {"except": list}})),
    ]
    .boxed()
}

fn clauses(one: BoxedStrategy<Value>, nested: bool) -> BoxedStrategy<Value> {
    let list = |least: usize| vec(one.clone(), least..3);
    let least = usize::from(!nested);
    prop_oneof![
        3 => list(0).prop_map(|l| json!({"must": l})),
        2 => list(least).prop_map(|l| json!({"should": l})),
        2 => list(0).prop_map(|l| json!({"must_not": l})),
        1 => (list(1), list(1)).prop_map(|(a, b)| json!({"must": a, "must_not": b})),
        1 => (list(1), list(1)).prop_map(|(a, b)| json!({"should": a, "must": b})),
        1 => (vec(one.clone(), 1..4), 1u64..4)
            .prop_map(|(l, n)| json!({"min_should": {"conditions": l, "min_count": n}})),
        1 => one.clone().prop_map(|c| json!({"must": c})),
    ]
    .boxed()
}

/// A filter in JSON, two levels deep.
pub(crate) fn filter() -> BoxedStrategy<Value> {
    let inner = clauses(condition(&["k", "n"]), true);
    let nested = (select(vec!["a", "a[]", "o"]), inner)
        .prop_map(|(key, filter)| json!({"nested": {"key": key, "filter": filter}}));
    let sub = clauses(condition(&PATHS), false);
    let dated = limits(valid_date()).prop_map(|l| json!({"key": "d", "range": l}));
    let one = prop_oneof![10 => condition(&PATHS), 2 => nested, 2 => sub, 1 => dated].boxed();
    prop_oneof![1 => Just(json!({})), 12 => clauses(one, false)].boxed()
}

fn aim() -> BoxedStrategy<Aim> {
    prop_oneof![
        4 => vec(id(), 0..5).prop_map(Aim::Ids),
        1 => vec((0u64..20).prop_map(PointId::Num), 1..3).prop_map(Aim::Ids),
        3 => filter().prop_map(Aim::Filter),
    ]
    .boxed()
}

fn vectors(ghosts: bool) -> BoxedStrategy<Vectors> {
    let given = (
        option::weighted(0.9, any::<u64>()),
        option::weighted(0.5, any::<u64>()),
        option::weighted(0.4, any::<u64>()),
        option::weighted(0.5, any::<u64>()),
        0u8..60,
    );
    given
        .prop_map(move |(default, side, tokens, words, ghost)| {
            let mut vectors = Vectors::default();
            if let Some(seed) = default {
                vectors = vectors.with("", vector(DIM, seed));
            }
            for (name, seed) in [("side", side), ("tokens", tokens), ("words", words)] {
                if let Some(seed) = seed {
                    vectors = vectors.with(name, vector_of(name, seed));
                }
            }
            if ghosts && ghost == 0 {
                vectors = vectors.with("ghost", vec![1.0]);
            }
            vectors
        })
        .boxed()
}

fn point() -> impl Strategy<Value = Point> {
    (id(), vectors(true), payload()).prop_map(|(id, vectors, payload)| Point { id, vectors, payload })
}

fn op() -> BoxedStrategy<Op> {
    let mode = prop_oneof![
        4 => Just(UpsertMode::Upsert),
        1 => Just(UpsertMode::InsertOnly),
        1 => Just(UpsertMode::UpdateOnly),
    ];
    let keys = select(vec![
        "o",
        "o.k",
        "a[0]",
        "a[]",
        "a[].deep",
        "new.deep.key",
        "n",
        "k[0]",
        "new[0].x",
    ]);
    let doomed = select(vec![
        "k", "o", "o.k", "a[]", "a[0]", "a[].n", "a[0].k", "none.x", "n[]",
    ]);
    prop_oneof![
        8 => (vec(point(), 1..7), mode, option::weighted(0.25, filter()))
            .prop_map(|(points, mode, filter)| Op::Upsert { points, mode, filter }),
        3 => aim().prop_map(Op::Delete),
        3 => (payload(), aim(), option::of(keys))
            .prop_map(|(payload, aim, key)| Op::SetPayload(payload, aim, key.map(str::to_owned))),
        1 => (payload(), aim()).prop_map(|(payload, aim)| Op::OverwritePayload(payload, aim)),
        2 => (vec(doomed.prop_map(str::to_owned), 1..3), aim())
            .prop_map(|(keys, aim)| Op::DeletePayload(keys, aim)),
        1 => aim().prop_map(Op::ClearPayload),
        2 => (vec((id(), vectors(true)), 1..4), option::weighted(0.3, filter()))
            .prop_map(|(points, filter)| Op::UpdateVectors { points, filter }),
        1 => (vec(select(vec!["", "side", "tokens", "words", "ghost"]).prop_map(str::to_owned), 1..2), aim())
            .prop_map(|(names, aim)| Op::DeleteVectors(names, aim)),
    ]
    .boxed()
}

fn step() -> impl Strategy<Value = Step> {
    let expected = prop_oneof![
        1 => Just(Expected::Absent),
        3 => Just(Expected::Present),
        1 => (1u64..20).prop_map(Expected::Version),
    ];
    prop_oneof![
        5 => (name(), op()).prop_map(|(name, op)| Step::Write(name.to_owned(), op)),
        1 => (name(), id(), expected).prop_map(|(name, id, e)| Step::Require(name.to_owned(), id, e)),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    let parts = (
        name(),
        select(vec!["", "side", "tokens", "words"]),
        any::<u64>(),
        1usize..40,
        prop_oneof![3 => Just(0usize), 1 => 0usize..30],
        option::weighted(0.3, 0usize..20),
        option::weighted(0.6, filter()),
        vec(filter(), 0..4),
    );
    parts.prop_map(
        |(name, using, seed, limit, offset, threshold, filter, others)| Question {
            name,
            using,
            seed,
            limit,
            offset,
            threshold,
            filter,
            others,
        },
    )
}

/// One action.
pub(crate) fn action() -> impl Strategy<Value = Action> {
    use PayloadIndexKind::{Bool, Datetime, Float, Geo, Integer, Keyword, Uuid};
    let index = select(vec![
        ("k", Keyword),
        ("k", Keyword),
        ("n", Integer),
        ("n", Float),
        ("b", Bool),
        ("d", Datetime),
        ("g", Geo),
        ("u", Uuid),
        ("o.k", Keyword),
        ("o.n", Float),
        ("a[].k", Keyword),
        ("a[].n", Integer),
        ("k", Integer),
    ]);
    let pure = || select(vec!["a", "b", "c"]);
    prop_oneof![
        20 => (name(), op()).prop_map(|(name, op)| Action::Write(name, op)),
        5 => vec(step(), 1..5).prop_map(Action::Batch),
        1 => (name(), 0u64..200, 60u64..200, any::<u64>()).prop_map(|(n, start, count, s)| Action::Bulk(n, start, count, s)),
        4 => (name(), index).prop_map(|(name, (path, kind))| Action::CreateIndex(name, path, kind)),
        1 => (name(), path()).prop_map(|(name, path)| Action::DropIndex(name, path)),
        1 => (name(), select(vec!["side", "tokens", "words"])).prop_map(|(name, v)| Action::DropVector(name, v)),
        3 => (name(), select(vec!["side", "tokens", "words"])).prop_map(|(name, v)| Action::CreateVector(name, v)),
        5 => name().prop_map(Action::Flush),
        2 => name().prop_map(Action::Optimize),
        2 => Just(Action::Reopen),
        2 => any::<u64>().prop_map(Action::PowerCut),
        1 => pure().prop_map(Action::Create),
        1 => select(vec!["b", "c"]).prop_map(Action::Drop),
        1 => (pure(), pure()).prop_map(|(from, to)| Action::Rename(from, to)),
        1 => pure().prop_map(|name| Action::Alias("alias", name)),
        12 => question().prop_map(Action::Ask),
    ]
}

/// The points of [`Action::Bulk`].
pub(crate) fn bulk(start: u64, count: u64, seed: u64) -> Vec<Point> {
    let numbers = &mut Numbers::new(seed);
    let words = ["red", "green", "blue"];
    (start..start + count)
        .map(|id| {
            let mut vectors = Vectors::from(vector(DIM, numbers.bits()));
            if numbers.one_in(2) {
                vectors = vectors.with("side", vector(SIDE_DIM, numbers.bits()));
            }
            for name in ["tokens", "words"] {
                if !numbers.one_in(3) {
                    vectors = vectors.with(name, vector_of(name, numbers.bits()));
                }
            }
            let payload =
                json!({"k": numbers.pick(&words), "n": numbers.below(9), "a": [{"n": numbers.below(3)}]});
            Point::new(id, vectors).payload(payload).unwrap()
        })
        .collect()
}
