use std::sync::Arc;

use vdb_vfs::{DynDisk, MemDisk};

use super::*;
use crate::config::{CollectionConfig, Distance, Options, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::point::{Point, PointId};

fn log_of(disk: &DynDisk) -> Vec<u8> {
    let names = disk.list("wal").unwrap();
    let name = names.iter().find(|name| vdb_wal::is_log_file(name)).unwrap();
    disk.map(&format!("wal/{name}")).unwrap().to_vec()
}

#[test]
fn a_handle_that_a_fork_took_along_neither_writes_nor_closes() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let config = || CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let db = Database::builder().open_disk(disk.clone()).unwrap();
    let open = db.create_collection("open", config()).unwrap();
    db.create_collection("idle", config()).unwrap();
    open.upsert(vec![Point::new(1, [1.0])]).unwrap();
    db.close().unwrap();

    // What the child has: the same memory, another process id, none of the threads.
    let mut shared = crate::recovery::open(disk.clone(), Options::default()).unwrap();
    let owner = shared.process.wrapping_add(1);
    shared.process = owner;
    let handle = Arc::new(Handle {
        shared: Arc::new(shared),
        threads: Mutex::new(Vec::new()),
    });
    let before = log_of(&disk);
    let db = Database { handle };
    let open = db.collection("open").unwrap();
    let is_forked = |error: Error| matches!(error, Error::Forked { owner: found } if found == owner);
    assert!(is_forked(open.upsert(vec![Point::new(2, [1.0])]).unwrap_err()));
    assert!(is_forked(open.delete(vec![PointId::Num(1)]).unwrap_err()));
    assert!(is_forked(open.flush().unwrap_err()));
    assert!(is_forked(db.create_collection("new", config()).unwrap_err()));
    assert!(is_forked(db.drop_collection("open").unwrap_err()));
    assert!(is_forked(db.sync().unwrap_err()));
    // Opening a collection tidies its directory.
    assert!(is_forked(db.collection("idle").unwrap_err()));
    assert_eq!(open.count(None).unwrap(), 1, "what is in memory can be read");
    db.close().unwrap();
    assert!(log_of(&disk) == before, "a close would have left its mark");
}
