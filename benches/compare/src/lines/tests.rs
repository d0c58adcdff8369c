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
fn writes_are_told_from_searches_and_come_back_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lines.jsonl");
    let of = |data: &str| Lines {
        lines: vec![Line {
            system: "vdb".to_owned(),
            qps: 5.0,
            data: Some(data.to_owned()),
            ..Line::default()
        }],
        ingests: vec![IngestLine {
            system: "vdb".to_owned(),
            durability: "sync".to_owned(),
            vectors_per_s: 7.0,
            data: Some("a".to_owned()),
            ..IngestLine::default()
        }],
        failures: Vec::new(),
    };
    write(&file, &of("b")).unwrap();
    write(&file, &of("a")).unwrap();
    assert_eq!(Lines::read(&file).unwrap(), of("a"));
    assert!(of("a").check().is_ok() && of("b").check().is_err());
    let error = Lines::parse("{\"vectors_per_s\": 1}", &file)
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 1") && error.contains("system"), "{error}");
}

#[test]
fn lines_of_several_data_sets_are_not_mixed() {
    let of = |data: Option<&str>| Line {
        data: data.map(str::to_owned),
        ..Line::default()
    };
    let mut lines = Lines {
        lines: vec![of(Some("a")), of(None)],
        ..Lines::default()
    };
    assert!(lines.check().is_ok());
    lines.lines.push(of(Some("b")));
    assert!(lines.check().unwrap_err().to_string().contains("(a, b)"));
}

#[test]
fn only_systems_that_are_named_are_left_and_a_name_of_none_is_refused() {
    let searches = [("vdb f32", 10), ("hnswlib M16", 2), ("vdb f32 alone", 11)];
    let searches =
        searches.map(|(name, qps)| format!("{{\"system\": \"{name}\", \"recall\": 0.9, \"qps\": {qps}}}\n"));
    let text = searches.concat() + "{\"system\": \"svs\", \"error\": \"none\"}\n";
    let lines = Lines::parse(&text, Path::new("a.jsonl")).unwrap();
    let leave = |names: &[&str]| {
        let mut lines = lines.clone();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        lines.leave(&names)?;
        let systems = lines.lines.into_iter().map(|line| line.system);
        Ok::<_, Error>((systems.collect::<Vec<_>>().join(", "), lines.failures.len()))
    };
    assert_eq!(leave(&["vdb"]).unwrap(), ("vdb f32, vdb f32 alone".to_owned(), 0));
    assert_eq!(leave(&["vdb f32", "svs"]).unwrap(), ("vdb f32".to_owned(), 1));
    let error = leave(&["vdb", "faiss"]).unwrap_err().to_string();
    let known = "hnswlib M16, svs, vdb f32, vdb f32 alone";
    assert!(error.contains("\"faiss\"") && error.ends_with(known), "{error}");
}
