use std::fs::File;
use std::io::Cursor;

use proptest::prelude::*;
use serde_json::Value as Json;
use vdb::{Distance, Element, HnswConfig, Modifier, Quantization, QuantizationConfig, VectorParams};

use super::*;
use crate::qdrant::fixtures::{assert_same, expected, is_beyond_json, path};

fn open(file: &str, lossy: bool) -> Result<Backup<File>, RowError> {
    let options = ImportOptions {
        lossy,
        ..ImportOptions::default()
    };
    Backup::read(File::open(path(file)).unwrap(), file, options, &mut |_, _| true)
}

/// All there is in a file, or the first error.
fn read_bytes(bytes: &[u8]) -> Result<Vec<Point>, RowError> {
    let options = ImportOptions::default();
    Backup::read(Cursor::new(bytes), "bytes", options, &mut |_, _| true)?
        .into_points()?
        .collect()
}

#[test]
fn every_version_protocol_and_kind_yields_what_the_client_wrote() {
    let mut files = 0;
    for list in [
        "backup",
        "backup_versions",
        "backup_protocols",
        "backup_portable",
        "backup_as_saved_without_vectors",
    ] {
        for entry in expected(list) {
            let file = entry["file"].as_str().unwrap();
            let points = entry["points"].as_array().unwrap();
            if points.iter().any(|point| is_beyond_json(&point["payload"])) {
                continue;
            }
            let backup = open(file, false).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(backup.points(), points.len() as u64, "{file}");
            let with_vectors = points.iter().filter(|point| !point["vector"].is_null()).count();
            assert_eq!(backup.with_vectors(), with_vectors as u64, "{file}");
            let said = backup.described().warnings.concat();
            assert_eq!(
                said.contains("NO VECTORS"),
                !points.is_empty() && with_vectors == 0,
                "{file}: {said}"
            );
            let stated = entry["points_count"].as_u64().unwrap();
            assert_eq!(
                said.contains("are lost"),
                stated > points.len() as u64,
                "{file}: {said}"
            );
            let found: Vec<Point> = backup.into_points().unwrap().map(Result::unwrap).collect();
            for (point, expected) in found.iter().zip(points) {
                assert_same(point, expected, file);
            }
            files += 1;
        }
    }
    assert!(files > 60, "{files} files");
}

#[test]
fn the_parameters_of_a_collection_are_taken_over_and_what_is_not_is_told() {
    let backup = open("backup/params_full.backup", false).unwrap();
    let Described { config, warnings, .. } = backup.described();
    let names: Vec<&str> = config.vectors.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["dense", "bytes", "pq", "bits", "rows"]);
    let params = |name: &str| &config.vectors.iter().find(|(known, _)| known == name).unwrap().1;
    let dense = params("dense");
    assert_eq!(
        (dense.size, dense.distance, dense.element),
        (4, Distance::Cosine, Element::F16)
    );
    let HnswConfig {
        m,
        ef_construct,
        payload_m,
        ..
    } = dense.hnsw;
    assert_eq!((m, ef_construct, payload_m), (Some(8), Some(64), Some(4)));
    let codes = |params: &VectorParams| params.quantization.as_ref().map(QuantizationConfig::codes);
    assert_eq!(codes(dense), Some(Quantization::Int8));
    assert_eq!(
        (params("bytes").element, params("bytes").distance),
        (Element::U8, Distance::Dot)
    );
    assert_eq!(params("pq").distance, Distance::Euclid);
    assert_eq!(codes(params("bits")), Some(Quantization::Binary));
    assert!(matches!(
        params("pq").quantization,
        Some(QuantizationConfig::Product { .. })
    ));
    assert!(params("rows").multivector.is_some());
    let (name, sparse) = &config.sparse_vectors[0];
    assert_eq!(
        (name.as_str(), sparse.modifier, sparse.element),
        ("terms", Modifier::Idf, Element::F16)
    );
    assert!(!config.metadata.is_empty());
    let said = warnings.join("\n");
    let part = "sparse vector \"terms\": index.full_scan_threshold";
    assert!(said.contains(part), "{part} is not in:\n{said}");
    // What the client makes up where nobody said anything is no setting.
    let plain = open("backup/unnamed_cosine8.backup", false).unwrap();
    assert_eq!(plain.described().warnings, Vec::<String>::new());
}

#[test]
fn what_a_server_tells_of_a_collection_is_read_and_kept() {
    let backup = open("objects/server.backup", false).unwrap();
    let Described {
        config,
        payload_indexes,
        warnings,
    } = backup.described();
    let said: Vec<(&str, Json)> = payload_indexes
        .iter()
        .map(|(path, params)| (path.as_str(), params.to_json()))
        .collect();
    let text = serde_json::json!({
        "type": "text", "tokenizer": "word", "min_token_len": 2, "lowercase": true,
        "stopwords": {"languages": ["english"], "custom": ["x"]}, "stemmer": {"type": "snowball", "language": "english"},
    });
    let keyword = serde_json::json!({"type": "keyword", "is_tenant": true, "on_disk": false});
    for (found, expected) in said
        .iter()
        .zip([("city", keyword), ("text", text), ("n", "integer".into())])
    {
        assert_eq!(*found, expected);
    }
    assert_eq!(said.len(), 3);
    assert_eq!(config.strict_mode.as_ref().unwrap().upsert_max_batchsize, Some(1));
    let (_, params) = &config.vectors[0];
    assert!(matches!(
        params.quantization,
        Some(QuantizationConfig::Binary {
            encoding: Some(_),
            ..
        })
    ));
    let told = warnings.join("\n");
    assert!(told.contains("3 points have a shard key"), "{told}");
}

