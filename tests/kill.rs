//! What is left of a process that was killed in the middle of writing? A real process, a real directory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;
use vdb::{
    Collection, Control, Database, Distance, Durability, PayloadIndexKind, Point, PointId, Select, WriteBatch,
};
use vdb_tests::{Numbers, config};

const WRITERS: u64 = 4;
/// Points of a batch.
const BATCH: u64 = 3;

fn open(dir: &Path) -> Database {
    Database::builder()
        .write_buffer(0)
        .log_segment_bytes(0)
        .threads(1)
        .open(dir)
        .unwrap()
}

fn point(id: u64, stamp: u64) -> Point {
    let payload = json!({"stamp": stamp, "pad": "p".repeat((stamp % 7) as usize * 60)});
    Point::new(id, [id as f32, stamp as f32])
        .payload(payload)
        .unwrap()
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

fn stamp_of(c: &Collection, id: u64) -> (u64, Option<Vec<f32>>) {
    let found = c.get(&[PointId::Num(id)], &Select::all()).unwrap().pop();
    let found = found.unwrap_or_else(|| panic!("point {id:#x} is gone"));
    let vector = found.vectors.unwrap().get("").map(<[f32]>::to_vec);
    (found.payload.unwrap()["stamp"].as_u64().unwrap(), vector)
}

/// Not a test of its own: writes until it is killed, and says what was acknowledged.
#[test]
fn child_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os("VDB_TEST_KILL") else {
        return;
    };
    let round: u64 = std::env::var("VDB_TEST_ROUND").unwrap().parse().unwrap();
    let db = open(Path::new(&dir));
    let c = match db.collection("c") {
        Ok(c) => c,
        Err(_) => {
            let mut config = config(2, Distance::Euclid);
            config.optimizer.index_min_rows = 100;
            db.create_collection("c", config).unwrap()
        }
    };
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (db, c) = (&db, &c);
            scope.spawn(move || {
                // Refused once it is there.
                let first = WriteBatch::new().require_absent("c", note(writer));
                let _ = db.write(first.upsert("c", vec![point(note(writer), 0)]));
                for n in round << 24.. {
                    let (ids, counter) = batch(writer, n);
                    let mut points: Vec<Point> = ids.iter().map(|&id| point(id, n)).collect();
                    points.push(point(counter, n));
                    // Weak writes survive the death of the process, too.
                    let durability = if writer == 0 {
                        Durability::None
                    } else {
                        Durability::Sync
                    };
                    let stamp = json!({"stamp": n}).as_object().unwrap().clone();
                    let write =
                        WriteBatch::new()
                            .upsert("c", points)
                            .set_payload("c", stamp, vec![note(writer)]);
                    db.submit(write, durability).unwrap().wait_visible().unwrap();
                    if n % 5 == 0 && n > round << 24 {
                        c.delete(batch(writer, n - 1).0).unwrap();
                        say(&format!("deleted {writer} {}", n - 1));
                    }
                    say(&format!("written {writer} {n}"));
                }
            });
        }
        scope.spawn(|| maintain(&c));
    });
}

fn say(line: &str) {
    // One write a line, so that lines of several threads do not mix.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
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

/// What all children so far have said.
#[derive(Default)]
struct Said {
    /// Last batch written, by writer.
    written: BTreeMap<u64, Vec<u64>>,
    deleted: BTreeMap<u64, Vec<u64>>,
}

impl Said {
    fn hear(&mut self, output: &str) {
        // The last line may have been cut off.
        let whole = output.rfind('\n').map_or("", |end| &output[..end]);
        for line in whole.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [kind @ ("written" | "deleted"), writer, n] = words[..] {
                let list = if kind == "written" {
                    &mut self.written
                } else {
                    &mut self.deleted
                };
                list.entry(writer.parse().unwrap())
                    .or_default()
                    .push(n.parse().unwrap());
            }
        }
    }

    fn check(&self, c: &Collection) {
        for (&writer, batches) in &self.written {
            let gone = self.deleted.get(&writer).cloned().unwrap_or_default();
            for &n in batches {
                let (ids, _) = batch(writer, n);
                let ids: Vec<PointId> = ids.into_iter().map(PointId::Num).collect();
                let found = c.get(&ids, &Select::payload()).unwrap();
                // A deletion may have been carried out and not acknowledged.
                let doomed = (n + 1) % 5 == 0 && found.is_empty() && !batches.contains(&(n + 1));
                let expected = if gone.contains(&n) || doomed { 0 } else { ids.len() };
                assert_eq!(found.len(), expected, "writer {writer}, batch {n}");
                assert!(
                    found
                        .iter()
                        .all(|r| r.payload.as_ref().unwrap()["stamp"].as_u64() == Some(n))
                );
            }
            let last = *batches.iter().max().unwrap();
            let (_, counter) = batch(writer, last);
            let (stamp, _) = stamp_of(c, counter);
            assert!(
                stamp >= last,
                "writer {writer}: {stamp} after {last} was acknowledged"
            );
            let (noted, vector) = stamp_of(c, note(writer));
            assert_eq!(
                (noted, vector),
                (stamp, Some(vec![note(writer) as f32, 0.0])),
                "writer {writer}"
            );
            // The batch that was under way is there in full or not at all.
            let (ids, _) = batch(writer, stamp);
            let ids: Vec<PointId> = ids.into_iter().map(PointId::Num).collect();
            let found = c.get(&ids, &Select::default()).unwrap().len();
            assert!(
                found == ids.len() || found == 0,
                "writer {writer}: {found} points of batch {stamp}"
            );
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    // Kept when the test fails.
    let dir = tempfile::tempdir().unwrap().keep();
    println!("{}", dir.display());
    let mut said = Said::default();
    let numbers = &mut Numbers::new(u64::from(std::process::id()));
    for round in 0..5u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_writes_until_it_is_killed", "--nocapture"])
            .env("VDB_TEST_KILL", &dir)
            .env("VDB_TEST_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let listener = thread::spawn(move || {
            let mut heard = Vec::new();
            out.read_to_end(&mut heard).unwrap();
            String::from_utf8(heard).unwrap()
        });
        let pause = Duration::from_millis(300 + numbers.below(700));
        thread::sleep(pause);
        // SIGKILL.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(status.code().is_none(), "the child ended by itself: {status}");
        let output = listener.join().unwrap();
        said.hear(&output);
        let db = open(&dir);
        match db.collection("c") {
            Ok(c) => said.check(&c),
            Err(error) => assert!(said.written.is_empty(), "round {round}: {error}"),
        }
        let lines = output.lines().count();
        println!("round {round}: killed after {pause:?}, {lines} acknowledgements");
        if round == 4 {
            assert!(
                said.written.len() as u64 == WRITERS,
                "writers never got to write: {:?}",
                said.written.keys()
            );
        }
    }
    std::fs::remove_dir_all(dir).unwrap();
}
