//! A real process that writes until it is killed, and what must be there afterwards.
//!
//! Writers have ids of their own. Each writes batches of new points, overwrites one point and one payload with every
//! batch, deletes some of its batches, and at first all that it wrote before the last round, so that the database stays
//! small. They say on a pipe what was acknowledged; whoever reads it [`Said::check`]s.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::json;
use vdb::{
    Collection, CollectionConfig, Condition, Control, Database, Distance, Durability, Error, Filter,
    MultiVectorComparator, NamedVectorParams, PayloadIndexKind, Point, PointId, Record, SearchRequest,
    Select, SparseVector, SparseVectorParams, VectorParams, Vectors, WriteBatch, snapshot_info,
};

use crate::config;

/// Points of a batch.
const BATCH: u64 = 3;
/// Bits of a batch's number within its round.
const ROUND: u32 = 24;
/// Between two named vectors that come and go.
const PACE: Duration = Duration::from_millis(40);
/// One batch of so many is deleted again.
const DELETED: u64 = 5;

/// Opens a database with the smallest buffers there are: memtables and log files change all the time.
///
/// # Errors
/// As [`vdb::DatabaseBuilder::open`].
pub fn open(dir: &Path) -> vdb::Result<Database> {
    Database::builder()
        .write_buffer(0)
        .log_segment_bytes(0)
        .threads(1)
        .partition_rows(8)
        .open(dir)
}

/// What a child does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many children there were before.
    pub round: u64,
    /// Threads that write.
    pub writers: u64,
    /// The first writer is content with [`Durability::None`], which the death of a process does not harm.
    pub one_weak: bool,
}

/// The vectors of a point, of each kind: they say its id and the number of its batch.
fn vectors(id: u64, stamp: u64) -> Vectors {
    let (own, of_batch) = ((id % 1_000) as f32, (stamp % 1_000) as f32);
    let rows: Vec<Vec<f32>> = (0..1 + stamp % 3)
        .map(|n| vec![own, of_batch, n as f32])
        .collect();
    Vectors::from([id as f32, stamp as f32])
        .with("tokens", rows)
        .with(
            "words",
            SparseVector::new([3, 1_000 + (id % 50) as u32], [of_batch, own]),
        )
}

fn point(id: u64, stamp: u64, writer: u64) -> Point {
    let payload = json!({
        "stamp": stamp, "round": stamp >> ROUND, "writer": writer, "pad": "p".repeat((stamp % 7) as usize * 60),
    });
    Point::new(id, vectors(id, stamp)).payload(payload).unwrap()
}

/// The ids of a writer's `n`-th batch, and the one point that it overwrites every time.
fn batch(writer: u64, n: u64) -> (Vec<u64>, u64) {
    let first = (writer << 40) + 1 + n * BATCH;
    ((first..first + BATCH).collect(), writer << 40)
}

/// The point of a writer that only ever gets another payload: its vector is in the log once, or in a segment.
fn note(writer: u64) -> u64 {
    (writer << 40) + (1 << 39)
}

/// What a writer wrote in rounds before `round`, without the points that it goes on with.
fn before(writer: u64, round: u64) -> Filter {
    Filter::must([
        Condition::matches("writer", writer as i64),
        Condition::range("round", ..round as f64),
    ])
    .and_must_not([Condition::has_id([batch(writer, 0).1, note(writer)])])
}

/// Writes below `dir` until it is killed, and says on the standard output what was acknowledged.
///
/// # Panics
/// When a write or a read fails.
pub fn write_until_killed(dir: &Path, plan: Plan) {
    let db = open(dir).unwrap();
    let c = match db.collection("c") {
        Ok(c) => c,
        Err(_) => {
            let several = VectorParams::new(3, Distance::Dot).multivector(MultiVectorComparator::MaxSim);
            let mut config: CollectionConfig = config(2, Distance::Euclid)
                .vector("tokens", several)
                .sparse_vector("words", SparseVectorParams::new());
            config.optimizer.index_min_rows = 100;
            db.create_collection("c", config).unwrap()
        }
    };
    thread::scope(|scope| {
        for writer in 0..plan.writers {
            let (db, c) = (&db, &c);
            scope.spawn(move || write(db, c, writer, plan));
        }
        scope.spawn(|| maintain(&c));
        scope.spawn(|| save(&db, &dir.with_extension("snapshot"), plan.round));
        scope.spawn(|| reshape(&c, plan.round));
        scope.spawn(|| ask(&c));
    });
}

