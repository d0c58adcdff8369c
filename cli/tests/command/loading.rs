//! Loading: formats, standard input, ids, and rows that are bad.

use crate::harness::{Place, ids, is_untouched, npy};
use serde_json::json;

#[test]
fn rows_of_npy_files_get_their_numbers_as_ids_and_payloads_by_line() {
    let place = Place::new();
    let vectors = place.file("v.npy", npy(&[&[1.0, 0.0], &[0.0, 1.0], &[0.6, 0.8]]));
    let payload = place.file("p.jsonl", "{\"w\": \"a\"}\n{\"w\": \"b\"}\nnull\n");
    let answer = place.json(&[
        "load",
        "db",
        "c",
        &vectors,
        "--payload",
        &payload,
        "--distance",
        "dot",
    ]);
    assert_eq!((&answer["rows"], &answer["points"]), (&json!(3), &json!(3)));
    assert_eq!(
        (&answer["created"], &answer["skipped"]),
        (&json!(true), &json!(0))
    );
    assert!(answer["index_s"].is_number() && answer["load_s"].is_number());

    let page = place.json(&["scroll", "db", "c", "--with-vectors"]);
    assert_eq!(ids(&page), ["0", "1", "2"]);
    assert_eq!(page["points"][1]["payload"], json!({"w": "b"}));
    assert_eq!(page["points"][2]["vector"], json!([0.6, 0.8]));
    assert_eq!(
        place.json(&["info", "db", "c"])["vectors"][0]["distance"],
        json!("dot")
    );
}

