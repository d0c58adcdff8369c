//! The demo, and the benchmarks on data small enough for a test.

use crate::harness::{Place, npy};
use serde_json::{Value, json};

#[test]
fn the_demo_loads_in_one_process_and_queries_in_others() {
    let place = Place::new();
    let ended = place.vdb(&["demo"]).succeeded();
    assert!(
        ended.stdout.contains("$ vdb load demo-db words"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("--match words=owl") && ended.stdout.contains("hawk"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("--filter '{"), "{}", ended.stdout);
    assert!(place.json(&["info", "demo-db", "words"])["indexed_vectors"] == json!(5000));
    assert!(place.vdb(&["demo"]).failed_with(1).contains("--fresh"));
    place.vdb(&["demo", "--fresh", "--quiet"]).succeeded();
    assert!(
        place
            .vdb(&["demo", "--db", "d", "--data", "nowhere"])
            .failed_with(1)
            .contains("--data")
    );
}

/// Lines of JSON.
fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// So many rows of eight numbers that look random.
fn rows(count: u32) -> Vec<Vec<f32>> {
    let number = |row: u32, at: u32| {
        let mixed = (row * 8 + at)
            .wrapping_mul(2_654_435_761)
            .rotate_left(13)
            .wrapping_mul(2_246_822_519);
        mixed as f32 / u32::MAX as f32 - 0.5
    };
    (0..count)
        .map(|row| (0..8).map(|at| number(row, at)).collect())
        .collect()
}

#[test]
fn bench_search_prints_a_line_a_setting_with_the_fields_of_its_peers() {
    let place = Place::new();
    let rows = rows(3000);
    let file = place.file("v.npy", npy(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let common = [
        "bench",
        "search",
        "--data",
        &file,
        "--queries",
        "20",
        "--ef",
        "exact",
        "--seconds",
        "0",
        "--json",
        "--db",
        "bench-db",
    ];
    let ended = place.vdb(&common).succeeded();
    let answer = lines(&ended.stdout);
    assert_eq!(answer.len(), 1);
    let fields = [
        "system", "setting", "build_s", "rss_mb", "disk_mb", "recall", "qps", "p50_us", "p99_us",
    ];
    assert!(
        fields.iter().all(|field| !answer[0][field].is_null()),
        "{}",
        ended.stdout
    );
    assert_eq!(
        (&answer[0]["setting"], &answer[0]["recall"]),
        (&json!("exact"), &json!(1.0))
    );
    assert_eq!(
        (&answer[0]["rows"], &answer[0]["queries"]),
        (&json!(2980), &json!(20))
    );
    // The last of numpy.random.default_rng(42).permutation(3000) are the queries: not in the database.
    assert_eq!(
        place.json(&["count", "bench-db", "bench"]),
        json!({"count": 2980})
    );

    let again = place.vdb(&[&common[..], &["--raw"]].concat()).succeeded();
    let answer = lines(&again.stdout);
    assert_eq!(answer[0]["build_s"], Value::Null);
    let calls = answer[0]["raw_us"].as_array().unwrap().len() as u64;
    assert_eq!(calls, answer[0]["passes"].as_u64().unwrap() * 20);

    // The figures of this database are not those of other settings.
    let message = place
        .vdb(&[&common[..], &["--distance", "euclid"]].concat())
        .failed_with(1);
    assert!(message.contains("distance cosine, not euclid"), "{message}");
    std::fs::remove_file(place.path("bench-db.bench.json")).unwrap();
    assert!(place.vdb(&common).failed_with(1).contains("cannot tell"));
}

#[test]
fn bench_search_asks_from_several_threads_and_of_several_builds() {
    let place = Place::new();
    let rows = rows(1500);
    let file = place.file("v.npy", npy(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let asked = ["--queries", "10", "--ef", "16", "--clients", "1,2", "--json"];
    let builds = ["--ef-construct", "default,quick", "--db", "kept"];
    let bench = ["bench", "search", "--data", &file, "--seconds", "0"];
    let command = [&bench[..], &asked[..], &builds[..]].concat();
    let answer = lines(&place.vdb(&command).succeeded().stdout);
    let told = |line: &Value| {
        let name = line["system"].as_str().unwrap().to_owned();
        (name, line["clients"].as_u64().unwrap())
    };
    let expected = [("efc200", 1), ("efc200", 2), ("efc64", 1), ("efc64", 2)];
    let expected = expected.map(|(build, clients)| (format!("vdb f32 M16 {build}"), clients));
    assert_eq!(answer.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(
        (&answer[0]["over_one"], &answer[0]["data"]),
        (&json!(1.0), &json!("v"))
    );
    assert!(answer[1]["over_one"].as_f64().unwrap() > 0.0);
    // Each build is kept, and found again.
    assert_eq!(
        place.json(&["count", "kept/efc64", "bench"]),
        json!({"count": 1490})
    );
    let again = lines(&place.vdb(&command).succeeded().stdout);
    assert!(again.iter().all(|line| line["build_s"].is_null()));
}

#[test]
#[cfg(target_os = "linux")]
fn bench_search_keeps_to_a_share_of_memory_or_says_that_it_cannot() {
    let place = Place::new();
    let rows = rows(3000);
    let file = place.file("v.npy", npy(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let command = |share| {
        let asked = [
            "--queries",
            "10",
            "--ef",
            "16,exact",
            "--cached-by",
            "drop",
            "--seconds",
            "0",
            "--json",
        ];
        let command = ["bench", "search", "--data", &file, "--cached", share];
        place.vdb(&[&command[..], &asked[..]].concat())
    };
    let answer = lines(&command("100,90").succeeded().stdout);
    let told: Vec<_> = answer
        .iter()
        .map(|line| {
            (
                line["cached"].as_f64().unwrap(),
                line["cached_by"].as_str().unwrap(),
            )
        })
        .collect();
    let dropped = "dropped when full";
    assert_eq!(
        told,
        [(1.0, "nothing"), (1.0, "nothing"), (0.9, dropped), (0.9, dropped)]
    );
    let number = |line: usize, field: &str| answer[line][field].as_f64().unwrap();
    assert!(number(0, "mapped_mb") > 0.0 && number(0, "drops") == 0.0);
    // How often pages had to be dropped is up to the system, which reads ahead.
    for line in 2..4 {
        let resident = number(line, "resident_mb");
        assert!(resident <= number(line, "mapped_mb"), "{line}: {resident}");
        assert!(number(line, "read_kb") >= 0.0 && number(line, "drops") >= 0.0);
    }
    assert_eq!(number(3, "recall"), 1.0);
    // Opening alone needs more than this.
    let message = command("0.001").failed_with(1);
    assert!(
        message.contains("this share cannot be measured here"),
        "{message}"
    );
}

#[test]
fn a_bench_that_is_interrupted_removes_its_files() {
    let place = Place::new();
    let rows = rows(2000);
    let file = place.file("v.npy", npy(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let scratch = place.path("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let bench = place
        .command(&["bench", "search", "--data", &file, "--queries", "20"])
        .env("TMPDIR", &scratch)
        .spawn()
        .unwrap();
    let files = || std::fs::read_dir(&scratch).unwrap().count();
    while files() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = bench.id().to_string();
    let kill = std::process::Command::new("kill").args(["-TERM", &pid]).status();
    assert!(kill.unwrap().success());
    assert_eq!(bench.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(files(), 0);
}

#[test]
fn bench_search_refuses_a_split_of_other_data() {
    let place = Place::new();
    let file = place.file("v.npy", npy(&[&[1.0, 0.0], &[0.0, 1.0]]));
    assert!(
        place
            .vdb(&["bench", "search", "--data", &file])
            .failed_with(1)
            .contains("--queries")
    );
    let vectors = ["bench", "search", "--data", &file, "--split", &file];
    assert!(place.vdb(&vectors).failed_with(1).contains("v.npy"));
}

#[test]
fn bench_ingest_refuses_slices_that_no_clock_measures() {
    let place = Place::new();
    for seconds in ["1e20", "inf", "nan", "-1", "0"] {
        let message = place
            .vdb(&["bench", "ingest", "--slice-seconds", seconds])
            .failed_with(2);
        assert!(message.contains("--slice-seconds"), "{seconds}: {message}");
    }
}

#[test]
fn bench_ingest_measures_every_setting_and_removes_its_files() {
    let place = Place::new();
    std::fs::create_dir(place.path("disk")).unwrap();
    let ended = place
        .vdb(&[
            "bench",
            "ingest",
            "--dir",
            "disk",
            "--dim",
            "16",
            "--rows",
            "300",
            "--slice-seconds",
            "0.1",
            "--json",
        ])
        .succeeded();
    let answer = lines(&ended.stdout);
    let settings: Vec<_> = answer
        .iter()
        .map(|line| (line["batch"].clone(), line["writers"].clone()))
        .collect();
    let expected = [(1000, 1), (100, 1), (1, 1), (1, 4), (1, 16)].map(|(b, w)| (json!(b), json!(w)));
    assert_eq!(settings, expected);
    for line in &answer {
        for field in [
            "vectors_per_s",
            "bytes_per_s",
            "raw_bytes_per_s",
            "ratio",
            "sync_over_buffered",
            "sync_over_none",
        ] {
            assert!(
                line[field].as_f64().is_some_and(|number| number > 0.0),
                "{field}: {line}"
            );
        }
    }
    assert!(answer[0]["ratio_with_index"].is_number());
    assert!(answer[4]["over_one_writer"].is_number());
    assert_eq!(std::fs::read_dir(place.path("disk")).unwrap().count(), 0);
}