fn write(db: &Database, c: &Collection, writer: u64, plan: Plan) {
    // Refused once it is there.
    let first = WriteBatch::new().require_absent("c", note(writer));
    let _ = db.write(first.upsert("c", vec![point(note(writer), 0, writer)]));
    if let Some(kept) = plan.round.checked_sub(1) {
        say(&format!("clearing {writer} {kept}"));
        c.delete(before(writer, kept)).unwrap();
        say(&format!("cleared {writer} {kept}"));
    }
    for n in plan.round << ROUND.. {
        let (ids, counter) = batch(writer, n);
        let mut points: Vec<Point> = ids.iter().map(|&id| point(id, n, writer)).collect();
        points.push(point(counter, n, writer));
        let weak = plan.one_weak && writer == 0;
        let durability = if weak { Durability::None } else { Durability::Sync };
        let stamp = json!({"stamp": n, "round": n >> ROUND})
            .as_object()
            .unwrap()
            .clone();
        let write = WriteBatch::new()
            .upsert("c", points)
            .set_payload("c", stamp, vec![note(writer)]);
        db.submit(write, durability).unwrap().wait_visible().unwrap();
        if n % DELETED == 0 && n > plan.round << ROUND {
            c.delete(batch(writer, n - 1).0).unwrap();
            say(&format!("deleted {writer} {}", n - 1));
        }
        say(&format!("written {writer} {n}"));
    }
}

fn say(line: &str) {
    // One write a line, so that lines of several threads do not mix.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// A named vector comes, now of this kind and now of that, gets into points of its own, and goes: nothing else is touched.
fn reshape(c: &Collection, round: u64) {
    const LATE: &str = "late";
    /// No writer comes that far.
    const FIRST: u64 = 1 << 60;
    // Numbers of vectors are never given again, and each takes room in every row: some children do it, a few times.
    let times = if round < 40 { 8 } else { 0 };
    for n in 0..times {
        // Spread over the life of a child.
        thread::sleep(PACE);
        // The child before may have been killed in between.
        c.delete_vector(LATE).unwrap();
        let several = VectorParams::new(2, Distance::Dot).multivector(MultiVectorComparator::MaxSim);
        let params: NamedVectorParams = match n % 3 {
            0 => SparseVectorParams::new().into(),
            1 => several.into(),
            _ => VectorParams::new(2, Distance::Dot).into(),
        };
        assert!(c.create_vector(LATE, params).unwrap());
        let late = |id: u64| match n % 3 {
            0 => Vectors::default().with(LATE, SparseVector::new([id as u32 % 7], [1.0])),
            1 => Vectors::default().with(LATE, vec![vec![1.0, id as f32]; 1 + id as usize % 3]),
            _ => Vectors::default().with(LATE, vec![id as f32, 1.0]),
        };
        c.upsert((0..20).map(|at| Point::new(FIRST + at, late(at))).collect())
            .unwrap();
        if n % 2 == 0 {
            c.flush().unwrap();
        }
        let found = c.get(&[PointId::Num(FIRST + 7)], &Select::all()).unwrap();
        assert_eq!(found[0].vectors, Some(late(7)));
        assert!(c.delete_vector(LATE).unwrap());
        // What names it is refused from then on.
        let refused = c.upsert(vec![Point::new(FIRST, late(0))]);
        assert!(matches!(refused, Err(Error::UnknownVector { .. })), "{refused:?}");
    }
}

fn maintain(c: &Collection) {
    loop {
        c.optimize(&Control::none()).unwrap();
        c.create_payload_index("stamp", PayloadIndexKind::Integer)
            .unwrap();
        c.flush().unwrap();
        c.drop_payload_index("stamp").unwrap();
    }
}

/// Takes one snapshot after the other; of each the last is thrown away.
fn save(db: &Database, beside: &Path, round: u64) {
    for n in 0.. {
        let path = beside.with_extension(format!("snapshot-{round}-{n}"));
        db.snapshot_to_tar(&path, &Control::none()).unwrap();
        assert_eq!(snapshot_info(&path).unwrap().collections.len(), 1);
        std::fs::remove_file(path).unwrap();
    }
}

/// Searches; what is found is whole.
fn ask(c: &Collection) {
    for n in 0u64.. {
        let request = SearchRequest::new([n as f32, 0.0]).limit(5).with_payload(true);
        let own = (n % 1_000) as f32;
        let tokens = SearchRequest::new(vec![vec![own, 1.0, 0.0], vec![0.0, own, 1.0]]).using("tokens");
        let words =
            SearchRequest::new(SparseVector::new([3, 1_000 + (n % 50) as u32], [1.0, own])).using("words");
        for request in [request, tokens.with_payload(true), words.with_payload(true)] {
            for hit in c.search(&request).unwrap() {
                assert!(hit.payload.unwrap().contains_key("stamp"), "{}", hit.id);
            }
        }
    }
}

/// What all children so far have said.
#[derive(Debug, Default)]
pub struct Said {
    /// Batches written, by writer and round.
    written: BTreeMap<(u64, u64), Vec<u64>>,
    deleted: BTreeMap<(u64, u64), Vec<u64>>,
    /// Before which round each writer has begun to delete everything, and before which it has done so.
    clearing: BTreeMap<u64, u64>,
    cleared: BTreeMap<u64, u64>,
    lines: u64,
}

impl Said {
    /// Takes in what one child has said; the last line may have been cut off.
    ///
    /// # Panics
    /// When a line has no sense.
    pub fn hear(&mut self, output: &str) {
        let whole = output.rfind('\n').map_or("", |end| &output[..end]);
        for line in whole.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [kind, writer, n] = words[..] else { continue };
            let (Ok(writer), Ok(n)) = (writer.parse(), n.parse::<u64>()) else {
                continue;
            };
            match kind {
                "written" => self.written.entry((writer, n >> ROUND)).or_default().push(n),
                "deleted" => self.deleted.entry((writer, n >> ROUND)).or_default().push(n),
                "clearing" => drop(self.clearing.insert(writer, n)),
                "cleared" => drop(self.cleared.insert(writer, n)),
                // The test harness says things, too.
                _ => continue,
            }
            self.lines += 1;
        }
    }

    /// Acknowledgements in all.
    pub fn acknowledged(&self) -> u64 {
        self.lines
    }

    /// Writers that were heard of.
    pub fn writers(&self) -> usize {
        let mut writers: Vec<u64> = self.written.keys().map(|(writer, _)| *writer).collect();
        writers.dedup();
        writers.len()
    }

    /// Looks for everything acknowledged, and says what is wrong; forgets what is known to be gone.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn check(&mut self, db: &Database) -> vdb::Result<Vec<String>> {
        let c = match db.collection("c") {
            Err(error) if self.written.is_empty() && !error.is_damage() => return Ok(Vec::new()),
            c => c?,
        };
        let mut lost = Vec::new();
        for (&(writer, round), batches) in &self.written {
            // A deletion may have been carried out and not acknowledged; whoever is killed does not say.
            if self.clearing.get(&writer).is_none_or(|kept| round >= *kept) {
                self.check_batches(&c, (writer, round), batches, &mut lost)?;
            }
        }
        for (&writer, &kept) in &self.cleared {
            let left = c.count(Some(&before(writer, kept)))?;
            if left > 0 {
                lost.push(format!(
                    "writer {writer}: {left} deleted points of rounds before {kept} are back"
                ));
            }
        }
        let last: BTreeMap<u64, u64> = self
            .written
            .iter()
            .filter_map(|((writer, _), batches)| Some((*writer, *batches.last()?)))
            .collect();
        for (writer, last) in last {
            check_counters(&c, writer, last, &mut lost)?;
        }
        let kept = |key: &(u64, u64)| self.cleared.get(&key.0).is_none_or(|kept| key.1 >= *kept);
        self.written.retain(|key, _| kept(key));
        self.deleted.retain(|key, _| kept(key));
        Ok(lost)
    }

    fn check_batches(
        &self,
        c: &Collection,
        (writer, round): (u64, u64),
        batches: &[u64],
        lost: &mut Vec<String>,
    ) -> vdb::Result<()> {
        let none = Vec::new();
        let gone = self.deleted.get(&(writer, round)).unwrap_or(&none);
        for &n in batches {
            let ids: Vec<PointId> = batch(writer, n).0.into_iter().map(PointId::Num).collect();
            let found = c.get(&ids, &Select::all())?;
            // A deletion may have been carried out and not acknowledged.
            let doomed = (n + 1) % DELETED == 0 && found.is_empty() && batches.last() == Some(&n);
            let expected = if gone.binary_search(&n).is_ok() || doomed {
                0
            } else {
                ids.len()
            };
            let stamped =
                |stamp: Option<&serde_json::Value>| stamp.and_then(serde_json::Value::as_u64) == Some(n);
            let has_its_own = |r: &Record| {
                let PointId::Num(id) = r.id else { return false };
                r.vectors.as_ref() == Some(&vectors(id, n))
            };
            let whole = found
                .iter()
                .all(|r| r.payload.as_ref().is_some_and(|p| stamped(p.get("stamp"))) && has_its_own(r));
            if found.len() != expected || !whole {
                lost.push(format!(
                    "writer {writer}, batch {n}: {} of {expected} points",
                    found.len()
                ));
            }
        }
        Ok(())
    }
}

