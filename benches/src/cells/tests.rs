use super::*;
use vdb::Distance;

#[test]
fn filters_say_what_their_masks_say() {
    let pos = ["noun", "verb"];
    let payloads = (0..4000).map(|row| {
        let payload =
            json!({"pos": pos[row % 2], "lexfile": row % 50, "lemmas": row % 7, "gloss": "not needed"});
        payload.as_object().unwrap().clone()
    });
    let set = Dataset {
        name: String::new(),
        dim: 1,
        distance: Distance::Dot,
        vectors: vec![0.0; 4000],
        queries: Vec::new(),
        payloads: payloads.collect(),
        asked: Vec::new(),
        known: Vec::new(),
    };
    let cells = Cells::of(&set);
    let usual = cells.named(&[]);
    let names: Vec<&str> = usual.iter().map(|cell| cell.name.as_str()).collect();
    let expected = [
        "tags=t50",
        "tags=t10",
        "tags=t1",
        "tags=t01",
        "pos=noun",
        "pos=verb",
        "lexfile=18",
        "lexfile=5",
        "lexfile=40",
        "lexfile=22",
        "lexfile=43",
    ];
    assert_eq!(names, expected);
    assert_eq!(usual[4].share(), 0.5);
    assert_eq!(cells.payloads[7].get("gloss"), None);
    for cell in usual {
        let filter = vdb::Filter::from_json(&cell.filter).unwrap();
        assert_eq!(vdb::Filter::from_json(&cell.filter).unwrap(), filter);
        let (key, value) = cell.name.split_once('=').unwrap();
        for (payload, matches) in cells.payloads.iter().zip(&cell.among) {
            let stored = &payload[key];
            let has = stored.as_str() == Some(value)
                || stored.as_i64().is_some_and(|number| number.to_string() == value)
                || stored.as_array().is_some_and(|tags| tags.contains(&json!(value)));
            assert_eq!(has, *matches, "{}", cell.name);
        }
    }
}

#[test]
fn further_filters_are_measured_when_they_are_named() {
    let payloads = (0..2100).map(|row| {
        let pos = ["noun", "verb"][row % 2];
        let payload = json!({"pos": pos, "lemmas": row % 7});
        payload.as_object().unwrap().clone()
    });
    let set = Dataset {
        name: String::new(),
        dim: 1,
        distance: Distance::Dot,
        vectors: vec![0.0; 2100],
        queries: Vec::new(),
        payloads: payloads.collect(),
        asked: Vec::new(),
        known: Vec::new(),
    };
    let cells = Cells::of(&set);
    let named = cells.named(&["lemmas>=".to_owned(), "not".to_owned(), "verb+lemmas".to_owned()]);
    let told: Vec<_> = named
        .iter()
        .map(|cell| (cell.name.as_str(), cell.matching()))
        .collect();
    assert_eq!(
        told,
        [
            ("lemmas>=6", 300),
            ("pos=verb+lemmas=1", 150),
            ("not pos=noun", 1050)
        ]
    );
    for cell in named {
        vdb::Filter::from_json(&cell.filter).unwrap();
    }
}

#[test]
fn data_without_payloads_has_random_tags_only() {
    let set = Dataset {
        name: String::new(),
        dim: 1,
        distance: Distance::Dot,
        vectors: vec![0.0; 116_659],
        queries: Vec::new(),
        payloads: Vec::new(),
        asked: Vec::new(),
        known: Vec::new(),
    };
    let cells = Cells::of(&set);
    // (numpy.random.default_rng(1 + i).random(116659) < share).sum()
    let matching: Vec<usize> = cells.named(&[]).into_iter().map(Cell::matching).collect();
    assert_eq!(matching.len(), 4);
    assert_eq!(matching[3], 120);
}
