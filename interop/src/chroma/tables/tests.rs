use std::path::PathBuf;
use std::sync::Arc;

use super::*;

#[test]
fn the_next_record_is_found_without_a_look_at_all_of_them() {
    let dir = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/data/interop/chroma/store"
    ));
    let path = dir.join("chroma.sqlite3");
    let file: Arc<str> = path.display().to_string().into();
    let connection = crate::sqlite::open(&path, &file, 1 << 20).unwrap();
    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {NEXT}")).unwrap();
    let steps: Vec<String> = plan
        .query_map(("segment", 0), |row| row.get(3))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    // Sorted, a collection of a million records would be read a million times.
    assert!(steps.iter().all(|step| !step.contains("ORDER BY")), "{steps:?}");
    assert!(
        steps.iter().any(|step| step.contains("INTEGER PRIMARY KEY")),
        "{steps:?}"
    );
}
