//! Any collection goes out in each format that can express it and comes back the same; of the others the message names what is in the
//! way, and `--lossy` leaves it out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value};
use vdb::{
    CollectionConfig, Database, Distance, Element, HnswConfig, Modifier, MultiVectorComparator,
    PayloadIndexKind, PayloadIndexParams, Point, PointId, ScrollRequest, Select, SparseVector,
    SparseVectorParams, Vector, VectorParams, Vectors,
};

use crate::harness::{Ended, Place};

/// A vector that a collection has.
#[derive(Debug, Clone)]
enum Kind {
    Dense(usize, Distance, Element),
    Multi(usize),
    Sparse,
}

#[derive(Debug, Clone)]
struct Collection {
    kinds: BTreeMap<String, Kind>,
    points: BTreeMap<PointId, (Vectors, Map<String, Value>)>,
    /// What was said of its graphs and noted with it, and its payload indexes.
    m: Option<u16>,
    metadata: Map<String, Value>,
    indexes: Vec<(String, PayloadIndexKind)>,
}

fn kinds() -> impl Strategy<Value = BTreeMap<String, Kind>> {
    let distance = prop::sample::select(&Distance::ALL[..]);
    let element = prop::sample::select(&[Element::F32, Element::F16][..]);
    let dense = (1usize..5, distance, element).prop_map(|(size, distance, element)| match distance {
        // What half precision makes of a vector of length 1 is of another length, and is made one of length 1 again.
        Distance::Cosine => Kind::Dense(size, distance, Element::F32),
        Distance::Dot | Distance::Euclid | Distance::Manhattan => Kind::Dense(size, distance, element),
    });
    let dense = dense.boxed();
    let named = |name: &'static str, kind: BoxedStrategy<Kind>| {
        prop::option::of(kind).prop_map(move |kind| kind.map(|kind| (name.to_owned(), kind)))
    };
    let all = (
        named("", dense.clone()),
        named("title", dense.clone()),
        named("rows", (1usize..4).prop_map(Kind::Multi).boxed()),
        named("words", Just(Kind::Sparse).boxed()),
    );
    let any = all.prop_map(|(a, b, c, d)| [a, b, c, d].into_iter().flatten().collect::<BTreeMap<_, _>>());
    let any = any.prop_map(|kinds| {
        if kinds.is_empty() {
            return BTreeMap::from([(String::new(), Kind::Dense(2, Distance::Dot, Element::F32))]);
        }
        kinds
    });
    // Half of them are what every format has.
    let plain = dense.prop_map(|kind| BTreeMap::from([(String::new(), kind)]));
    prop_oneof![any, plain]
}

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![-1000.0f32..1000.0, -1.0f32..1.0, Just(-0.0)]
}

/// A vector that has a direction.
fn numbers(size: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(number(), size).prop_map(|mut numbers| {
        if let Some(first) = numbers.first_mut()
            && first.abs() < 0.5
        {
            *first = 1.5;
        }
        numbers
    })
}

fn vector(kind: &Kind) -> BoxedStrategy<Vector> {
    match kind {
        Kind::Dense(size, ..) => numbers(*size).prop_map(Vector::Dense).boxed(),
        Kind::Multi(size) => prop::collection::vec(numbers(*size), 1..4)
            .prop_map(Vector::Multi)
            .boxed(),
        Kind::Sparse => prop::collection::btree_map(any::<u32>(), numbers(1), 1..4)
            .prop_map(|pairs| {
                let (indices, values): (Vec<u32>, Vec<Vec<f32>>) = pairs.into_iter().unzip();
                let values = values.concat();
                Vector::Sparse(SparseVector { indices, values })
            })
            .boxed(),
    }
}

