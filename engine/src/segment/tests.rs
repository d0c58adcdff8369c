use std::sync::Arc;

use vdb_index::Control;
use vdb_vfs::{DynDisk, MemDisk};

use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::point::Point;

#[test]
fn files_that_a_merge_has_replaced_stay_until_the_last_reader_lets_go() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let builder = Database::builder().threads(1).background(false);
    let db = builder.open_disk(disk.clone()).unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let collection = db.create_collection("c", config).unwrap();
    for id in 0..4u64 {
        collection.upsert(vec![Point::new(id, [1.0])]).unwrap();
        collection.flush().unwrap();
    }
    let core = collection.core();
    let reader = core.tables();
    let files = reader.segments.iter().flat_map(|segment| segment.record.files());
    let files: Vec<String> = files.map(|file| file.path(&core.dir)).collect();
    collection.optimize(&Control::none()).unwrap();
    assert_eq!(core.tables().segments.len(), 1);
    assert!(files.iter().all(|file| disk.exists(file).unwrap()));
    drop(reader);
    assert!(!files.iter().any(|file| disk.exists(file).unwrap()));
}
