//! What is done to a database while the power may go: scripts, by hand and at random.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vdb::{
    CollectionConfig, CollectionUpdate, Database, DatabaseBuilder, Distance, Durability, Element, Expected,
    HnswConfig, Modifier, MultiVectorComparator, NamedVectorParams, PayloadIndexKind, Point, PointId, Result,
    SparseVector, SparseVectorParams, UpsertMode, VectorParams, Vectors,
};
use vdb_vfs::sim::SimDisk;

use crate::Numbers;
use crate::oracle::{Aim, Op, OracleDatabase, Step};

/// Something that a script does; collections by name.
#[derive(Clone, Debug)]
pub enum Action {
    /// One batch.
    Write(Durability, Vec<Step>),
    /// Memtables to segments.
    Flush(&'static str),
    /// Everything merged, with graphs and payload indexes.
    Optimize(&'static str),
    /// An index on a payload path.
    Index(&'static str, &'static str, PayloadIndexKind),
    /// Without it again.
    DropIndex(&'static str, &'static str),
    /// A named vector: one of `config`, or the one that is not.
    CreateVector(&'static str, &'static str),
    /// Without it again, in all points.
    DropVector(&'static str, &'static str),
    /// Other graphs, of so many links a node; 0 for none.
    Configure(&'static str, u16),
    /// A new collection.
    Create(&'static str),
    /// A collection with its aliases.
    Drop(&'static str),
    /// From one name to another.
    Rename(&'static str, &'static str),
    /// An alias, and what it stands for.
    Alias(&'static str, &'static str),
    /// An alias no more.
    Unalias(&'static str),
    /// A copy of a collection, to be restored later; the one before it is forgotten.
    Snapshot(&'static str),
    /// The last copy, under a name, in the place of what has it.
    Restore(&'static str),
    /// The log, up to its end.
    Sync,
}

impl Action {
    /// The same action, whose writes leave out vectors that collections do not have as things are: see [`fitted`].
    #[must_use]
    pub fn fitted(&self, state: &OracleDatabase) -> Action {
        if let Action::Write(durability, steps) = self {
            return Action::Write(*durability, fitted(steps, state));
        }
        self.clone()
    }
}

/// Payload values of so many rows get graphs: small enough for a script.
const PARTITION_ROWS: u32 = 3;

/// Settings under which calls come in the same order every time, as far as threads allow.
pub fn builder() -> DatabaseBuilder {
    Database::builder()
        .write_buffer(0)
        .log_segment_bytes(0)
        .threads(1)
        .background(false)
        .sync_interval(Duration::from_secs(3_600))
        .partition_rows(PARTITION_ROWS)
}

/// Opens what is on a disk.
///
/// # Errors
/// As [`DatabaseBuilder::open_disk`].
pub fn open(disk: &SimDisk) -> Result<Database> {
    builder().open_disk(Arc::new(disk.clone()))
}

/// A vector of each kind and one more; tiny graphs and indexes, so that they are built too.
pub fn config() -> CollectionConfig {
    let mut config = CollectionConfig::new(VectorParams::new(3, Distance::Dot)).vector(
        "side",
        VectorParams::new(2, Distance::Euclid).element(Element::U8),
    );
    let several = VectorParams::new(2, Distance::Dot).multivector(MultiVectorComparator::MaxSim);
    config = config
        .vector("tokens", several)
        .sparse_vector("words", SparseVectorParams::new().modifier(Modifier::Idf));
    config.optimizer.index_min_rows = 4;
    config
}

/// Vectors that come and go: all of `config` that have a name, and another multivector.
pub const NAMED: [&str; 4] = ["side", "tokens", "words", "late"];

/// The parameters of one of [`NAMED`].
///
/// # Panics
/// When it is none of them.
pub fn named(vector: &str) -> NamedVectorParams {
    if vector == "late" {
        let several = VectorParams::new(3, Distance::Dot)
            .element(Element::F16)
            .multivector(MultiVectorComparator::MaxSim);
        return several.into();
    }
    let config = config();
    let dense = config.vectors.into_iter().find(|(name, _)| name == vector);
    let sparse = config.sparse_vectors.into_iter().find(|(name, _)| name == vector);
    dense
        .map(|(_, params)| params.into())
        .or(sparse.map(|(_, params)| params.into()))
        .unwrap()
}

/// The same steps without the vectors that collections do not have as things are: a script does not know what is dropped when.
pub fn fitted(steps: &[Step], state: &OracleDatabase) -> Vec<Step> {
    let mut steps = steps.to_vec();
    for step in &mut steps {
        let Step::Write(name, op) = step else { continue };
        let Some(collection) = state.get(name) else {
            continue;
        };
        let fit = |vectors: &mut Vectors| vectors.0.retain(|name, _| collection.named(name).is_some());
        if let Op::Upsert { points, .. } = op {
            points.iter_mut().for_each(|point| fit(&mut point.vectors));
        } else if let Op::UpdateVectors { points, .. } = op {
            for (_, vectors) in points {
                let mut fitted = vectors.clone();
                fit(&mut fitted);
                // Without any it would be refused for that.
                if !fitted.0.is_empty() {
                    *vectors = fitted;
                }
            }
        }
    }
    steps
}

/// A change to graphs of so many links a node.
pub fn links(m: u16) -> CollectionUpdate {
    let hnsw = HnswConfig {
        m: Some(m),
        ..HnswConfig::default()
    };
    CollectionUpdate::new().hnsw(hnsw)
}

/// A point whose numbers and payload follow from `mark`.
pub fn point(id: u64, mark: u64) -> Point {
    let numbers = |n: u64| ((mark * 31 + id * 7 + n * 13) % 17) as f32 - 8.0;
    let mut vectors = Vectors::from([numbers(0), numbers(1), numbers(2)]);
    if !mark.is_multiple_of(3) {
        vectors = vectors.with("side", vec![numbers(3) + 8.0, numbers(4) + 8.0]);
    }
    if !mark.is_multiple_of(4) {
        let words: Vec<(u32, f32)> = (0..5)
            .filter(|n| (mark + id + n).is_multiple_of(2))
            .map(|n| (n as u32 * 1_000, numbers(n)))
            .collect();
        vectors = vectors.with("words", SparseVector::from(words));
    }
    if !mark.is_multiple_of(5) {
        let rows = (0..1 + (mark + id) % 3).map(|n| vec![numbers(n), numbers(n + 3)]);
        vectors = vectors.with("tokens", rows.collect::<Vec<_>>());
    }
    let payload = json!({"mark": mark, "k": format!("k{}", mark % 3), "n": [id, mark]});
    Point::new(id, vectors).payload(payload).unwrap()
}

/// As [`points`], half of them with the vector that no collection has at first.
pub fn late_points(ids: std::ops::Range<u64>, mark: u64) -> Op {
    let late = |id: u64| {
        let mut point = point(id, mark);
        if !(mark + id).is_multiple_of(2) {
            let rows = (0..1 + mark % 3).map(|n| vec![(id + n) as f32, mark as f32 / 2.0, -1.0]);
            point.vectors = point.vectors.with("late", rows.collect::<Vec<_>>());
        }
        point
    };
    Op::upsert(ids.map(late).collect())
}

/// Points by number.
pub fn ids(ids: &[u64]) -> Aim {
    Aim::Ids(ids.iter().map(|&id| PointId::Num(id)).collect())
}

fn keyword(k: &str) -> Aim {
    Aim::Filter(json!({"must": [{"key": "k", "match": {"value": k}}]}))
}

fn payload(value: serde_json::Value) -> vdb::Payload {
    value.as_object().unwrap().clone()
}

fn write(name: &str, op: Op) -> Step {
    Step::Write(name.to_owned(), op)
}

/// An upsert of a range of points.
pub fn points(ids: std::ops::Range<u64>, mark: u64) -> Op {
    Op::upsert(ids.map(|id| point(id, mark)).collect())
}

/// Every kind of action once or more, with every durability.
pub fn scripted() -> Vec<Action> {
    use Durability::{Buffered, None, Sync};
    let sync = |steps| Action::Write(Sync, steps);
    vec![
        Action::Create("a"),
        sync(vec![write("a", points(0..8, 1))]),
        Action::Index("a", "k", PayloadIndexKind::Keyword),
        Action::Flush("a"),
        Action::Create("b"),
        Action::Alias("alias", "b"),
        sync(vec![
            write("a", Op::Delete(ids(&[1, 2]))),
            write("alias", points(0..3, 2)),
            Step::Require("a".to_owned(), 3.into(), Expected::Present),
            write(
                "a",
                Op::SetPayload(payload(json!({"set": 1})), ids(&[3]), Option::None),
            ),
        ]),
        Action::Write(None, vec![write("a", points(6..10, 4))]),
        Action::Write(Buffered, vec![write("b", points(2..5, 5))]),
        Action::Write(
            None,
            vec![
                write("b", Op::Delete(keyword("k2"))),
                write("a", Op::ClearPayload(ids(&[4]))),
            ],
        ),
        Action::Flush("a"),
        Action::Write(None, vec![write("b", points(20..22, 7))]),
        sync(vec![
            Step::Require("b".to_owned(), 0.into(), Expected::Absent),
            write("b", points(30..31, 1)),
        ]),
        Action::Write(
            None,
            vec![write(
                "a",
                Op::DeleteVectors(vec!["side".to_owned()], keyword("k1")),
            )],
        ),
        Action::Sync,
        Action::Rename("b", "c"),
        Action::Index("c", "n", PayloadIndexKind::Integer),
        Action::Write(None, vec![write("c", points(40..44, 8))]),
        Action::DropVector("a", "tokens"),
        Action::CreateVector("a", "late"),
        Action::Write(None, vec![write("a", late_points(3..6, 7))]),
        Action::Optimize("a"),
        Action::CreateVector("a", "tokens"),
        Action::Write(None, vec![write("a", late_points(4..9, 11))]),
        Action::DropVector("a", "late"),
        Action::Write(
            Buffered,
            vec![write(
                "a",
                Op::UpdateVectors {
                    points: vec![(5.into(), [1.0, 1.0, 1.0].into())],
                    filter: Option::None,
                },
            )],
        ),
        Action::Drop("c"),
        Action::Create("b"),
        Action::Write(None, vec![write("b", points(0..2, 9))]),
        sync(vec![write("a", points(50..51, 10))]),
        Action::DropIndex("a", "k"),
        Action::Flush("b"),
        Action::DropVector("a", "words"),
        Action::CreateVector("a", "words"),
        sync(vec![write("a", Op::Delete(keyword("k0")))]),
        Action::Optimize("a"),
        Action::Configure("a", 4),
        Action::Optimize("a"),
        Action::Snapshot("a"),
        sync(vec![write("a", points(60..62, 11))]),
        Action::Restore("b"),
        sync(vec![write("b", points(70..71, 12))]),
        Action::Restore("a"),
        Action::Unalias("alias"),
    ]
}

/// Records large enough that log files and memtables fill up and change.
pub fn bulky() -> Vec<Action> {
    let mut script = vec![Action::Create("a"), Action::Create("b")];
    for round in 0..10u64 {
        let mut big = point(round % 4, round);
        big.payload.insert(
            "text".to_owned(),
            "x".repeat(14_000 + 700 * round as usize).into(),
        );
        let name = if round % 3 == 0 { "b" } else { "a" };
        let durability = if round % 4 == 3 {
            Durability::None
        } else {
            Durability::Sync
        };
        script.push(Action::Write(
            durability,
            vec![write(name, Op::upsert(vec![big]))],
        ));
        if round == 5 {
            script.push(Action::Flush("a"));
        }
    }
    script.push(Action::Flush("b"));
    script.push(Action::Write(
        Durability::Sync,
        vec![write(
            "a",
            Op::SetPayload(payload(json!({"z": 1})), ids(&[1]), None),
        )],
    ));
    script
}

/// A script at random.
pub fn random(seed: u64, len: usize) -> Vec<Action> {
    let numbers = &mut Numbers::new(seed);
    let mut script = vec![Action::Create("a"), Action::Create("b")];
    for mark in 0..len as u64 {
        let names = ["a", "a", "b", "c"];
        let name = *numbers.pick(&names);
        let durability = *numbers.pick(&[
            Durability::Sync,
            Durability::Sync,
            Durability::Buffered,
            Durability::None,
        ]);
        let at = numbers.below(12);
        let (doomed, other) = (*numbers.pick(&["b", "c"]), *numbers.pick(&names));
        let vector = *numbers.pick(&NAMED);
        script.push(match numbers.below(31) {
            0..=8 => Action::Write(durability, vec![write(name, operation(numbers, at, mark))]),
            9..=11 => {
                let both = (0..3).map(|i| write(names[i], operation(numbers, at + i as u64, mark)));
                Action::Write(durability, both.collect())
            }
            12..=14 => Action::Flush(name),
            15 | 16 => Action::Optimize(name),
            17 => Action::Index(
                name,
                "k",
                *numbers.pick(&[PayloadIndexKind::Keyword, PayloadIndexKind::Integer]),
            ),
            18 => Action::DropIndex(name, "k"),
            19 => Action::Create("c"),
            20 => Action::Drop(doomed),
            21 => Action::Rename(name, other),
            22 => Action::Alias("alias", name),
            23 => Action::Unalias("alias"),
            24 => Action::Snapshot(name),
            25 => Action::Restore(name),
            26 => Action::Configure(name, *numbers.pick(&[0, 4, 16])),
            27 | 28 => Action::CreateVector(name, vector),
            29 => Action::DropVector(name, vector),
            _ => Action::Sync,
        });
    }
    script
}

fn operation(numbers: &mut Numbers, at: u64, mark: u64) -> Op {
    match numbers.below(9) {
        0..=3 => late_points(at..at + 1 + numbers.below(4), mark),
        4 => Op::Upsert {
            points: vec![point(at, mark), point(at + 1, mark)],
            mode: *numbers.pick(&[UpsertMode::InsertOnly, UpsertMode::UpdateOnly]),
            filter: None,
        },
        5 => Op::Delete(ids(&[at, at + 1, at + 2])),
        6 => Op::Delete(keyword("k1")),
        7 => Op::SetPayload(payload(json!({"set": mark, "k": "k0"})), keyword("k2"), None),
        _ => Op::DeleteVectors(vec![(*numbers.pick(&NAMED)).to_owned()], keyword("k0")),
    }
}
