use std::collections::BTreeSet;

use super::*;

const TITLES: Titles<'_> = Titles {
    title: "speed",
    x: "recall",
    y: "queries/s",
};

fn series(points: &[(f64, f64)]) -> Series {
    Series {
        name: "vdb".to_owned(),
        points: points.to_vec(),
    }
}

#[test]
fn plots_are_svg_with_their_titles_and_names() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.svg");
    for log_x in [false, true] {
        lines(&file, TITLES, &[series(&[(0.9, 1000.0), (0.99, 100.0)])], log_x).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("<svg") && text.contains("queries/s") && text.contains("vdb"));
    }
    let labels = ["tags=t1".to_owned(), "pos=noun".to_owned()];
    bars(
        &file,
        TITLES,
        &labels,
        &[series(&[(0.0, 5.0), (1.0, 7.0)]), series(&[(0.0, 2.0)])],
    )
    .unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("tags=t1") && text.contains("pos=noun"));
}

#[test]
fn each_of_many_series_has_its_name_and_a_look_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.svg");
    let many: Vec<Series> = (0..2 * APART + 1)
        .map(|number| Series {
            name: format!("system {number}."),
            ..series(&[(0.9, 1000.0 + number as f64), (0.99, 100.0)])
        })
        .collect();
    lines(&file, TITLES, &many, false).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(many.iter().all(|one| text.contains(&one.name)));
    // As they are written: the colour, whether filled, and how large.
    let dots: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("<circle cx=\"")
                .and_then(|line| line.split_once("r="))
        })
        .map(|(_, look)| look)
        .collect();
    assert_eq!(dots.len(), many.len(), "{dots:?}");
}

#[test]
fn nothing_to_draw_makes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.svg");
    lines(&file, TITLES, &[series(&[])], false).unwrap();
    bars(&file, TITLES, &[], &[]).unwrap();
    assert!(!file.exists());
}

#[test]
fn one_point_has_room_around_it() {
    let dir = tempfile::tempdir().unwrap();
    lines(
        &dir.path().join("a.svg"),
        TITLES,
        &[series(&[(1.0, 83.0)])],
        false,
    )
    .unwrap();
}

#[test]
fn numbers_are_short() {
    let shown = [0.0, 0.95, 0.9975, 3.24, 42.0, 1234.0, 28_900.0, 2.5e6].map(short);
    assert_eq!(shown, ["0", "0.95", "0.998", "3.2", "42", "1.2k", "29k", "2.5M"]);
}
