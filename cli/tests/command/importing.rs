//! `vdb import` and `vdb export`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Place, is_untouched, names, npy};

fn fixture(name: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/interop")).join(name);
    path.display().to_string()
}

/// Every point of a collection as JSON, one a line.
fn points(place: &Place, db: &str, collection: &str) -> Vec<Value> {
    let ended = place
        .vdb(&["scroll", db, collection, "--all", "--with-vectors", "--json"])
        .succeeded();
    ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_backup_becomes_a_collection_and_a_backup_again() {
    let place = Place::new();
    let source = fixture("backup/named_two.backup");
    let answer = place.json(&["import", &source, "db"]);
    assert_eq!(answer["format"], "backup");
    let collection = &answer["collections"][0];
    assert_eq!(collection["name"], "named_two");
    assert_eq!(collection["created"], true);
    let before = points(&place, "db", "named_two");
    assert_eq!(collection["points"], before.len());

    let exported = place.json(&["export", "db", "named_two", "again.backup", "--format", "backup"]);
    assert_eq!(exported["files"][0]["points"], before.len());
    place.vdb(&["import", "again.backup", "db2"]).succeeded();
    assert_eq!(points(&place, "db2", "again"), before);
    // Lines are read by the loader, and by the importer too.
    place
        .vdb(&["export", "db", "named_two", "lines.jsonl", "--format", "jsonl"])
        .succeeded();
    place
        .vdb(&[
            "create",
            "db2",
            "lines",
            "--vector",
            "title:4:cosine",
            "--vector",
            "body:6:euclid",
        ])
        .succeeded();
    place
        .vdb(&["import", "lines.jsonl", "db2", "--collection", "lines"])
        .succeeded();
    let (found, expected) = (points(&place, "db2", "lines"), before);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(
            (&found["id"], &found["payload"]),
            (&expected["id"], &expected["payload"])
        );
    }
}

