use vdb_measure::Line;

use super::*;

fn step(name: &str) -> Step {
    Step {
        part: Part::Plain,
        name: name.to_owned(),
        work: Work::Here {
            rows: None,
            filtered: false,
        },
    }
}

#[test]
fn a_part_is_kept_with_its_failures_and_replaced_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let kept = Kept::at(dir.path().join("parts")).unwrap();
    assert_eq!(kept.read(&step("plain")).unwrap(), None);
    let line = |qps| Line {
        system: "vdb".to_owned(),
        qps,
        ..Line::default()
    };
    let first = Lines {
        lines: vec![line(1.0), line(2.0)],
        failures: vec!["svs: not: here".to_owned()],
        ..Lines::default()
    };
    kept.keep(&step("plain"), &first).unwrap();
    assert_eq!(kept.read(&step("plain")).unwrap(), Some(first));
    let second = Lines {
        lines: vec![line(3.0)],
        ..Lines::default()
    };
    kept.keep(&step("plain"), &second).unwrap();
    assert_eq!(kept.read(&step("plain")).unwrap(), Some(second));
    assert_eq!(kept.read(&step("other")).unwrap(), None);
}

#[test]
fn vdb_is_asked_with_the_data_and_its_own_options() {
    let data = DataArgs {
        data: "v.npy".into(),
        payload: Some("p.jsonl".into()),
        split: None,
        queries: 10,
        distance: Some(vdb::Distance::Dot),
    };
    let step = Step::vdb(
        Part::Cold,
        Path::new("vdb"),
        &data,
        &[("--cached", "50".to_owned())],
    );
    assert_eq!(step.name, "cold");
    let Work::Program(_, arguments) = step.work else {
        panic!("not a program");
    };
    let expected = "bench search --json --data v.npy --queries 10 --distance dot --cached 50";
    assert_eq!(arguments, expected.split(' ').collect::<Vec<_>>());
}
