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
    let sparse = r#"{"id": 1, "vector": {"words": {"indices": [1], "values": [2]}}}"#;
    let sparse = place.file("sparse.jsonl", sparse);
    place.vdb(&["load", "db", "sparse", &sparse]).succeeded();
    let again = ["load", "db", "sparse", &sparse];
    let first = ["import", &sparse, "db", "--collection", "more"];
    let named = ["load", "db", "points", "rows.tsv"];
    let words = ["create", "db", "c", "--sparse", "words"];
    let dense = ["create", "db", "c", "--dim", "4", "--set"];
    let cases: [(&[&str], &[&str], &[&str]); 23] = [
        (&words, &["--m", "32"], &["--m", "--dim"]),
        (
            &words,
            &["--ef-construct", "400"],
            &["--ef-construct", "--vector"],
        ),
        (
            &words,
            &["--quantization", "int4"],
            &["--quantization", "--vector"],
        ),
        (
            &dense,
            &[r#"{"hnsw_config": {"m": 8}}"#, "--m", "32"],
            &["--m", "hnsw_config.m", "--set"],
        ),
        (
            &dense,
            &[r#"{"hnsw_config": {"ef_construct": 80}}"#, "--ef-construct", "80"],
            &["--ef-construct", "hnsw_config.ef_construct"],
        ),
        (
            &dense,
            &[
                r#"{"quantization_config": {"binary": {}}}"#,
                "--quantization",
                "auto",
            ],
            &["--quantization", "quantization_config"],
        ),
        (&again, &["--distance", "dot"], &["--distance", "has none"]),
        (&first, &["--distance", "euclid"], &["--distance", "has none"]),
        (&first, &["--rename", "sparse=more"], &["--rename", "has rows"]),
        (
            &named,
            &[
                "--format",
                "jsonl",
                "--vector-column",
                "a",
                "--vector-column",
                "b",
                "--using",
                "c",
            ],
            &["--using", "--vector-column"],
        ),
        (
            &named,
            &["--no-vectors", "--using", "c"],
            &["--using", "--no-vectors"],
        ),
        (
            &named,
            &["--text-ids", "key", "--start-id", "5"],
            &["--text-ids", "--start-id"],
        ),
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
        (&load(&table), &["--lossy"], &["--lossy", "CSV"]),
        (&load(&vectors), &["--lossy"], &["--lossy", "payloads"]),
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
    let message = place
        .vdb(&[&again[..], &["--element", "f16"]].concat())
        .failed_with(1);
    assert!(message.contains("--element f32 and not f16"), "{message}");
    assert_eq!(
        place.json(&["collections", "list", "db"])["collections"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn what_only_some_builds_read_is_not_promised_by_all() {
    let place = Place::new();
    for command in ["load", "import"] {
        let help = place.vdb(&[command, "--help"]).succeeded().stdout;
        let words: Vec<&str> = help.split_whitespace().collect();
        let help = words.join(" ");
        assert!(help.contains("in a build with Parquet, .zst"), "{help}");
        assert!(!help.contains(".gz or .zst"), "{help}");
    }
    let odd = place.file("odd.xyz", "x");
    let message = place.vdb(&["load", "db", "c", &odd]).failed_with(1);
    assert_eq!(
        message.contains(".gz or .zst"),
        cfg!(feature = "parquet"),
        "{message}"
    );
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