#[test]
fn a_matrix_has_a_row_for_each_point() {
    let place = Place::new();
    let file = place.file("rows.npy", npy(&[&[1.0, 2.5], &[3.0, -4.0]]));
    place.vdb(&["import", &file, "db"]).succeeded();
    let rows = points(&place, "db", "rows");
    assert_eq!(rows.len(), 2);
    place
        .vdb(&["load", "db", "dots", &file, "--distance", "dot"])
        .succeeded();
    place
        .vdb(&["export", "db", "dots", "out.npy", "--format", "npy"])
        .succeeded();
    place
        .vdb(&["load", "db", "again", "out.npy", "--distance", "dot"])
        .succeeded();
    assert_eq!(points(&place, "db", "again"), points(&place, "db", "dots"));
    place
        .vdb_with_stdin(&["load", "db", "dots", "-"], br#"{"id": 9, "payload": {"a": 1}}"#)
        .succeeded();
    let message = place
        .vdb(&["export", "db", "dots", "x.npy", "--format", "npy"])
        .failed_with(1);
    assert!(message.contains("point 9 has no vector"), "{message}");
    let message = place
        .vdb(&[
            "export", "db", "dots", "x.npy", "--format", "npy", "--using", "other",
        ])
        .failed_with(1);
    assert!(message.contains("no dense vector \"other\""), "{message}");
    assert!(!place.path("x.npy").exists());
}

#[test]
fn a_file_of_another_name_is_what_it_begins_as() {
    let place = Place::new();
    let backup = place.file(
        "posts.2024-05-01",
        fs::read(fixture("backup/uuid_ids.backup")).unwrap(),
    );
    let answer = place.json(&["import", &backup, "db", "--collection", "posts"]);
    assert_eq!(answer["format"], "backup");
    let index = place.file("index.bin", fs::read(fixture("faiss/flatl2_8.faiss")).unwrap());
    assert_eq!(place.json(&["import", &index, "db"])["format"], "faiss");
    let matrix = place.file("matrix", npy(&[&[1.0, 2.0]]));
    place
        .vdb(&["import", &matrix, "db", "--distance", "dot"])
        .succeeded();
    assert_eq!(place.json(&["count", "db", "matrix"]), json!({"count": 1}));
    let other = place.file("notes.txt", "some words");
    let message = place.vdb(&["import", &other, "db"]).failed_with(1);
    assert!(
        message.contains(".backup") && message.contains("found .txt"),
        "{message}"
    );
}

/// A source of every kind that this build reads.
fn sources(place: &Place) -> Vec<String> {
    let rows: String = (0..40)
        .map(|id| format!("{{\"id\": {id}, \"vector\": [{id}, 1], \"payload\": {{\"n\": {id}}}}}\n"))
        .collect();
    let cells: String = (0..40)
        .map(|id| format!("{id},\"[{id}, 1]\",text {id}\n"))
        .collect();
    let vectors: Vec<[f32; 2]> = (0..40u8).map(|id| [f32::from(id), 1.0]).collect();
    let vectors: Vec<&[f32]> = vectors.iter().map(|vector| &vector[..]).collect();
    let fvecs: Vec<u8> = (0..40u8)
        .flat_map(|id| {
            [
                2u32.to_le_bytes(),
                f32::from(id).to_le_bytes(),
                1f32.to_le_bytes(),
            ]
            .concat()
        })
        .collect();
    let mut sources = vec![
        fixture("backup/unnamed_cosine8.backup"),
        fixture("qdrant_local/store"),
        fixture("chroma/store"),
        fixture("faiss/flatip_8"),
        fixture("faiss/ivf_flat_8.faiss"),
        fixture("columnar/stored.npz"),
        place.file("rows.jsonl", rows),
        place.file("cells.csv", format!("id,vector,text\n{cells}")),
        place.file("matrix.npy", npy(&vectors)),
        place.file("vectors.fvecs", fvecs),
    ];
    if cfg!(feature = "parquet") {
        sources.push(fixture("columnar/pandas.parquet"));
        sources.push(fixture("columnar/file.arrow"));
    }
    if cfg!(feature = "hdf5") {
        sources.push(fixture("../../../benches/data/small-angular.hdf5"));
    }
    sources
}

#[test]
fn a_dry_run_of_every_kind_reads_everything_and_writes_nothing() {
    let place = Place::new();
    for source in sources(&place) {
        // One of the collections has numbers beyond 64 bits.
        let all: &[&str] = if source.ends_with("store") {
            &["--all", "--lossy"]
        } else {
            &[]
        };
        let dry = [&["import", &source, "db", "--dry-run"][..], all].concat();
        let answer = place.json(&dry);
        assert_eq!(answer["dry_run"], true, "{source}");
        assert!(is_untouched(&place.path("db")), "{source}");
        let found = answer["collections"].as_array().unwrap();
        let points = |one: &Value| one["points"].as_u64().unwrap();
        assert!(found.iter().map(points).sum::<u64>() > 0, "{source}");
        place
            .vdb(&[&["import", &source, "db", "--no-index"][..], all].concat())
            .succeeded();
        for one in found {
            let count = place.json(&["count", "db", one["name"].as_str().unwrap()]);
            assert_eq!(count["count"], points(one), "{source}: {one}");
        }
        fs::remove_dir_all(place.path("db")).unwrap();
    }
}

#[test]
fn a_part_of_a_file_of_any_kind_is_told_and_is_no_success() {
    let place = Place::new();
    for source in sources(&place) {
        let path = Path::new(&source);
        // A part of a cell is a cell, and the matrix of the HDF5 file may be in the first half of it.
        if path.is_dir() || source.ends_with(".csv") || source.ends_with(".hdf5") {
            continue;
        }
        let name = format!("part-{}", path.file_name().unwrap().to_str().unwrap());
        let whole = fs::read(path).unwrap();
        let part = place.file(&name, &whole[..whole.len() / 2 + 1]);
        for more in [&["--dry-run"][..], &[]] {
            let import = [&["import", &part, "db"][..], more].concat();
            let message = place.vdb(&import).failed_with(1);
            assert!(message.contains(&name), "{message}");
        }
    }
}

#[test]
fn hostile_and_damaged_sources_write_nothing() {
    let place = Place::new();
    for file in [
        "hostile/os_system",
        "hostile/id_twice",
        "damaged/truncated_90pc",
        "hostile/billion_laughs",
    ] {
        let source = fixture(&format!("backup/{file}.backup"));
        let message = place.vdb(&["import", &source, "db"]).failed_with(1);
        assert!(
            message.contains(file) && message.contains("nothing was imported"),
            "{message}"
        );
        assert!(is_untouched(&place.path("db")), "{file}");
    }
    assert!(!place.path("interop_hostile_ran").exists());
    let odd = place.file("odd.xyz", "x");
    assert!(
        place
            .vdb(&["import", &odd, "db"])
            .failed_with(1)
            .contains(".backup")
    );
    assert!(
        place
            .vdb(&["import", "gone.backup", "db"])
            .failed_with(1)
            .contains("cannot be read")
    );
}

#[test]
fn missing_vectors_are_told_loudly_or_refused() {
    let place = Place::new();
    let source = fixture("backup/as_saved_without_vectors/named_two.backup");
    let ended = place.vdb(&["import", &source, "db", "--quiet"]).succeeded();
    assert!(ended.stderr.contains("NO VECTORS"), "{}", ended.stderr);
    let message = place
        .vdb(&["import", &source, "db2", "--require-vectors"])
        .failed_with(1);
    assert!(message.contains("--require-vectors"), "{message}");
    assert!(is_untouched(&place.path("db2")));
}

#[test]
fn what_a_payload_cannot_hold_needs_a_word() {
    let place = Place::new();
    let source = fixture("backup/payload_numbers.backup");
    let message = place.vdb(&["import", &source, "db"]).failed_with(1);
    assert!(
        message.contains("point 0: payload.int[21]") && message.contains("--lossy"),
        "{message}"
    );
    place.vdb(&["import", &source, "db", "--lossy"]).succeeded();
    let first = &points(&place, "db", "payload_numbers")[0];
    assert_eq!(first["payload"]["int"][17], json!(9_007_199_254_740_993_u64));
}

#[test]
fn a_collection_that_is_there_is_added_to_only_when_asked() {
    let place = Place::new();
    let source = fixture("backup/uuid_ids.backup");
    place.vdb(&["import", &source, "db"]).succeeded();
    let before = points(&place, "db", "uuid_ids");
    let message = place.vdb(&["import", &source, "db"]).failed_with(1);
    assert!(
        message.contains("already") && message.contains("--resume"),
        "{message}"
    );
    let answer = place.json(&["import", &source, "db", "--resume"]);
    assert_eq!(answer["collections"][0]["created"], false);
    assert_eq!(points(&place, "db", "uuid_ids"), before);
    let other = fixture("backup/one_point.backup");
    let message = place
        .vdb(&["import", &other, "db", "--resume", "--collection", "uuid_ids"])
        .failed_with(1);
    assert!(message.contains("other vectors"), "{message}");
}

#[test]
fn a_directory_of_the_local_mode_is_imported_with_its_aliases() {
    let place = Place::new();
    let store = fixture("qdrant_local/store_client-1.16.2_pydantic-2.14.3");
    let message = place.vdb(&["import", &store, "db"]).failed_with(2);
    assert!(
        message.contains("--all") && message.contains("named_two"),
        "{message}"
    );
    let answer = place.json(&["import", &store, "db", "--collection", "named_two"]);
    assert_eq!(answer["format"], "qdrant_local");
    assert_eq!(answer["aliases"], json!(["two"]));
    assert_eq!(points(&place, "db", "two"), points(&place, "db", "named_two"));
}

#[test]
fn every_collection_goes_into_a_directory_and_back() {
    let place = Place::four_points();
    place
        .vdb(&[
            "load",
            "db",
            "more",
            &place.file("more.jsonl", r#"{"id": 1, "vector": [1, 2, 3]}"#),
        ])
        .succeeded();
    let answer = place.json(&["export", "db", "--all", "out", "--format", "backup"]);
    assert_eq!(answer["files"].as_array().unwrap().len(), 2);
    assert_eq!(names(&place.path("out")), ["more.backup", "points.backup"]);
    // What is there is not replaced unasked.
    let message = place
        .vdb(&["export", "db", "--all", "out", "--format", "backup"])
        .failed_with(1);
    assert!(message.contains("--force"), "{message}");
    place
        .vdb(&["export", "db", "--all", "out", "--format", "backup", "--force"])
        .succeeded();
    assert_eq!(names(&place.path("out")).len(), 2);
    place.vdb(&["import", "out", "db2"]).failed_with(2);
    place.vdb(&["import", "out", "db2", "--all"]).succeeded();
    for collection in ["points", "more"] {
        assert_eq!(
            points(&place, "db2", collection),
            points(&place, "db", collection)
        );
    }
}

#[test]
fn directories_of_chroma_and_faiss_become_collections() {
    let place = Place::new();
    let chroma = fixture("chroma/store");
    let refused = place.vdb(&["import", &chroma, "db"]).failed_with(2);
    assert!(refused.contains("posts_cosine_synced"), "{refused}");
    let answer = place.json(&["import", &chroma, "db", "--collection", "posts_cosine_synced"]);
    assert_eq!(
        (&answer["format"], &answer["collections"][0]["points"]),
        (&json!("chroma"), &json!(48))
    );
    let stored = points(&place, "db", "posts_cosine_synced");
    assert!(
        stored.iter().any(|point| point["payload"]["document"] == "new"),
        "{stored:?}"
    );

    let faiss = fixture("faiss/flatip_8");
    let answer = place.json(&["import", &faiss, "db", "--collection", "store"]);
    assert_eq!(
        (&answer["format"], &answer["collections"][0]["points"]),
        (&json!("faiss"), &json!(12))
    );
    let stored = points(&place, "db", "store");
    assert_eq!(stored[4]["payload"]["big"], 9_007_199_254_740_993u64);
    let damaged = fixture("faiss/damaged/truncated_codes.faiss");
    let refused = place.vdb(&["import", &damaged, "db"]).failed_with(1);
    assert!(refused.contains("nothing was imported"), "{refused}");
    assert!(refused.contains("cut short"), "{refused}");

    for version in ["0.4.3", "0.4.24"] {
        let old = fixture(&format!("chroma/store_{version}"));
        let answer = place.json(&["import", &old, version, "--all"]);
        let points: Vec<_> = answer["collections"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["points"])
            .collect();
        assert_eq!(points, [29, 29, 29], "{version}");
    }
    fs::create_dir(place.path("older")).unwrap();
    place.file("older/chroma-embeddings.parquet", "");
    let refused = place.vdb(&["import", "older", "db"]).failed_with(1);
    assert!(refused.contains("chroma-migrate"), "{refused}");
}
