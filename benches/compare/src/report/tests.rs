use super::*;

fn line(system: &str, recall: f64, qps: f64) -> Line {
    Line {
        system: system.to_owned(),
        setting: "ef=1".to_owned(),
        recall,
        qps,
        p50_us: Some(1e6 / qps),
        p99_us: Some(2e6 / qps),
        build_s: Some(10.0),
        ..Line::default()
    }
}

fn of<const N: usize>(lines: [Line; N]) -> Lines {
    Lines {
        lines: lines.into(),
        ..Lines::default()
    }
}

#[test]
fn ours_is_compared_with_every_peer_at_every_level() {
    let lines = [
        line("vdb f32", 0.9, 40_000.0),
        line("vdb f32", 0.985, 20_000.0),
        line("vdb f32", 0.995, 10_000.0),
        line("hnswlib", 0.985, 5000.0),
        line("hnswlib", 0.97, 8000.0),
        line("exact", 1.0, 80.0),
    ];
    let lines = Lines {
        failures: vec!["svs: 1".to_owned()],
        ..of(lines)
    };
    let text = Report::new(&lines).markdown();
    let ours = text
        .lines()
        .find(|line| line.starts_with("| vdb f32 | 10.0 |"))
        .unwrap();
    assert!(ours.contains("| 20,000 |") || ours.contains("| 20,"), "{ours}");
    let peer = text
        .lines()
        .find(|line| line.starts_with("| vdb f32 | hnswlib | 3."))
        .unwrap();
    assert!(peer.contains("| only ours |"), "{peer}");
    assert!(
        text.contains("\u{2265} 8,000") && text.contains("\u{2265} 80"),
        "{text}"
    );
    assert!(text.ends_with("## Not measured\n\n- svs: 1\n"));
    assert!(!text.contains("## Filtered") && !text.contains("## Growth"));
}

#[test]
fn filters_sizes_and_connections_have_tables_and_plots_of_their_own() {
    let filtered = |system, qps| Line {
        filter: Some("pos=noun".to_owned()),
        share: Some(0.7),
        ..line(system, 0.96, qps)
    };
    let sized = |rows, qps| Line {
        rows: Some(rows),
        rss_mb: Some(rows as f64 / 500.0),
        ..line("vdb f32", 0.96, qps)
    };
    let served = |connections, qps| Line {
        connections: Some(connections),
        transport: Some("grpc".to_owned()),
        ..line("qdrant 1.19", 0.98, qps)
    };
    let lines = [
        filtered("vdb f32", 6000.0),
        filtered("qdrant-edge sq8", 3000.0),
        sized(1000, 20_000.0),
        sized(10_000, 10_000.0),
        served(1, 900.0),
        served(4, 2000.0),
        Line {
            clients: Some(2),
            over_one: Some(1.9),
            ..line("vdb f32", 0.97, 77_000.0)
        },
        Line {
            cached: Some(0.25),
            cached_by: Some("cgroup v2".to_owned()),
            ..line("vdb f32", 0.97, 700.0)
        },
    ];
    let lines = of(lines);
    let report = Report::new(&lines);
    let text = report.markdown();
    let peer = text
        .lines()
        .find(|line| line.starts_with("| pos=noun | 70.00 % | qdrant-edge"))
        .unwrap();
    assert!(peer.contains("| 2.00 |"), "{peer}");
    assert!(text.contains("| 1,000 | vdb f32 |") && text.contains("| 10,000 | vdb f32 |"));
    assert!(text.contains("| qdrant 1.19 | grpc |  | ef=1 | 4 | 2,000 |"));
    assert!(text.contains("| vdb f32 | ef=1 | 2 | 77,000 | 1.90 |"), "{text}");
    assert!(
        text.contains("| vdb f32 | ef=1 | 25 % | cgroup v2 | - | 700 |"),
        "{text}"
    );
    // The smaller number of rows is no part of the main comparison.
    let main = text.split("## Filtered").next().unwrap();
    assert!(main.contains("10,000") && !main.contains("20,000"), "{text}");
    assert!(!main.contains("77,000") && !main.contains("| 700"), "{text}");

    let dir = tempfile::tempdir().unwrap();
    report.plots(dir.path()).unwrap();
    for name in [
        "recall-qps",
        "latency",
        "build",
        "filtered",
        "growth-qps",
        "growth-memory",
        "connections",
        "build-qps",
        "cold",
    ] {
        assert!(dir.path().join(name).with_extension("svg").exists(), "{name}");
    }
    assert!(!dir.path().join("growth-disk.svg").exists());
}

#[test]
fn the_main_comparison_is_of_the_rows_that_most_systems_have() {
    let sized = |system, rows, qps| Line {
        rows: Some(rows),
        ..line(system, 0.96, qps)
    };
    let lines = [
        sized("vdb f32", 1000, 30_000.0),
        sized("hnswlib", 1000, 10_000.0),
        sized("vdb f32", 50_000, 20_000.0),
    ];
    let lines = of(lines);
    let text = Report::new(&lines).markdown();
    let main = text.split("## Growth").next().unwrap();
    assert!(main.contains("30,000") && !main.contains("20,000"), "{text}");
    assert!(main.contains("| vdb f32 | hnswlib | 3.00 |"), "{text}");
}