/// The vectors of a point: all of them, or some.
fn vectors(kinds: &BTreeMap<String, Kind>, are_whole: bool) -> BoxedStrategy<Vectors> {
    let mut all = Just(Vectors::default()).boxed();
    for (name, kind) in kinds {
        let one = if are_whole {
            vector(kind).prop_map(Some).boxed()
        } else {
            prop::option::of(vector(kind)).boxed()
        };
        let name = name.clone();
        all = (all, one)
            .prop_map(move |(all, one)| match one {
                Some(one) => all.with(name.as_str(), one),
                None => all,
            })
            .boxed();
    }
    all
}

fn payload() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |float| float.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,4}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    // Three fields with values of one type, and others that have any.
    let field = prop_oneof![
        ("n", any::<i64>().prop_map(Value::from)),
        (
            "text",
            prop_oneof![Just(Value::Null), any::<String>().prop_map(Value::from)]
        ),
        (
            "tags",
            prop::collection::vec(any::<String>(), 0..3).prop_map(Value::from)
        ),
        ("[a-c]|id|vector|document|\\PC{1,3}", value),
    ];
    prop::collection::vec(field, 0..5).prop_map(|fields| fields.into_iter().collect())
}

fn collection() -> impl Strategy<Value = Collection> {
    let id = prop_oneof![
        (0u64..20).prop_map(PointId::from),
        any::<u64>().prop_map(PointId::from),
        any::<u128>().prop_map(|bits| format!("{bits:032x}").parse().unwrap()),
    ];
    let index = prop::sample::select(vec![
        ("n".to_owned(), PayloadIndexKind::Integer),
        ("text".to_owned(), PayloadIndexKind::Text),
        ("tags".to_owned(), PayloadIndexKind::Keyword),
    ]);
    let said = (
        prop::option::of(4u16..32),
        payload(),
        prop::collection::vec(index, 0..3),
    );
    (kinds(), any::<bool>(), said).prop_flat_map(move |(kinds, are_whole, (m, metadata, indexes))| {
        let point = (vectors(&kinds, are_whole), payload());
        prop::collection::btree_map(id.clone(), point, 1..8).prop_map(move |points| Collection {
            kinds: kinds.clone(),
            points,
            m,
            metadata: metadata.clone(),
            indexes: indexes.clone(),
        })
    })
}

impl Collection {
    fn config(&self) -> CollectionConfig {
        let mut config = CollectionConfig::default();
        for (name, kind) in &self.kinds {
            config = match kind {
                Kind::Dense(size, distance, element) => {
                    let m = HnswConfig {
                        m: self.m,
                        ..HnswConfig::default()
                    };
                    let params = VectorParams::new(*size, *distance)
                        .element(*element)
                        .hnsw_config(m);
                    config.vector(name.as_str(), params)
                }
                Kind::Multi(size) => config.vector(
                    name.as_str(),
                    VectorParams::new(*size, Distance::Dot).multivector(MultiVectorComparator::MaxSim),
                ),
                Kind::Sparse => {
                    config.sparse_vector(name.as_str(), SparseVectorParams::new().modifier(Modifier::Idf))
                }
            };
        }
        config.metadata = self.metadata.clone();
        config
    }

    /// Makes it `c` in a database, with its points or without.
    fn make(&self, dir: &Path, with_points: bool) {
        let db = Database::builder().background(false).open(dir).unwrap();
        let collection = db.create_collection("c", self.config()).unwrap();
        for (path, kind) in &self.indexes {
            collection.create_payload_index(path, *kind).unwrap();
        }
        if with_points {
            let point = |(id, (vectors, payload)): (&PointId, &(Vectors, Map<String, Value>))| {
                let mut point = Point::new(*id, vectors.clone());
                point.payload = payload.clone();
                point
            };
            collection
                .upsert(self.points.iter().map(point).collect::<Vec<_>>())
                .unwrap();
        }
        db.close().unwrap();
    }

    /// The one dense vector that a matrix can be of, and whether nothing else is there.
    fn dense(&self) -> (Vec<&str>, bool) {
        let is_dense = |kind: &Kind| matches!(kind, Kind::Dense(..));
        let dense = self.kinds.iter().filter(|(_, kind)| is_dense(kind));
        (
            dense.map(|(name, _)| name.as_str()).collect(),
            self.kinds.len() == 1,
        )
    }