/// Checks the points that a writer changes with every batch, the last one acknowledged being `last`.
fn check_counters(c: &Collection, writer: u64, last: u64, lost: &mut Vec<String>) -> vdb::Result<()> {
    let (_, counter) = batch(writer, last);
    let stamp = stamp_of(c, counter)?;
    let noted = stamp_of(c, note(writer))?;
    let (Some((stamp, _)), Some((noted, found))) = (&stamp, &noted) else {
        lost.push(format!("writer {writer}: {stamp:?} and {noted:?}"));
        return Ok(());
    };
    if *stamp < last || stamp != noted || *found != vectors(note(writer), 0) {
        lost.push(format!(
            "writer {writer}: {stamp} and {noted}, {found:?}, after {last} was acknowledged"
        ));
    }
    // The batch that was under way is there in full or not at all.
    let ids: Vec<PointId> = batch(writer, *stamp).0.into_iter().map(PointId::Num).collect();
    let found = c.get(&ids, &Select::default())?.len();
    if found != ids.len() && found != 0 {
        lost.push(format!("writer {writer}: {found} points of batch {stamp}"));
    }
    Ok(())
}

fn stamp_of(c: &Collection, id: u64) -> vdb::Result<Option<(u64, Vectors)>> {
    let found = c.get(&[PointId::Num(id)], &Select::all())?.pop();
    Ok(found.and_then(|found| {
        let stamp = found.payload?.get("stamp")?.as_u64()?;
        Some((stamp, found.vectors?))
    }))
}