#[test]
fn growth_of_ours_stands_beside_that_of_others_and_of_the_logarithm() {
    let at = |system, rows, recall, qps, build_s| Line {
        rows: Some(rows),
        build_s: Some(build_s),
        ..line(system, recall, qps)
    };
    let lines = of([
        at("hnswlib", 1000, 0.94, 8000.0, 2.0),
        at("hnswlib", 1000, 0.995, 4000.0, 2.0),
        at("hnswlib", 10_000, 0.99, 1000.0, 40.0),
        at("vdb f32", 100, 0.95, 40_000.0, 0.5),
        at("vdb f32", 10_000, 0.95, 10_000.0, 20.0),
        at("svs", 10_000, 0.95, 9000.0, 30.0),
    ]);
    let report = Report::new(&lines);
    let text = report.markdown();
    let growth = text.split("## Growth").nth(1).unwrap();
    let row = |start: &str| {
        let mut rows = growth.lines().filter(|line| line.starts_with(start));
        let row = rows.next().unwrap_or_else(|| panic!("{start}: {text}"));
        assert_eq!(rows.next(), None);
        row
    };
    // A hundred times as many rows, whose logarithm is twice as large.
    assert_eq!(
        row("| vdb f32 | 100 |"),
        "| vdb f32 | 100 | 10,000 | 2.00 | 4.00 | - | - | 200.0 | 40.0 |"
    );
    // Theirs is compared with its own fewest; a speed that may be higher makes a bound.
    let theirs = row("| hnswlib | 1,000 |");
    assert!(
        theirs.starts_with("| hnswlib | 1,000 | 10,000 | 1.33 | \u{2264} "),
        "{theirs}"
    );
    assert!(theirs.ends_with(" | 13.3 | 20.0 |"), "{theirs}");
    // A single size is no growth, but is in the table of all.
    row("| 10,000 | svs |");
    assert!(!growth.contains("\n| svs |"));

    let dir = tempfile::tempdir().unwrap();
    report.plots(dir.path()).unwrap();
    let plot = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    for name in ["growth-qps.svg", "growth-build.svg"] {
        let plot = plot(name);
        assert!(plot.contains("vdb f32") && plot.contains("hnswlib") && !plot.contains("svs"));
    }
    assert!(plot("recall-qps.svg").contains("svs"));
}

#[test]
fn writes_stand_by_batch_and_threads_with_ours_over_each() {
    let line = |system: &str, durability: &str, batch, vectors_per_s| IngestLine {
        system: system.to_owned(),
        durability: durability.to_owned(),
        synced: durability == "sync",
        batch,
        writers: 16,
        rows: 2000,
        vectors_per_s,
        ..IngestLine::default()
    };
    let lines = Lines {
        ingests: vec![
            line("vdb", "sync", 100, 90_000.0),
            line("vdb", "sync", 1, 40_000.0),
            line("vdb", "buffered", 1, 50_000.0),
            line("qdrant-edge", "update", 1, 10_000.0),
        ],
        ..Lines::default()
    };
    let report = Report::new(&lines);
    let text = report.markdown();
    assert!(text.starts_with("## Writes"), "{text}");
    let row = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    assert!(row("| 1 | 16 | vdb | sync | nothing |").ends_with("| 1.00 | 1.25 |"));
    assert!(row("| 1 | 16 | vdb | buffered | the last writes |").ends_with("| 0.80 | 1.00 |"));
    assert!(row("| 1 | 16 | qdrant-edge | update |").ends_with("| 4.00 | 5.00 |"));
    // Nothing else was written in such batches.
    assert!(row("| 100 | 16 | vdb | sync |").ends_with("| 1.00 | - |"));

    let dir = tempfile::tempdir().unwrap();
    report.plots(dir.path()).unwrap();
    let plot = std::fs::read_to_string(dir.path().join("ingest.svg")).unwrap();
    assert!(plot.contains("1 row, 16 threads") && plot.contains("qdrant-edge: update"));
    assert!(!dir.path().join("recall-qps.svg").exists());
}

#[test]
fn counts_sparse_and_hybrid_searches_have_tables_of_their_own() {
    let line = |task: &str, setting: &str, system: &str, micros: f64| Line {
        task: Some(task.to_owned()),
        setting: setting.to_owned(),
        filter: (task == "counts").then(|| setting.to_owned()),
        share: (task == "counts").then_some(0.25),
        p50_us: Some(micros),
        ..line(system, 1.0, 1e6 / micros)
    };
    let lines = of([
        line("counts", "match bool", "vdb", 10.0),
        line("counts", "match bool", "qdrant-edge", 500.0),
        line("counts", "slice", "vdb", 200.0),
        Line {
            recall: 0.0,
            ..line("counts", "slice", "qdrant-edge", 400.0)
        },
        line("sparse", "words", "qdrant-edge", 90.0),
        line("sparse", "words", "vdb", 30.0),
        line("hybrid", "dense", "vdb", 50.0),
        line("hybrid", "rrf", "vdb", 80.0),
        line("hybrid", "rrf", "qdrant-edge", 160.0),
    ]);
    let text = Report::new(&lines).markdown();
    assert!(text.starts_with("## Counts"), "{text}");
    let row = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    assert!(row("| match bool | 25.00 % | qdrant-edge | 500.0 |").ends_with("| yes | 50.00 |"));
    assert!(row("| slice | 25.00 % | qdrant-edge | 400.0 |").ends_with("| NO | 2.00 |"));
    assert!(text.find("| slice") < text.find("| match bool"), "{text}");
    assert!(row("| words | qdrant-edge | 11,111 |").ends_with("| 1.0000 | 3.00 |"));
    assert!(row("| vdb | rrf | 12,500 |").ends_with("| 1.60 | 1.00 |"));
    assert!(row("| qdrant-edge | rrf |").ends_with("| - | 2.00 |"));
}