#[test]
fn ids_go_on_from_file_to_file_and_from_a_given_start() {
    let place = Place::new();
    let first = place.file("a.npy", npy(&[&[1.0, 0.0], &[0.0, 1.0]]));
    let second = place.file("b.npy", npy(&[&[0.5, 0.5]]));
    place.vdb(&["load", "db", "c", &first, &second]).succeeded();
    assert_eq!(ids(&place.json(&["scroll", "db", "c"])), ["0", "1", "2"]);
    let more = place.json(&["load", "db", "c", &second, "--start-id", "10", "--no-index"]);
    assert_eq!(
        (&more["created"], &more["index_s"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(ids(&place.json(&["scroll", "db", "c"])), ["0", "1", "2", "10"]);
}

#[test]
fn csv_and_fvecs_are_read() {
    let place = Place::new();
    let csv = place.file("rows.csv", "id;v0;v1;name\n5;1;0;east\n6;0;1;north\n");
    place
        .vdb(&["load", "db", "csv", &csv, "--delimiter", ";"])
        .succeeded();
    let page = place.json(&["scroll", "db", "csv"]);
    assert_eq!(ids(&page), ["5", "6"]);
    assert_eq!(page["points"][0]["payload"], json!({"name": "east"}));

    let mut fvecs = Vec::new();
    for row in [[3.0_f32, 4.0], [0.0, 1.0]] {
        fvecs.extend(2_i32.to_le_bytes());
        fvecs.extend(row.iter().flat_map(|number| number.to_le_bytes()));
    }
    let fvecs = place.file("rows.fvecs", fvecs);
    place
        .vdb(&[
            "load",
            "db",
            "fvecs",
            &fvecs,
            "--distance",
            "euclid",
            "--element",
            "f16",
        ])
        .succeeded();
    let answer = place.json(&["query", "db", "fvecs", "--vector", "[0, 0]"]);
    assert_eq!(ids(&answer), ["1", "0"]);
    assert_eq!(answer["points"][1]["score"], json!(5.0));
}

#[test]
fn standard_input_is_json_lines_unless_told_otherwise() {
    let place = Place::new();
    place
        .vdb_with_stdin(
            &["load", "db", "a", "-"],
            b"{\"vector\": [1, 2]}\n{\"vector\": [3, 4]}\n",
        )
        .succeeded();
    assert_eq!(place.json(&["count", "db", "a"]), json!({"count": 2}));
    let npy = npy(&[&[1.0, 0.0]]);
    place
        .vdb_with_stdin(&["load", "db", "b", "-", "--format", "npy"], &npy)
        .succeeded();
    assert_eq!(place.json(&["count", "db", "b"]), json!({"count": 1}));
}

#[test]
fn named_vectors_are_loaded_from_json_and_by_name_from_files_without_names() {
    let place = Place::new();
    place
        .vdb(&[
            "create",
            "db",
            "pages",
            "--vector",
            "title:2",
            "--vector",
            "image:3:euclid:f16",
        ])
        .succeeded();
    let row = br#"{"id": 1, "vector": {"title": [1, 0], "image": [1, 2, 3]}}"#;
    place
        .vdb_with_stdin(&["load", "db", "pages", "-"], row)
        .succeeded();
    let file = place.file("t.npy", npy(&[&[0.0, 1.0]]));
    place
        .vdb(&[
            "load",
            "db",
            "pages",
            &file,
            "--using",
            "title",
            "--start-id",
            "7",
        ])
        .succeeded();
    let answer = place.json(&["query", "db", "pages", "--vector", "[0, 1]", "--using", "title"]);
    assert_eq!(ids(&answer), ["7", "1"]);
    let image = place.json(&[
        "query",
        "db",
        "pages",
        "--vector",
        "[1, 2, 4]",
        "--using",
        "image",
        "--with-vectors",
    ]);
    assert_eq!(ids(&image), ["1"]);
    assert_eq!(image["points"][0]["vector"]["image"], json!([1.0, 2.0, 3.0]));
}

#[test]
fn a_bad_row_stops_with_its_place_and_nothing_of_its_batch() {
    let place = Place::new();
    let rows =
        "{\"id\": 1, \"vector\": [1, 0]}\n{\"id\": 2, \"vector\": [0, 1]}\n{\"id\": 3, \"vector\": [1]}\n";
    let file = place.file("rows.jsonl", rows);
    let message = place.vdb(&["load", "db", "c", &file]).failed_with(1);
    assert!(message.contains(&format!("{file}:3")), "{message}");
    assert!(
        message.contains("vector") && message.contains("--skip-bad"),
        "{message}"
    );
    assert!(is_untouched(&place.path("db")));

    let message = place
        .vdb(&["load", "db", "c", &file, "--batch", "2"])
        .failed_with(1);
    assert!(message.contains("2 rows before it"), "{message}");
    assert_eq!(place.json(&["count", "db", "c"]), json!({"count": 2}));
}

#[test]
fn bad_rows_are_skipped_and_counted_on_request() {
    let place = Place::new();
    let rows = concat!(
        "{\"id\": 1, \"vector\": [1, 0]\n",
        "{\"id\": 2, \"vector\": [0, 1]}\n",
        "{\"id\": 3, \"vector\": [1, \"x\"]}\n",
        "{\"id\": 4, \"vector\": [1, 2, 3]}\n",
        "{\"id\": 5, \"vector\": [1, 1e99]}\n",
        "{\"id\": -6, \"vector\": [1, 1]}\n",
        "{\"id\": 7, \"vector\": {\"other\": [1, 1]}}\n",
        "{\"id\": 8, \"vector\": [1, 1]}\n",
    );
    let file = place.file("rows.jsonl", rows);
    let ended = place
        .vdb(&["load", "db", "c", &file, "--skip-bad", "--json"])
        .succeeded();
    let answer: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&answer["rows"], &answer["skipped"]),
        (&json!(2), &json!(6)),
        "{}",
        ended.stderr
    );
    for line in [1, 3, 4, 5, 6, 7] {
        assert!(
            ended.stderr.contains(&format!("{file}:{line}:")),
            "line {line}: {}",
            ended.stderr
        );
    }
    assert_eq!(ids(&place.json(&["scroll", "db", "c"])), ["2", "8"]);
}

#[test]
fn a_payload_too_deep_for_the_engine_is_named_or_skipped() {
    let place = Place::new();
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let rows = format!(
        "{{\"id\": 1, \"vector\": [1, 0]}}\n{{\"id\": 2, \"vector\": [1, 0], \"payload\": {deep}}}\n"
    );
    let file = place.file("rows.jsonl", rows);
    let message = place.vdb(&["load", "db", "c", &file]).failed_with(1);
    assert!(message.contains(&format!("{file}:2")), "{message}");
    let answer = place.json(&["load", "db", "c", &file, "--skip-bad"]);
    assert_eq!((&answer["rows"], &answer["skipped"]), (&json!(1), &json!(1)));
}

#[test]
fn a_number_too_large_for_half_precision_is_named_or_skipped() {
    let place = Place::new();
    let file = place.file(
        "rows.jsonl",
        "{\"vector\": [1, 0]}\n{\"vector\": [1, 70000]}\n{\"vector\": [0, 1]}\n",
    );
    let load = ["load", "db", "c", &file, "--element", "f16", "--distance", "dot"];
    let message = place.vdb(&load).failed_with(1);
    assert!(message.contains(&format!("{file}:2")), "{message}");
    assert!(message.contains("--start-id 0"), "{message}");
    let answer = place.json(&[&load[..], &["--skip-bad", "--start-id", "0"]].concat());
    assert_eq!((&answer["rows"], &answer["skipped"]), (&json!(2), &json!(1)));
}

#[test]
fn files_that_cannot_be_loaded_leave_no_database_behind() {
    let place = Place::new();
    let cut = place.file("cut.npy", &npy(&[&[1.0, 2.0]])[..100]);
    let foreign = place.file("foreign.npy", "not an array");
    let unknown = place.file("rows.xyz", "?");
    let empty = place.file("empty.npy", "");
    let directory = place.path("").display().to_string();
    for file in [
        cut.as_str(),
        &foreign,
        &unknown,
        &empty,
        &directory,
        "missing.npy",
    ] {
        let message = place.vdb(&["load", "db", "c", file]).failed_with(1);
        assert!(
            message.starts_with("error: ") && message.contains(file.trim_end_matches('/')),
            "{message}"
        );
        assert!(is_untouched(&place.path("db")), "{file}");
    }
}

#[test]
fn an_empty_file_cannot_tell_the_dimension_of_a_new_collection() {
    let place = Place::new();
    let file = place.file("rows.jsonl", "");
    let message = place.vdb(&["load", "db", "c", &file]).failed_with(1);
    assert!(message.contains("vdb create"), "{message}");
    place.vdb(&["create", "db", "c", "--dim", "2"]).succeeded();
    assert_eq!(place.json(&["load", "db", "c", &file])["rows"], json!(0));
}

#[test]
fn options_that_contradict_a_collection_are_refused() {
    let place = Place::four_points();
    let message = place
        .vdb(&["load", "db", "points", "rows.jsonl", "--distance", "dot"])
        .failed_with(1);
    assert!(message.contains("cosine") && message.contains("dot"), "{message}");
    let message = place
        .vdb(&["load", "db", "points", "rows.jsonl", "--element", "u8"])
        .failed_with(1);
    assert!(message.contains("f32") && message.contains("u8"), "{message}");
    place
        .vdb(&["load", "db", "points", "rows.jsonl", "--distance", "cosine"])
        .succeeded();
}

#[test]
fn payload_files_of_another_length_are_refused() {
    let place = Place::new();
    let vectors = place.file("v.npy", npy(&[&[1.0, 0.0], &[0.0, 1.0]]));
    for rows in ["{}\n", "{}\n{}\n{}\n"] {
        let payload = place.file("p.jsonl", rows);
        let message = place
            .vdb(&["load", "db", "c", &vectors, "--payload", &payload])
            .failed_with(1);
        assert!(
            message.contains("p.jsonl") && message.contains("v.npy"),
            "{message}"
        );
    }
    let message = place
        .vdb(&["load", "db", "c", &vectors, &vectors, "--payload", "p.jsonl"])
        .failed_with(2);
    assert!(message.contains("--payload"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_table_with_texts_for_ids_and_vectors_is_imported_packed_as_it_is() {
    let place = Place::new();
    // As pandas writes it: a column of row numbers without a name, vectors as NumPy prints them.
    place.file(
        "posts.csv",
        ",slug,embedding,n\n0,first post,[0.5 1. ],1\n1,42,\"[1, 0]\",2\n",
    );
    let gzip = std::process::Command::new("gzip")
        .arg(place.path("posts.csv"))
        .status();
    assert!(gzip.unwrap().success());
    let import = [
        "import",
        "posts.csv.gz",
        "db",
        "--id-column",
        "slug",
        "--vector-column",
        "embedding",
        "--leave-out",
        "",
        "--distance",
        "dot",
    ];
    let message = place.vdb(&import).failed_with(1);
    assert!(
        message.contains("posts.csv.gz:2: slug: \"first post\" is not an id")
            && message.contains("--text-ids"),
        "{message}"
    );
    let import = [&import[..], &["--text-ids", "slug"]].concat();
    place.vdb(&import).succeeded();
    let points = place.json(&["scroll", "db", "posts", "--with-vectors"])["points"].clone();
    assert_eq!(points.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&points[0]["id"], &points[0]["payload"]),
        (&json!(42), &json!({"n": 2}))
    );
    assert_eq!(points[0]["vector"], json!([1.0, 0.0]));
    assert_eq!(points[1]["payload"], json!({"n": 1, "slug": "first post"}));
    assert_eq!(points[1]["vector"], json!([0.5, 1.0]));
    // Who imports again comes to the same points.
    place.vdb(&[&import[..], &["--resume"]].concat()).succeeded();
    assert_eq!(place.json(&["count", "db", "posts"]), json!({"count": 2}));
}
