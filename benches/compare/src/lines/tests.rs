use super::*;

#[test]
fn failures_are_kept_and_what_is_no_measurement_is_refused() {
    let file = Path::new("peers.jsonl");
    let text = "{\"system\": \"a\", \"setting\": \"ef=1\", \"recall\": 0.9, \"qps\": 10, \"unknown\": 1}\n\n\
                {\"system\": \"b\", \"error\": 1}\n";
    let lines = Lines::parse(text, file).unwrap();
    assert_eq!((lines.lines.len(), lines.lines[0].qps), (1, 10.0));
    assert_eq!(lines.failures, ["b: 1"]);
    for wrong in [
        "{\"system\": \"a\"}",
        "nothing",
        "[]",
        "{\"system\": \"a\", \"recall\": \"x\", \"qps\": 1}",
    ] {
        let error = Lines::parse(wrong, file).unwrap_err().to_string();
        assert!(error.starts_with("peers.jsonl: line 1:"), "{error}");
    }
}

#[test]
fn lines_of_several_data_sets_are_not_mixed() {
    let of = |data: Option<&str>| Line {
        data: data.map(str::to_owned),
        ..Line::default()
    };
    let mut lines = Lines {
        lines: vec![of(Some("a")), of(None)],
        failures: Vec::new(),
    };
    assert!(lines.check().is_ok());
    lines.lines.push(of(Some("b")));
    assert!(lines.check().unwrap_err().to_string().contains("(a, b)"));
}
