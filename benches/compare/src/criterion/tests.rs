use super::*;

fn save(folder: &Path, benchmark: &str, run: &str, ns: f64, throughput: &str) {
    let folder = folder.join(benchmark).join(run);
    std::fs::create_dir_all(&folder).unwrap();
    let estimates = format!("{{\"median\": {{\"point_estimate\": {ns}}}, \"slope\": null}}");
    std::fs::write(folder.join("estimates.json"), estimates).unwrap();
    let name = format!("{{\"full_id\": \"{benchmark}\", \"throughput\": {throughput}}}");
    std::fs::write(folder.join("benchmark.json"), name).unwrap();
}

#[test]
fn two_saved_runs_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), "wal/append", "base", 100.0, "null");
    save(dir.path(), "wal/append", "new", 120.0, "null");
    save(dir.path(), "flat", "base", 50.0, "{\"Elements\": 4}");
    save(dir.path(), "flat", "new", 40.0, "null");
    save(dir.path(), "gone", "base", 7.0, "null");
    let (base, new) = (
        read(dir.path(), "base").unwrap(),
        read(dir.path(), "new").unwrap(),
    );
    let (text, worse) = compare(&base, &new, 1.1);
    assert_eq!(worse, 2);
    assert!(
        text.contains("| wal/append | 100.0 | 120.0 | 1.200 | slower |"),
        "{text}"
    );
    assert!(text.contains("| flat | 50.0 | 40.0 | 0.800 | faster |") && text.contains("| gone | 7.0 | - |"));
    assert_eq!(compare(&base, &new, 1.25).1, 1);
    assert_eq!(compare(&new, &base, 1.25).1, 0, "one more is none worse");
    assert!(
        read(dir.path(), "other")
            .unwrap_err()
            .to_string()
            .contains("--save-baseline other")
    );
}

#[test]
fn kernels_stand_beside_the_read_of_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = |n: u64| format!("{{\"Bytes\": {n}}}");
    save(dir.path(), "read/cached/512", "new", 5.0, &bytes(512));
    save(dir.path(), "read/scan", "new", 1000.0, &bytes(16_000));
    save(dir.path(), "128/Dot-F32-avx2/score", "new", 10.0, &bytes(512));
    save(
        dir.path(),
        "128/Dot-F32-avx2/score_rows",
        "new",
        1250.0,
        &bytes(16_000),
    );
    save(
        dir.path(),
        "128/Dot-F32-avx2/score_gather",
        "new",
        10.0,
        &bytes(99),
    );
    let text = shares(&read(dir.path(), "new").unwrap()).unwrap();
    assert!(
        text.contains("| 128/Dot-F32-avx2/score | 10.0 | 51.2 | 102.4 | 50 % |"),
        "{text}"
    );
    assert!(
        text.contains("score_rows | 1250.0 | 12.8 | 16.0 | 80 % |") && !text.contains("gather"),
        "{text}"
    );
}
