//! Vectors of every kind: made, loaded and asked for.

use serde_json::{Value, json};

use crate::harness::Place;

const ROWS: &[u8] = br#"{"id": 1, "vector": {"text": [1, 0], "words": {"indices": [3, 7], "values": [1, 2]}, "tokens": [[1, 0], [0, 1]]}, "payload": {"t": "an owl hunts at night"}}
{"id": 2, "vector": {"text": [0.9, 0.1], "words": {"indices": [7], "values": [1]}}, "payload": {"t": "owls, owls, owls"}}
{"id": 3, "vector": {"text": [0, 1], "tokens": [[0.5, 0.5]]}, "payload": {"t": "a wren sings"}}
"#;

fn pages() -> Place {
    let place = Place::new();
    let create = [
        "create",
        "db",
        "pages",
        "--vector",
        "text:2",
        "--vector",
        "tokens:2:multi:dot",
        "--sparse",
        "words:idf",
    ];
    place.vdb(&create).succeeded();
    place
        .vdb_with_stdin(&["load", "db", "pages", "-"], ROWS)
        .succeeded();
    place
}

fn ids(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let command = [&["query", "db", "pages"], arguments].concat();
    let points = place.json(&command)["points"].clone();
    let list = points.as_array().cloned().unwrap_or_default();
    list.iter().map(|point| point["id"].clone()).collect()
}

#[test]
fn every_kind_is_made_loaded_and_asked_for() {
    let place = pages();
    assert_eq!(
        ids(&place, &["--vector", "[1, 0]", "--using", "text"]),
        [json!(1), json!(2), json!(3)]
    );
    let sparse = r#"{"indices": [7, 9], "values": [1, 5]}"#;
    assert_eq!(
        ids(&place, &["--vector", sparse, "--using", "words"]),
        [json!(1), json!(2)]
    );
    assert_eq!(
        ids(&place, &["--vector", "[[0, 1], [1, 0]]", "--using", "tokens"]),
        [json!(1), json!(3)]
    );
    // What a point has comes back as it was loaded.
    let point = &place.json(&["get", "db", "pages", "1", "--with-vectors"])["points"][0];
    assert_eq!(point["vector"]["tokens"], json!([[1.0, 0.0], [0.0, 1.0]]));
    assert_eq!(
        point["vector"]["words"],
        json!({"indices": [3, 7], "values": [1.0, 2.0]})
    );
    let message = place
        .vdb(&["query", "db", "pages", "--vector", "[1, 0]", "--using", "words"])
        .failed_with(1);
    assert!(message.contains("sparse"), "{message}");
}

#[test]
fn texts_and_vectors_are_asked_for_together() {
    let place = pages();
    place
        .vdb(&[
            "index",
            "db",
            "pages",
            "t",
            "--kind",
            "text",
            "--language",
            "english",
        ])
        .succeeded();
    let near = ["--vector", "[0, 1]", "--using", "text"];
    // The wren is the nearest, and its text fits.
    assert_eq!(
        ids(&place, &[&near[..], &["--text", "wren"]].concat())[0],
        json!(3)
    );
    // Both lists count: the owls come in by their texts, in front of what only one list has.
    let found = ids(
        &place,
        &[&near[..], &["--text", "owl", "--field", "t", "--limit", "2"]].concat(),
    );
    assert_eq!(found, [json!(2), json!(1)]);
    // The point that is searched by is no answer.
    let found = ids(&place, &["--id", "1", "--using", "text", "--text", "owl"]);
    assert_eq!(found[0], json!(2));
    for (options, told) in [
        (&["--text", "owl", "--ef", "9"][..], "--ef"),
        (&["--vector", "[0, 1]", "--field", "t"], "--field"),
        (&["--text", "owl", "--field", "t", "--using", "t"], "--using"),
        (&["--text", "owl", "--bm25", "owl"], "--bm25"),
        (&["--text", "owl", "--vectors", "-"], "--vectors"),
        (&["--vector", "[1, 0]", "--id", "1"], "--id"),
    ] {
        let message = place
            .vdb(&[&["query", "db", "pages"], options].concat())
            .failed_with(2);
        assert!(message.contains(told), "{options:?}: {message}");
    }
}

#[test]
fn bm25_asks_a_sparse_vector_that_was_made_of_texts() {
    let place = Place::new();
    place
        .vdb(&[
            "create",
            "db",
            "pages",
            "--vector",
            "text:1",
            "--sparse",
            "words:idf",
        ])
        .succeeded();
    let bm25 = vdb::bm25::Bm25::new(&vdb::bm25::Options::default()).unwrap();
    let row = |id: u64, text: &str| {
        let tokens = bm25.document(text);
        let words = json!({"indices": tokens.indices, "values": tokens.values});
        format!(
            "{}\n",
            json!({"id": id, "vector": {"text": [id], "words": words}})
        )
    };
    let rows = row(1, "an owl hunts at night") + &row(2, "owls, owls, owls") + &row(3, "a wren sings");
    place
        .vdb_with_stdin(&["load", "db", "pages", "-"], rows.as_bytes())
        .succeeded();
    assert_eq!(ids(&place, &["--bm25", "the owls"]), [json!(2), json!(1)]);
    assert_eq!(
        ids(&place, &["--bm25", "singing", "--field", "words"]),
        [json!(3)]
    );
    assert!(ids(&place, &["--bm25", "singing", "--language", "none"]).is_empty());
    let both = ids(
        &place,
        &[
            "--vector", "[1]", "--using", "text", "--bm25", "wren", "--limit", "1",
        ],
    );
    assert_eq!(both.len(), 1);
}

#[test]
fn what_is_no_vector_is_refused_with_what_one_is() {
    let place = Place::new();
    for (options, told) in [
        (&["--vector", "a:4:far"][..], "no distance"),
        (&["--vector", "a:4:dot:dot"], "once"),
        (&["--vector", "a:4:multi:multi"], "once"),
        (&["--sparse", "a:rare"], "NAME:idf"),
        (&["--sparse", ":idf"], "name"),
        (&["--sparse", "a", "--distance", "dot"], "--distance"),
        (&["--vector", "a:4", "--multi"], "--multi"),
        (&["--sparse", "a", "--multi"], "--dim"),
    ] {
        let message = place
            .vdb(&[&["create", "db", "c"], options].concat())
            .failed_with(2);
        assert!(message.contains(told), "{options:?}: {message}");
    }
    place
        .vdb(&["create", "db", "c", "--dim", "2", "--multi", "--sparse", "words"])
        .succeeded();
    let info = place.json(&["info", "db", "c"]);
    assert_eq!(info["vectors"][0]["multivector"], true, "{info}");
    assert_eq!(info["sparse_vectors"][0]["name"], "words");
}
