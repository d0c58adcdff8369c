use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;

fn set(rows: usize) -> Dataset {
    Dataset {
        name: "line".to_owned(),
        dim: 2,
        distance: vdb::Distance::Euclid,
        vectors: (0..rows * 2).map(|number| number as f32).collect(),
        queries: Vec::new(),
        payloads: Vec::new(),
        asked: Vec::new(),
        known: Vec::new(),
    }
}

fn plan(rows: usize) -> IngestPlan {
    IngestPlan {
        rows,
        rounds: 2,
        limit: Duration::from_secs(3600),
    }
}

/// Remembers what was written, and checks it when it goes.
struct Memory {
    expected: usize,
    rows: Mutex<BTreeMap<usize, Vec<f32>>>,
}

impl Store for Memory {
    type Batch = Vec<(usize, Vec<f32>)>;

    fn batch(&self, first: usize, vectors: &[&[f32]]) -> Result<Self::Batch> {
        Ok((first..)
            .zip(vectors.iter().map(|vector| vector.to_vec()))
            .collect())
    }

    fn write(&self, batch: Self::Batch) -> Result<()> {
        self.rows.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let rows = self.rows.get_mut().unwrap();
        assert!([self.expected, self.expected.div_ceil(10)].contains(&rows.len()));
        assert!(rows.iter().all(|(id, vector)| vector[0] == (id * 2) as f32));
    }
}

#[test]
fn every_system_gets_the_same_rows_in_every_round() {
    let (set, dir) = (set(300), tempfile::tempdir().unwrap());
    let made = Cell::new(0);
    let make = |_: &Path| {
        made.set(made.get() + 1);
        Ok(Memory {
            expected: 250,
            rows: Mutex::default(),
        })
    };
    let writers = [
        Writer::new(&set, "memory", "never", false, make),
        Writer::new(&set, "memory", "always", true, make),
    ];
    let mut lines = Vec::new();
    ingest(&set, dir.path(), &writers, &plan(250), &mut |line| {
        lines.push(line);
        Ok(())
    })
    .unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.batch, line.writers, line.rows, line.synced))
        .collect();
    let loads = [
        (1, 1, 25),
        (1, 16, 25),
        (100, 1, 250),
        (100, 16, 250),
        (1000, 1, 250),
        (1000, 16, 250),
    ];
    let expected = loads.map(|(b, w, rows)| [(b, w, rows, false), (b, w, rows, true)]);
    assert_eq!(told, expected.concat());
    assert!(lines.iter().all(|line| line.dim == 2 && line.vectors_per_s > 0.0));
    // Two systems, two rounds, six ways to hand in.
    assert_eq!(made.get(), 24);
}

#[test]
fn ours_is_written_to_with_each_level_and_leaves_nothing_behind() {
    let (set, dir) = (set(40), tempfile::tempdir().unwrap());
    let mut told = Vec::new();
    let mut tell = |line: IngestLine| {
        told.push((line.system, line.durability, line.synced));
        Ok(())
    };
    ingest(&set, dir.path(), &our_writers(&set), &plan(40), &mut tell).unwrap();
    let level = |name: &str, synced| ("vdb".to_owned(), name.to_owned(), synced);
    let levels = [
        level("sync", true),
        level("buffered", false),
        level("none", false),
    ];
    assert_eq!((told.len(), &told[..3]), (18, &levels[..]));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
