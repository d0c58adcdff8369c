//! The engine's protocols under a model checker: `just model`. What is checked, and what cannot be, stands in
//! `docs/design.md`.
//!
//! | file | what |
//! |---|---|
//! | `parts.rs` | horizon, marks of deletion, lists, signals, back-pressure: each alone, under many schedules |
//! | `readers.rs` | a whole database: what a reader sees while rows are rewritten, flushed and merged |
//! | `closing.rs` | a whole database with its threads: closing it amid writers and jobs |

mod closing;
mod parts;
mod readers;

use std::sync::Arc;

use serde_json::json;
use vdb_sys::sync::thread::JoinHandle;
use vdb_vfs::sim::SimDisk;

use crate::collection::Collection;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::{Database, DatabaseBuilder};
use crate::point::{Point, Select};
use crate::query::scroll::ScrollRequest;

/// A database of which no work goes to a thread pool, which the checker could not see.
fn builder() -> DatabaseBuilder {
    Database::builder().threads(1).background(false)
}

fn open(disk: &SimDisk, builder: DatabaseBuilder) -> Database {
    builder.open_disk(Arc::new(disk.clone())).unwrap()
}

fn create(db: &Database) -> Collection {
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    db.create_collection("c", config).unwrap()
}

/// A point that says which of its versions it is.
fn point(id: u64, n: u64) -> Point {
    Point::new(id, [1.0]).payload(json!({ "n": n })).unwrap()
}

/// Ids and versions of all points, as one reader sees them.
fn all(collection: &Collection) -> Vec<(u64, u64)> {
    let request = ScrollRequest::new().select(Select::payload());
    let page = collection.scroll(&request).unwrap();
    let record = |record: crate::point::Record| {
        let id = match record.id {
            crate::point::PointId::Num(id) => id,
            crate::point::PointId::Uuid(_) => panic!("no such id was written"),
        };
        (id, record.payload.unwrap()["n"].as_u64().unwrap())
    };
    page.points.into_iter().map(record).collect()
}

/// What is found after a power cut, of which `seed` says what it leaves of what was not synced.
fn after_a_power_cut(disk: &SimDisk, seed: u64) -> Vec<(u64, u64)> {
    let db = open(&disk.crash(seed), builder());
    all(&db.collection("c").unwrap())
}

fn join<T>(threads: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<T> {
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}
