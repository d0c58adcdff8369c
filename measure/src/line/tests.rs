use super::*;

#[test]
fn a_line_of_another_program_is_read_with_what_it_has() {
    let text = r#"{"system": "qdrant-edge sq8", "filter": "tags=t1", "share": 0.0099, "ef": 16, "recall": 0.9,
        "qps": 13137.0, "p99_us": 84.0, "build_s": 17.0, "disk_mb": null, "info": "ignored"}"#;
    let line: Line = serde_json::from_str(text).unwrap();
    assert_eq!(line.setting_name(), "ef=16");
    assert_eq!((line.disk_mb, line.p50_us, line.p99_us), (None, None, Some(84.0)));
    assert_eq!(line.filter.as_deref(), Some("tags=t1"));
}

#[test]
fn what_is_not_known_is_left_out_behind_the_first_fields() {
    let text = serde_json::to_string(&Line::default()).unwrap();
    let expected = r#"{"system":"","setting":"","build_s":null,"rss_mb":null,"disk_mb":null,"recall":0.0,"qps":0.0,"p50_us":null,"p99_us":null}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), Line::default());
}

#[test]
fn what_was_measured_and_what_grew_go_into_their_fields_and_the_rest_stays() {
    let measured = Measured {
        recall: 0.9,
        raw_us: vec![5.0],
        ..Measured::of(vec![10.0, 30.0], 0.9, 3)
    };
    let memory = |total, anonymous, file| {
        Some(Memory {
            total,
            anonymous,
            file,
        })
    };
    let known = Line {
        system: "vdb".to_owned(),
        build_s: Some(2.0),
        ..Line::default()
    };
    let line = known.measured(measured).grown(
        memory(5_000_000, 3_000_000, 2_000_000),
        memory(1_000_000, 0, 500_000),
    );
    let expected = Line {
        system: "vdb".to_owned(),
        build_s: Some(2.0),
        recall: 0.9,
        qps: 50_000.0,
        p50_us: Some(20.0),
        p95_us: Some(29.0),
        p99_us: Some(29.8),
        passes: Some(3),
        raw_us: vec![5.0],
        rss_mb: Some(4.0),
        rss_anon_mb: Some(3.0),
        rss_file_mb: Some(1.5),
        ..Line::default()
    };
    assert_eq!(line, expected);
}
