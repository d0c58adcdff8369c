use std::thread;

use super::*;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::point::Point;

#[test]
fn what_was_set_aside_is_tried_again_for_who_writes_to_it() {
    let db = Database::builder().open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let write = |id: u64| c.upsert(vec![Point::new(id, [1.0])]);
    write(1).unwrap();
    {
        let _sequencer = db.shared().sequencer.lock();
        db.shared().budget.free(c.core().counted_bytes());
        c.core().set_aside(Some("no file".to_owned()));
    }
    assert!(write(2).unwrap_err().to_string().contains("no file"));
    thread::sleep(Duration::from_millis(50));
    assert!(write(2).is_err(), "tried again at once");
    c.core()
        .set_aside_until(Some("no file".to_owned()), Instant::now());
    // The first one has it tried, and is refused.
    write(2).unwrap_err();
    let mut refused = 0;
    while write(2).is_err() {
        refused += 1;
        assert!(refused < 10_000, "never tried again");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(c.count(None).unwrap(), 2);
}
