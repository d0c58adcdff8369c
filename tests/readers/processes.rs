//! A reader in this process, a writer in another one.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;
use vdb::{
    Collection, Control, Database, Distance, Error, PayloadIndexKind, Point, PointId, Select, WriteBatch,
};
use vdb_tests::config;

/// Points of a batch in each of two collections.
const BATCH: u64 = 3;

/// Everything below a directory; `None` for the bytes of a directory.
pub(super) fn files_below(dir: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = vec![(dir.to_owned(), None)];
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, Some(bytes)));
        }
    }
    found
}

fn builder() -> vdb::DatabaseBuilder {
    Database::builder()
        .write_buffer(0)
        .log_segment_bytes(0)
        .threads(1)
}

fn batch(n: u64) -> WriteBatch {
    let points = |id: u64| {
        let pad = "p".repeat((n % 7) as usize * 300);
        Point::new(id, [id as f32, n as f32])
            .payload(json!({"n": n, "pad": pad}))
            .unwrap()
    };
    let all: Vec<Point> = (n * BATCH..(n + 1) * BATCH).map(points).collect();
    let mut batch = WriteBatch::new().upsert("a", all.clone()).upsert("b", all);
    if n >= 50 && n.is_multiple_of(3) {
        let old: Vec<PointId> = ((n - 50) * BATCH..(n - 49) * BATCH).map(PointId::Num).collect();
        batch = batch.delete("a", old.clone()).delete("b", old);
    }
    batch
}

/// Not a test of its own: writes until it is killed, and says what was acknowledged.
#[test]
fn child_writes_while_others_read() {
    let Some(dir) = std::env::var_os("VDB_TEST_READERS") else {
        return;
    };
    let db = builder().open(Path::new(&dir)).unwrap();
    let [a, b] = ["a", "b"].map(|name| db.create_collection(name, config(2, Distance::Euclid)).unwrap());
    thread::scope(|scope| {
        scope.spawn(|| maintain(&db, [&a, &b]));
        for n in 0.. {
            db.write(batch(n)).unwrap();
            let mut out = std::io::stdout().lock();
            out.write_all(format!("written {n}\n").as_bytes()).unwrap();
            out.flush().unwrap();
        }
    });
}

fn maintain(db: &Database, collections: [&Collection; 2]) {
    loop {
        for c in collections {
            c.flush().unwrap();
            c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
            c.optimize(&Control::none()).unwrap();
            c.drop_payload_index("n").unwrap();
        }
        db.create_collection("passing", config(2, Distance::Dot)).unwrap();
        db.rename_collection("passing", "past").unwrap();
        db.drop_collection("past").unwrap();
    }
}

struct Writer {
    child: Child,
    /// Batches that were acknowledged.
    heard: Arc<Mutex<u64>>,
}

impl Writer {
    fn start(dir: &Path) -> Writer {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "processes::child_writes_while_others_read",
                "--nocapture",
            ])
            .env("VDB_TEST_READERS", dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let heard = Arc::new(Mutex::new(0));
        let hears = heard.clone();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some(n) = line.strip_prefix("written ") {
                    *hears.lock().unwrap() = n.parse::<u64>().unwrap() + 1;
                }
            }
        });
        Writer { child, heard }
    }

    fn acknowledged(&self) -> u64 {
        *self.heard.lock().unwrap()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many batches there are to be seen, all of them whole, and as it must be after so many.
fn batches_in(db: &Database) -> u64 {
    let points = |name: &str| {
        let c = db.collection(name).unwrap();
        let mut ids = Vec::new();
        let mut request = vdb::ScrollRequest::new().limit(500).select(Select::payload());
        loop {
            let page = c.scroll(&request).unwrap();
            for point in page.points {
                let n = point.payload.unwrap()["n"].as_u64().unwrap();
                assert!(matches!(point.id, PointId::Num(id) if id / BATCH == n));
                ids.push(point.id);
            }
            match page.next_offset {
                Some(next) => request = request.offset(next),
                None => return ids,
            }
        }
    };
    let (a, b) = (points("a"), points("b"));
    assert_eq!(a, b, "a batch is in one collection and not in the other");
    let Some(PointId::Num(last)) = a.last() else {
        return 0;
    };
    let batches = last / BATCH + 1;
    let is_gone = |n: u64| n + 50 < batches && (n + 50).is_multiple_of(3);
    let expected: Vec<PointId> = (0..batches)
        .filter(|&n| !is_gone(n))
        .flat_map(|n| n * BATCH..(n + 1) * BATCH)
        .map(PointId::Num)
        .collect();
    assert_eq!(a, expected, "after {batches} batches");
    batches
}

#[test]
fn readers_beside_another_process_see_all_that_it_acknowledged_and_no_half_of_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::start(dir.path());
    while writer.acknowledged() == 0 {
        thread::yield_now();
    }
    let follower = builder().open_read_only(dir.path()).unwrap();
    let mut seen = batches_in(&follower);
    let mut rounds = 0;
    while rounds < 60 || writer.acknowledged() < 400 {
        rounds += 1;
        let acknowledged = writer.acknowledged();
        follower.refresh().unwrap();
        let now = batches_in(&follower);
        assert!(
            now >= acknowledged.max(seen),
            "{now} of {acknowledged}, {seen} before"
        );
        seen = now;
        let acknowledged = writer.acknowledged();
        let fresh = builder().open_read_only(dir.path()).unwrap();
        assert!(batches_in(&fresh) >= acknowledged);
    }
    // It is the one writer, and readers have not kept it from being that.
    let second = builder().open(dir.path()).unwrap_err();
    assert_eq!(second.locked_by(), Some(writer.child.id()), "{second}");
    drop(writer);

    // What it left is read as it lies, and then recovered.
    follower.refresh().unwrap();
    let left = batches_in(&follower);
    let before = files_below(dir.path());
    assert_eq!(batches_in(&builder().open_read_only(dir.path()).unwrap()), left);
    assert_eq!(files_below(dir.path()), before);
    let db = builder().open(dir.path()).unwrap();
    assert_eq!(batches_in(&db), left);
    db.write(batch(left)).unwrap();
    assert!(follower.refresh().unwrap());
    assert_eq!(batches_in(&follower), left + 1);
    assert!(matches!(follower.sync(), Err(Error::ReadOnly)));
}
