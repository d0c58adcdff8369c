//! Points that come, change and go again and again, so that segments and log hold parts of many lives of each. Whatever is
//! damaged, what repair keeps of a point is a state that the point has had, never halves of two.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use vdb::disk::DynDisk;
use vdb::{Collection, Control, Distance, Point, PointId, Record, Select, repair_disk};
use vdb_tests::effort::{each, effort};
use vdb_tests::files::{self, Files};
use vdb_tests::{Numbers, config};
use vdb_vfs::MemDisk;

use super::store;

const IDS: u64 = 4;

/// The states that each point has had.
type Lives = BTreeMap<PointId, Vec<Record>>;

fn state(c: &Collection, id: u64) -> Option<Record> {
    let mut found = c.get(&[id.into()], &Select::all()).unwrap();
    found.pop()
}

/// A database in which all this has happened, and what has.
fn live(numbers: &mut Numbers) -> (Files, Lives) {
    let disk: DynDisk = Arc::new(MemDisk::new());
    vdb::Database::builder()
        .open_disk(disk.clone())
        .unwrap()
        .close()
        .unwrap();
    let db = store::open(&disk).unwrap();
    let c = db.create_collection("c", config(2, Distance::Euclid)).unwrap();
    let mut lives = Lives::new();
    for step in 0..30u16 {
        let id = 1 + numbers.below(IDS);
        match numbers.below(12) {
            0..5 => {
                let payload = json!({"put": step});
                let point = Point::new(id, [f32::from(step), 0.5]).payload(payload).unwrap();
                c.upsert(vec![point]).unwrap();
            }
            5..7 => drop(c.delete(vec![id]).unwrap()),
            7..10 if state(&c, id).is_some() => {
                let payload = json!({"set": step}).as_object().unwrap().clone();
                c.set_payload(payload, vec![id]).unwrap();
            }
            10 => c.flush().unwrap(),
            11 if numbers.one_in(3) => c.optimize(&Control::none()).unwrap(),
            _ => {}
        }
        lives.entry(id.into()).or_default().extend(state(&c, id));
    }
    db.close().unwrap();
    (files::read(&*disk), lives)
}

/// Damages a file: mostly bytes of the log.
fn damage(files: &mut Files, numbers: &mut Numbers) -> String {
    let in_log = numbers.one_in(2);
    let paths: Vec<String> = files
        .keys()
        .filter(|path| path.ends_with(".log") == in_log)
        .cloned()
        .collect();
    let path = numbers.pick(&paths).clone();
    let bytes = files.get_mut(&path).unwrap();
    let at = numbers.below(super::written(bytes) as u64 + 1) as usize;
    if !in_log && numbers.one_in(4) {
        files.remove(&path);
    } else if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << numbers.below(8);
    }
    format!("{path} at {at}; ")
}

#[test]
fn what_is_kept_of_a_point_is_a_state_that_it_has_had() {
    let seeds: Vec<u64> = (0..60 * effort()).collect();
    each(&seeds, |&seed| {
        let mut numbers = Numbers::new(seed);
        let (sound, lives) = live(&mut numbers);
        for _ in 0..40 {
            let mut files = sound.clone();
            let places = 1 + numbers.below(3);
            let what: String = (0..places).map(|_| damage(&mut files, &mut numbers)).collect();
            let target: DynDisk = Arc::new(MemDisk::new());
            let report = repair_disk(&files::disk(&files), &target, &Control::none()).unwrap();
            // Where a manifest and a file that it names are gone, nothing tells that there was one.
            let says = |loss: &vdb::Loss| loss.what.contains("has no file of the vectors");
            let bare = report.losses.iter().any(says);
            let db = store::open(&target).unwrap();
            for name in db.collections() {
                let c = db.collection(&name).unwrap();
                for kept in (1..=IDS).filter_map(|id| state(&c, id)) {
                    let had = lives.get(&kept.id).into_iter().flatten();
                    let no_vectors =
                        bare && kept.vectors.as_ref().is_some_and(|vectors| vectors.0.is_empty());
                    let is_same = |state: &Record| {
                        state.payload == kept.payload && (no_vectors || state.vectors == kept.vectors)
                    };
                    assert!(
                        had.clone().any(is_same),
                        "seed {seed}, {what}{kept:?} of {:?}",
                        had.collect::<Vec<_>>()
                    );
                }
            }
        }
    });
}