    fn all_have(&self, name: &str) -> bool {
        self.points
            .values()
            .all(|(vectors, _)| vectors.get(name).is_some())
    }

    fn has_cosine(&self) -> bool {
        let mut kinds = self.kinds.values();
        kinds.any(|kind| matches!(kind, Kind::Dense(_, Distance::Cosine, _)))
    }
}

/// The payload indexes of `c`.
fn indexes(dir: &Path) -> Vec<(String, PayloadIndexParams)> {
    let db = Database::builder().background(false).open_read_only(dir).unwrap();
    let mut indexes = db.collection("c").unwrap().payload_indexes();
    indexes.sort_by(|(one, _), (other, _)| one.cmp(other));
    indexes
}

/// Every point of `c`, with the bits of its numbers.
fn content(dir: &Path) -> (CollectionConfig, Vec<String>) {
    let db = Database::builder().background(false).open_read_only(dir).unwrap();
    let collection = db.collection("c").unwrap();
    let page = collection
        .scroll(&ScrollRequest::new().select(Select::all()).limit(1000))
        .unwrap();
    let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    let shown = |vector: &Vector| match vector {
        Vector::Dense(numbers) => format!("{:?}", bits(numbers)),
        Vector::Multi(rows) => format!("{:?}", rows.iter().map(|row| bits(row)).collect::<Vec<_>>()),
        Vector::Sparse(sparse) => format!("{:?} {:?}", sparse.indices, bits(&sparse.values)),
    };
    let line = |point: vdb::Record| {
        let vectors = point.vectors.unwrap_or_default();
        let vectors: BTreeMap<&String, String> = vectors
            .0
            .iter()
            .map(|(name, vector)| (name, shown(vector)))
            .collect();
        // Which field comes first is of no meaning.
        let payload: BTreeMap<String, Value> = point.payload.unwrap_or_default().into_iter().collect();
        format!(
            "{} {vectors:?} {}",
            point.id,
            serde_json::to_string(&payload).unwrap()
        )
    };
    let config = collection.config();
    (config, page.points.into_iter().map(line).collect())
}

/// Exports `c` in a format.
fn export(place: &Place, to: &str, format: &str, options: &[&str]) -> Ended {
    place.vdb(&[&["export", "db", "c", to, "--format", format][..], options].concat())
}

/// What `c` is once it was imported into a database of its own.
fn imported(place: &Place, file: &str, options: &[&str]) -> (CollectionConfig, Vec<String>) {
    let db = format!("from-{file}");
    place
        .vdb(
            &[
                &["import", file, &db, "--collection", "c", "--no-index"][..],
                options,
            ]
            .concat(),
        )
        .succeeded();
    content(&place.path(&db))
}

fn survives(collection: &Collection) {
    let place = Place::new();
    collection.make(&place.path("db"), true);
    let (config, points) = content(&place.path("db"));

    // These hold everything, also what a collection is like.
    let whole: &[&str] = if cfg!(feature = "parquet") {
        &["backup", "parquet"]
    } else {
        &["backup"]
    };
    for format in whole {
        let file = format!("c.{format}");
        export(&place, &file, format, &[]).succeeded();
        let (found, read) = imported(&place, &file, &[]);
        assert_eq!(read, points, "{format}");
        let kinds = |config: &CollectionConfig| {
            let dense = config.vectors.iter().map(|(name, params)| {
                let VectorParams {
                    size,
                    distance,
                    element,
                    multivector,
                    ..
                } = params;
                (name.clone(), *size, *distance, *element, *multivector)
            });
            (dense.collect::<Vec<_>>(), config.sparse_vectors.clone())
        };
        assert_eq!(kinds(&found), kinds(&config), "{format}");
        if *format == "backup" {
            assert_eq!(found, config);
            assert_eq!(indexes(&place.path("from-c.backup")), indexes(&place.path("db")));
        }
    }
    // Lines are rows of a collection that is there.
    export(&place, "c.jsonl", "jsonl", &[]).succeeded();
    collection.make(&place.path("from-c.jsonl"), false);
    assert_eq!(imported(&place, "c.jsonl", &[]).1, points, "jsonl");

    matrices(collection, &place, &points);
}

