use std::thread;

use super::*;
use crate::config::{Distance, VectorParams};
use crate::db::Database;
use crate::point::{Point, Select};
use crate::write::batch::WriteBatch;
use vdb_sys::sync::atomic::AtomicBool;

#[test]
fn a_catalog_grows_to_its_limits_and_one_beyond_them_may_shrink() {
    let with = |collections: usize, aliases: usize| {
        let mut catalog = Catalog::default();
        let collection = |id: u32| CollectionRecord {
            id,
            name: format!("c{id}"),
        };
        catalog.collections = (0..collections as u32).map(collection).collect();
        let alias = |number: usize| AliasRecord {
            name: format!("a{number}"),
            collection_id: 0,
        };
        catalog.aliases = (0..aliases).map(alias).collect();
        catalog
    };
    let full = with(MAX_COLLECTIONS, MAX_ALIASES);
    check_size(&with(0, 0), &full).unwrap();
    for (next, limit) in [
        (with(MAX_COLLECTIONS + 1, MAX_ALIASES), MAX_COLLECTIONS),
        (with(MAX_COLLECTIONS, MAX_ALIASES + 1), MAX_ALIASES),
    ] {
        let refused = check_size(&full, &next);
        assert!(
            matches!(refused, Err(Error::Limit { limit: told, found, .. }) if told == limit && found == limit + 1),
            "{refused:?}"
        );
        check_size(&with(MAX_COLLECTIONS + 2, MAX_ALIASES + 2), &next).unwrap();
    }
}

#[test]
fn a_batch_over_two_aliases_sees_a_change_of_both_in_full_or_not_at_all() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    for name in ["a1", "b1", "a2", "b2"] {
        db.create_collection(name, config.clone()).unwrap();
    }
    let point_to = |number: u32| {
        let create = |alias: &str| AliasChange::Create {
            alias: alias.into(),
            collection: format!("{alias}{number}"),
        };
        db.update_aliases(&[create("a"), create("b")]).unwrap();
    };
    point_to(1);
    let writes = 4_000u64;
    let written = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in [2, 1].into_iter().cycle() {
                if written.load(Ordering::Acquire) {
                    break;
                }
                point_to(number);
            }
        });
        for id in 0..writes {
            let point = || vec![Point::new(id, [1.0])];
            let batch = WriteBatch::new().upsert("a", point()).upsert("b", point());
            db.write(batch).unwrap();
        }
        written.store(true, Ordering::Release);
    });
    let ids: Vec<_> = (0..writes).map(vdb_storage::PointId::from).collect();
    let of = |name: &str| {
        let c = db.collection(name).unwrap();
        let found = c.get(&ids, &Select::default()).unwrap();
        found.into_iter().map(|point| point.id).collect::<Vec<_>>()
    };
    for number in [1, 2] {
        assert_eq!(of(&format!("a{number}")), of(&format!("b{number}")));
    }
}
