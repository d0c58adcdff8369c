//! Options that would be of no effect are refused, with what to do instead.

use crate::harness::{Place, npy};

#[test]
fn options_that_would_do_nothing_are_refused() {
    let place = Place::four_points();
    let vectors = place.file("v.npy", npy(&[&[1.0, 0.0], &[0.0, 1.0]]));
    let table = place.file("rows.tsv", "id\tvector\n1\t[1, 0]\n");
    let load = |file| ["load", "db", "points", file];
    let search = ["bench", "search", "--data", &vectors, "--queries", "1"];
    let create = ["create", "db", "c", "--vector", "a:4:dot:u8"];
    let cases: [(&[&str], &[&str], &[&str]); 9] = [
        (
            &load(&vectors),
            &["--max-row-bytes", "100"],
            &["--max-row-bytes", "rows of text"],
        ),
        (&load(&vectors), &["--delimiter", ";"], &["--delimiter", "CSV"]),
        (
            &load(&table),
            &["--delimiter", ";"],
            &["--delimiter", ".tsv", "--format csv"],
        ),
        (
            &load(&vectors),
            &["--start-id", "9", "--cast"],
            &["--cast", "--element u8"],
        ),
        (&create, &["--distance", "cosine"], &["--distance", "--vector"]),
        (&create, &["--element", "f32"], &["--element", "--vector"]),
        (&search, &["--cached-by", "drop"], &["--cached"]),
        (
            &search,
            &["--cached-by", "drop", "--cached", "100"],
            &["--cached-by", "below 100"],
        ),
        (&search, &["--raw"], &["--json"]),
    ];
    for (command, options, parts) in cases {
        let message = place.vdb(&[command, options].concat()).failed_with(2);
        let told = parts.iter().all(|part| message.contains(part));
        assert!(told, "{command:?} {options:?}: {message}");
    }
    assert_eq!(place.json(&["count", "db", "points"])["count"], 4);
}

#[test]
fn how_long_a_setting_is_measured_can_be_said() {
    let place = Place::new();
    let rows: Vec<[f32; 2]> = (0..50).map(|row| [row as f32, 1.0]).collect();
    let file = place.file("v.npy", npy(&rows.iter().map(|row| &row[..]).collect::<Vec<_>>()));
    let search = [
        "bench",
        "search",
        "--data",
        &file,
        "--queries",
        "5",
        "--ef",
        "default",
    ];
    let line = place.json(&[&search[..], &["--passes", "2", "--seconds", "0"]].concat());
    assert_eq!(line["passes"], 2);
}
