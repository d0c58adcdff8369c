use super::*;

fn entry() -> Entry {
    Entry {
        target: "b".to_owned(),
        schema: BTreeMap::from([(String::new(), "4 Float32, Cosine".to_owned())]),
        created: true,
        added_to: false,
        deferred: false,
        stage: Stage::Copying,
        slices: vec![
            Slice {
                last: Some(PointId::Num(u64::MAX)),
                points: 3,
                rounded: 2,
                done: false,
            },
            Slice {
                last: "c56a4180-65aa-42ec-a945-5fd21dec0538".parse().ok(),
                points: 4,
                rounded: 0,
                done: true,
            },
            Slice::default(),
        ],
    }
}

#[test]
fn what_is_kept_is_there_in_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let journal = Journal::open(&path, "here", "there").unwrap();
    journal.keep("a", entry()).unwrap();
    journal
        .change("a", true, |entry| entry.stage = Stage::Copied)
        .unwrap();
    let again = Journal::open(&path, "here", "there").unwrap();
    let kept = again.entry("a").unwrap();
    assert_eq!(
        (kept.stage, kept.acknowledged(), kept.rounded()),
        (Stage::Copied, 7, 2)
    );
    assert_eq!(kept.slices, entry().slices);
    again.finish().unwrap();
    assert!(!path.exists());
    again.finish().unwrap();
}

#[test]
fn changes_are_written_by_time_and_by_flush() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let journal = Journal::open(&path, "here", "there").unwrap();
    journal.keep("a", entry()).unwrap();
    journal
        .change("a", false, |entry| entry.slices[0].points = 30)
        .unwrap();
    journal.flush().unwrap();
    let again = Journal::open(&path, "here", "there").unwrap();
    assert_eq!(again.entry("a").unwrap().acknowledged(), 34);
    again.forget("a").unwrap();
    assert_eq!(Journal::open(&path, "here", "there").unwrap().entry("a"), None);
}

#[test]
fn that_of_another_migration_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    Journal::open(&path, "here", "there")
        .unwrap()
        .keep("a", entry())
        .unwrap();
    let refused = Journal::open(&path, "here", "elsewhere")
        .err()
        .unwrap()
        .to_string();
    assert!(
        refused.contains("from here to there") && refused.contains("--state"),
        "{refused}"
    );
}

#[test]
fn damage_is_noticed_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    Journal::open(&path, "here", "there")
        .unwrap()
        .keep("a", entry())
        .unwrap();
    let sound = std::fs::read(&path).unwrap();
    for at in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        // White space may change and means the same.
        if let Ok(journal) = Journal::open(&path, "here", "there") {
            assert_eq!(journal.entry("a"), Some(entry()), "byte {at}");
        }
    }
    for end in 0..sound.len() - 1 {
        std::fs::write(&path, &sound[..end]).unwrap();
        let told = Journal::open(&path, "here", "there").err();
        assert!(told.is_some() || end + 2 >= sound.len(), "cut at {end}");
    }
    std::fs::write(&path, br#"{"format": 3, "checksum": "", "migration": {}}"#).unwrap();
    let newer = Journal::open(&path, "here", "there").err().unwrap().to_string();
    assert!(newer.contains("format 3"), "{newer}");
}

#[test]
fn it_lies_beside_the_directory_that_takes_part() {
    let endpoint = |text: &str| Endpoint::parse(text, None).unwrap();
    let (server, other) = (endpoint("http://a:6334"), endpoint("http://b:6334"));
    let state = |from: &Endpoint, to: &Endpoint| default_state(from, to).display().to_string();
    assert!(state(&server, &endpoint("/data/my.db/")).ends_with("/data/my.db.migration"));
    assert!(state(&endpoint("/data/my.db"), &server).ends_with("/data/my.db.migration"));
    assert_ne!(state(&server, &other), state(&other, &server));
}
