//! Snapshots, as a directory and as a tar file: whatever they hold, restoring one is refused and changes nothing, or
//! it makes a collection that is sound. Nothing is written outside the database.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use vdb::disk::OsDisk;
use vdb::{
    CollectionConfig, Control, Distance, PayloadIndexKind, Point, RestoreMode, ScrollRequest,
    Select, VectorParams, snapshot_info,
};
use vdb_fuzz::{Input, damage, damage_frame};
use vdb_tests::files::{self, Files};
use vdb_tests::memory;
use vdb_tests::torture::Scratch;

struct Sound {
    scratch: Scratch,
    /// A snapshot that is a directory.
    files: Files,
    tar: Vec<u8>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let scratch = Scratch::new();
    let db = memory();
    let mut config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
    config.optimizer.index_min_rows = 8;
    let a = db.create_collection("a", config).unwrap();
    a.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    let point = |id: u64| {
        let payload = json!({"n": id, "k": format!("k{}", id % 3)});
        Point::new(id, [id as f32, 1.0]).payload(payload).unwrap()
    };
    a.upsert((0..20).map(point).collect()).unwrap();
    a.optimize(&Control::none()).unwrap();
    a.delete(vec![3u64, 4]).unwrap();
    db.create_alias("alias", "a").unwrap();
    let (dir, tar) = (scratch.path().join("dir"), scratch.path().join("tar"));
    db.snapshot_to_dir(&dir, &Control::none()).unwrap();
    db.snapshot_to_tar(&tar, &Control::none()).unwrap();
    let files = files::read(&OsDisk::open(&dir, false).unwrap());
    let tar = std::fs::read(tar).unwrap();
    Sound { scratch, files, tar }
});

/// Writes a damaged snapshot.
fn place(place: &Path, input: &mut Input<'_>) {
    if input.byte() % 2 == 0 {
        std::fs::write(place, damage(&SOUND.tar, input)).unwrap();
        return;
    }
    let hit = usize::from(input.byte()) % SOUND.files.len();
    for (at, (relative, bytes)) in SOUND.files.iter().enumerate() {
        let path = place.join(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = if at == hit {
            damage_frame(bytes, input)
        } else {
            bytes.clone()
        };
        std::fs::write(path, bytes).unwrap();
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let home = tempfile::tempdir_in(SOUND.scratch.path()).unwrap();
    let source = home.path().join("snapshot");
    place(&source, &mut input);
    let _ = snapshot_info(&source);
    let db = memory();
    let restored = db.restore_all(&source, RestoreMode::New, &Control::none());
    match restored {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(db.collections().is_empty() && db.aliases().is_empty(), "{error}");
        }
        Ok(names) => {
            assert_eq!(db.collections().len(), names.len());
            for name in names {
                let collection = db.collection(&name).unwrap();
                let request = ScrollRequest::new().limit(1_000).select(Select::all());
                let page = collection.scroll(&request).expect("what was checked can be read");
                assert_eq!(page.points.len() as u64, collection.count(None).unwrap());
            }
        }
    }
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "something was written beside the snapshot");
});
