//! `vdb repair`, and `vdb verify` of snapshots.

use serde_json::json;

use crate::harness::Place;

/// Flips the byte at `at` of the last file in `dir` whose name ends so.
fn damage(place: &Place, dir: &str, ending: &str, at: usize) {
    let entries = std::fs::read_dir(place.path(dir))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let file = entries
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .max()
        .unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[at] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_database_is_repaired_into_a_new_one() {
    let place = Place::four_points();
    place.vdb(&["compact", "db", "points"]).succeeded();
    let whole = place.json(&["repair", "db", "--dry-run"]);
    assert_eq!(
        (&whole["complete"], &whole["points"]),
        (&json!(true), &json!(4)),
        "{whole}"
    );
    assert_eq!(whole["losses"], json!([]));
    assert!(!place.path("new").exists());
    let text = place.vdb(&["repair", "db", "new"]).succeeded().stdout;
    assert!(text.ends_with("nothing is lost; in new\n"), "{text}");
    assert_eq!(place.json(&["count", "new", "points"])["count"], json!(4));
    assert_eq!(place.json(&["verify", "new"])["sound"], json!(true));
    let refused = place.vdb(&["repair", "db", "new"]).failed_with(1);
    assert!(refused.contains("it exists"), "{refused}");
    place.vdb(&["repair", "db", "db/inside"]).failed_with(1);
    place.vdb(&["repair", "db"]).failed_with(2);
    place.vdb(&["repair", "none", "other"]).failed_with(1);

    // Behind the prelude the data starts. The log has the points too, and stands in for the segment.
    damage(&place, "db/collections/00000001", ".payload", 66);
    assert_eq!(place.json(&["repair", "db", "-n"])["points"], json!(4));
    damage(&place, "db/wal", ".log", 120);
    let ended = place.vdb(&["repair", "db", "less", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["complete"], json!(false), "{report}");
    assert!(
        report["losses"][0]["file"]
            .as_str()
            .unwrap()
            .ends_with(".payload"),
        "{report}"
    );
    assert_eq!(
        report["losses"][0]["ids"].as_array().unwrap().len(),
        4,
        "{report}"
    );
    ended.failed_with(1);
    assert_eq!(place.json(&["verify", "less"])["sound"], json!(true));
    assert!(!place.path("less.partial").exists());
}

#[test]
fn a_snapshot_is_verified_where_it_lies() {
    let place = Place::four_points();
    for snapshot in ["backup", "backup.tar"] {
        place.vdb(&["snapshot", "db", snapshot]).succeeded();
        let sound = place.json(&["verify", snapshot]);
        assert_eq!(
            (&sound["sound"], &sound["rows"]),
            (&json!(true), &json!(4)),
            "{sound}"
        );
    }
    damage(&place, "backup/collections/00000001", ".payload", 66);
    let found = place.vdb(&["verify", "backup"]).failed_with(1);
    assert!(found.is_empty(), "{found}");
    let tar = place.path("backup.tar");
    let mut bytes = std::fs::read(&tar).unwrap();
    bytes[600] ^= 1;
    std::fs::write(&tar, bytes).unwrap();
    place.vdb(&["verify", "backup.tar"]).failed_with(1);
}