/// A matrix and an index have one dense vector for each point.
fn matrices(collection: &Collection, place: &Place, points: &[String]) {
    let (dense, is_only) = collection.dense();
    let formats: [(&str, &str, &[&str]); 2] = [
        ("npy", "c.npy", &["--rows", "rows.jsonl"]),
        ("faiss", "store", &["--id-key", "own id"]),
    ];
    for (format, file, options) in formats {
        let ended = export(place, file, format, options);
        let &[name] = dense.as_slice() else {
            let message = ended.failed_with(1);
            assert!(
                message.contains("one dense vector a point"),
                "{format}: {message}"
            );
            let is_named = |name: &String| message.contains(&format!("{name:?}"));
            assert!(collection.kinds.keys().all(is_named), "{format}: {message}");
            continue;
        };
        if !is_only {
            let message = ended.failed_with(1);
            assert!(message.contains("--using"), "{format}: {message}");
            without_the_rest(collection, place, (format, file, options), name);
            continue;
        }
        if !collection.all_have(name) {
            let message = ended.failed_with(1);
            let lacks =
                |(id, (vectors, _)): (&PointId, &(Vectors, _))| vectors.get(name).is_none().then_some(*id);
            let lacking: Vec<PointId> = collection.points.iter().filter_map(lacks).collect();
            let names = |id: &PointId| message.contains(&format!("point {id} "));
            assert!(
                lacking.iter().any(names) && message.contains("--lossy"),
                "{format}: {message}"
            );
            without_the_rest(collection, place, (format, file, options), name);
            continue;
        }
        ended.succeeded();
        let read = if format == "npy" {
            collection.make(&place.path("from-npy"), false);
            let load = [
                "load",
                "from-npy",
                "c",
                file,
                "--rows",
                "rows.jsonl",
                "--no-index",
            ];
            let using = ["--using", name];
            let using: &[&str] = if name.is_empty() { &[] } else { &using };
            place.vdb(&[&load[..], using].concat()).succeeded();
            content(&place.path("from-npy")).1
        } else {
            let cosine: &[&str] = if collection.has_cosine() {
                &["--distance", "cosine"]
            } else {
                &[]
            };
            let read = imported(place, file, &[options, cosine].concat()).1;
            // An index has no name for its vectors.
            read.iter()
                .map(|line| line.replace("{\"\": ", &format!("{{{name:?}: ")))
                .collect()
        };
        assert_eq!(read, points, "{format}");
    }
}

/// With `--lossy` the points that have the vector go out with it, and nothing else is missing.
fn without_the_rest(
    collection: &Collection,
    place: &Place,
    (format, file, options): (&str, &str, &[&str]),
    name: &str,
) {
    let ended = export(place, file, format, &[options, &["--lossy", "--json"]].concat()).succeeded();
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    let has_it = |(_, (vectors, _)): &(&PointId, &(Vectors, _))| vectors.get(name).is_some();
    let kept: BTreeSet<String> = collection
        .points
        .iter()
        .filter(has_it)
        .map(|(id, _)| id.to_string())
        .collect();
    let told = (&answer["files"][0]["points"], &answer["files"][0]["left_out"]);
    let expected = (kept.len(), collection.points.len() - kept.len());
    assert_eq!(told, (&expected.0.into(), &expected.1.into()), "{format}");
    if format == "faiss" && !kept.is_empty() {
        let read = imported(place, file, options).1;
        let ids = read.iter().filter_map(|line| line.split(' ').next());
        assert_eq!(ids.map(str::to_owned).collect::<BTreeSet<_>>(), kept, "{format}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_collection_survives_each_format_that_can_express_it(collection in collection()) {
        survives(&collection);
    }
}
