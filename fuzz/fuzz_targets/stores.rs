//! Directories of other programs, one file of which is damaged: points or an error, never a panic, and every number finite.
//!
//! The first byte picks the file, the second whether values may be changed; the others say how it is damaged. SQLite is compiled without
//! the fuzzer's eyes: what is looked at is what its rows are taken for.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vdb::{Point, Vector};
use vdb_fuzz::{Input, damage};
use vdb_interop::RowError;
use vdb_interop::chroma::ChromaStore;
use vdb_interop::faiss::{FaissCollection, FaissOptions};
use vdb_interop::qdrant::{ImportOptions, LocalStore};

/// Directories of `tests/data/interop`, and the files in them that are damaged.
const FILES: [(&str, &str); 14] = [
    ("chroma/store", "chroma.sqlite3"),
    ("chroma/store", "e2e781e2-27c4-4a6f-81fc-92fc8349fd21/header.bin"),
    ("chroma/store", "e2e781e2-27c4-4a6f-81fc-92fc8349fd21/data_level0.bin"),
    ("chroma/store", "e2e781e2-27c4-4a6f-81fc-92fc8349fd21/index_metadata.pickle"),
    ("chroma/store", "730d8d9d-cbd1-4772-8053-97161792a132/length.bin"),
    ("chroma/store_0.6.3", "bfa2b129-70b3-4cea-9e4e-8a8cbf7ff313/index_metadata.pickle"),
    ("chroma/store_0.4.3", "chroma.sqlite3"),
    ("chroma/store_0.4.24", "chroma.sqlite3"),
    ("qdrant_local/store", "meta.json"),
    ("qdrant_local/store", "collection/named_two/storage.sqlite"),
    ("qdrant_local/store", "collection/sparse_dense/storage.sqlite"),
    ("faiss/flatip_8", "index.faiss"),
    ("faiss/flatip_8", "metadata.pkl"),
    ("faiss/flatip_8_python_types", "metadata.pkl"),
];

/// A directory of its own, with the files of a fixture: links to those that are sound, and the one that is not. It goes when the input is
/// done with, as nothing does that would go at the end: the fuzzer leaves without it.
fn damaged(dir: &str, file: &str, edits: &[u8]) -> TempDir {
    let (home, data) = (tempfile::tempdir().expect("a directory"), data(dir));
    let sound = fs::read(data.join(file)).expect("a file");
    link(&data, home.path(), &data.join(file));
    fs::write(home.path().join(file), damage(&sound, &mut Input(edits))).expect("a file");
    home
}

fn data(dir: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/interop")).join(dir)
}

fn link(from: &Path, to: &Path, but: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a fixture") {
        let path = entry.expect("a fixture").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            link(&path, &to, but);
        } else if path != but {
            std::os::unix::fs::symlink(&path, &to).expect("a link");
        }
    }
}

fn drain(points: impl Iterator<Item = Result<Point, RowError>>) {
    for point in points {
        let point = match point {
            Ok(point) => point,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return;
            }
        };
        for vector in point.vectors.0.values() {
            let parts: Vec<&[f32]> = match vector {
                Vector::Dense(numbers) => vec![numbers],
                Vector::Sparse(sparse) => vec![&sparse.values],
                Vector::Multi(rows) => rows.iter().map(Vec::as_slice).collect(),
            };
            assert!(parts.concat().iter().all(|number| number.is_finite()), "{point:?}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [which, lossy, edits @ ..] = bytes else { return };
    let (dir, file) = FILES[usize::from(*which) % FILES.len()];
    let home = damaged(dir, file, edits);
    let dir = home.path();
    let options = ImportOptions {
        lossy: lossy % 2 == 1,
        ..ImportOptions::default()
    };
    if ChromaStore::is_at(dir)
        && let Ok(store) = ChromaStore::open(dir)
    {
        for name in store.names() {
            if let Ok(found) = store.collection(name, options, &mut |_, _| true) {
                found.into_points().into_iter().for_each(drain);
            }
        }
    } else if LocalStore::is_at(dir)
        && let Ok(store) = LocalStore::open(dir)
    {
        for name in store.names() {
            if let Ok(found) = store.collection(name, options, &mut |_, _| true) {
                found.into_points().into_iter().for_each(drain);
            }
        }
    } else if FaissCollection::is_at(dir) {
        let options = FaissOptions {
            import: options,
            ..FaissOptions::default()
        };
        if let Ok(found) = FaissCollection::read(dir, &options, &mut |_, _| true) {
            found.into_points().into_iter().for_each(drain);
        }
    }
});