#[test]
fn what_json_cannot_hold_is_refused_by_name_or_changed_if_allowed() {
    let error = open("backup/payload_numbers.backup", false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("point 0: payload.int[21]: an integer outside"),
        "{error}"
    );
    assert!(error.contains("--lossy"), "{error}");
    let backup = open("backup/payload_numbers.backup", true).unwrap();
    assert!(
        backup.described().warnings[0].starts_with("7 values"),
        "{:?}",
        backup.described()
    );
    let points: Vec<Point> = backup.into_points().unwrap().map(Result::unwrap).collect();
    let int = &points[0].payload["int"];
    assert_eq!(
        (&int[17], &int[20]),
        (&Json::from(9_007_199_254_740_993_u64), &Json::from(u64::MAX))
    );
    assert_eq!(
        (&int[21], &int[23]),
        (
            &Json::from(18_446_744_073_709_551_616.0),
            &Json::from(-9_223_372_036_854_775_808.0)
        )
    );
    assert_eq!(int[24], Json::from(2_f64.powi(200)));
    assert_eq!(
        points[0].payload["not_finite"],
        serde_json::json!([null, null, null])
    );
    assert_eq!(points[1].payload["long4"], Json::Null);
    let floats = &points[0].payload["float"];
    assert!(
        floats[1]
            .as_f64()
            .is_some_and(|zero| zero == 0.0 && zero.is_sign_negative())
    );
    assert!(floats[6].is_f64());

    let error = open("backup/payload_strings.backup", false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("half of a character"), "{error}");
    let points: Vec<Point> = open("backup/payload_strings.backup", true)
        .unwrap()
        .into_points()
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let expected = expected("backup")
        .into_iter()
        .find(|entry| entry["file"] == "backup/payload_strings.backup")
        .unwrap();
    for (point, expected) in points.iter().zip(expected["points"].as_array().unwrap()) {
        if !is_beyond_json(&expected["payload"]) {
            assert_same(point, expected, "payload_strings");
        }
    }
}

#[test]
fn hostile_and_damaged_files_are_told_from_sound_ones() {
    for entry in expected("backup_hostile")
        .into_iter()
        .chain(expected("backup_damaged"))
    {
        let file = entry["file"].as_str().unwrap();
        let outcome =
            open(file, false).and_then(|backup| backup.into_points()?.collect::<Result<Vec<_>, _>>());
        match (entry["safe_reader"].as_str().unwrap(), outcome) {
            ("accept", Ok(_)) => {}
            // A number beyond 32 bits, which Python takes and no vector holds.
            ("accept", Err(error)) if file.contains("flip_float_exponent") => {
                assert!(
                    error.to_string().contains("not a finite 32-bit number"),
                    "{error}"
                );
            }
            ("reject", Err(error)) => {
                assert!(!error.is_skippable() || !file.contains("os_system"), "{error}")
            }
            (verdict, Ok(points)) => panic!("{file}: expected {verdict}, read {} points", points.len()),
            (verdict, Err(error)) => panic!("{file}: expected {verdict}, got {error}"),
        }
    }
}

#[test]
fn errors_say_what_and_where() {
    for (file, parts) in [
        ("hostile/os_system", ["byte ", "names posix.system"]),
        (
            "hostile/models_module_dotted_name",
            ["qdrant_client.http.models.models.", "none of the classes"],
        ),
        ("hostile/persistent_id", ["BINPERSID", "not followed"]),
        ("hostile/huge_string_length", ["a string of", "left"]),
        (
            "hostile/deep_nesting",
            ["256", "lists and dicts within each other"],
        ),
        ("hostile/billion_laughs", ["268435456", "bytes"]),
        ("hostile/cycle_in_payload", ["byte ", "or holds itself"]),
        ("hostile/id_bool", ["row 0: id: a boolean", "is not an id"]),
        ("hostile/id_twice", ["point 1: id", "twice"]),
        ("hostile/vector_unknown_name", ["point ", "has no vector"]),
        ("hostile/vector_nan", ["vector[", "not a finite"]),
        ("damaged/truncated_50pc", ["byte ", "the file"]),
        ("damaged/truncated_0", ["byte 0", "cut short"]),
    ] {
        let error = open(&format!("backup/{file}.backup"), false)
            .unwrap_err()
            .to_string();
        for part in parts {
            assert!(error.contains(part), "{file}: {part:?} is not in {error}");
        }
    }
}

#[test]
fn a_reading_that_is_told_to_stop_stops() {
    let file = std::fs::read(path("backup/unnamed_cosine8.backup")).unwrap();
    let stopped = Backup::read(
        Cursor::new(file),
        "file",
        ImportOptions::default(),
        &mut |_, _| false,
    );
    // Fifty points are read between two looks: it comes to its end.
    assert!(stopped.is_ok());
}

#[test]
fn every_truncation_is_an_error() {
    let sound = std::fs::read(path("backup/protocols/mixed_p4.backup")).unwrap();
    assert!(read_bytes(&sound).is_ok());
    for end in 0..sound.len() {
        assert!(read_bytes(&sound[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(file in 0usize..6, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = std::fs::read(path(&format!("backup/protocols/mixed_p{file}.backup"))).unwrap();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = read_bytes(&bytes);
    }
}
