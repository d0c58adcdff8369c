use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use vdb_vfs::{Disk, MemDisk};

use crate::RowSet;
use crate::postings::{Class, Estimate, Key, Kind, PostingsFile, TextBuilder};

const PATH: &str = "text";
const TOKENS: [&str; 5] = ["a", "b", "bb", "é", "zebra"];

/// Of each row the tokens, with the positions that they have.
type Texts = Vec<Vec<(usize, u64)>>;

fn build(texts: &Texts) -> MemDisk {
    let disk = MemDisk::new();
    let mut builder = TextBuilder::new(7);
    for (row, text) in (0..).zip(texts) {
        for &(token, position) in text {
            builder.token(row, TOKENS[token], position);
        }
    }
    builder.finish(&disk, PATH, texts.len() as u32).unwrap();
    disk
}

fn open(texts: &Texts) -> PostingsFile {
    PostingsFile::open(&build(texts), PATH, texts.len() as u32).unwrap()
}

fn rows(found: crate::Result<RowSet>) -> Vec<u32> {
    found.unwrap().iter().collect()
}

fn rows_where(texts: &Texts, matches: impl Fn(&[(usize, u64)]) -> bool) -> Vec<u32> {
    let numbered = (0..).zip(texts);
    numbered
        .filter(|(_, text)| matches(text))
        .map(|(row, _)| row)
        .collect()
}

/// Many rows of few tokens, so that some are filed as bitmaps, and bigrams of some are kept unless several stand in one place;
/// positions with gaps.
fn texts() -> impl Strategy<Value = Texts> {
    let far = prop_oneof![18 => Just(0), 1 => Just(1_u64 << 32), 1 => Just(1 << 50)];
    let token = (0..TOKENS.len(), 0_u64..6, far);
    let text = prop::collection::btree_set(
        token.prop_map(|(token, position, far)| (position + far, token)),
        0..8,
    );
    let texts = prop::collection::vec(text, 1..120);
    (texts, 1..8_usize, any::<bool>()).prop_map(|(texts, times, shared)| {
        let text = |text: &BTreeSet<(u64, usize)>| {
            let mut text: Vec<(usize, u64)> =
                text.iter().map(|&(position, token)| (token, position)).collect();
            if !shared {
                text.dedup_by_key(|(_, position)| *position);
            }
            text.sort_unstable();
            text
        };
        let all = texts.len() * times;
        texts.iter().map(text).cycle().take(all).collect()
    })
}

fn tokens_of(text: &[(usize, u64)]) -> BTreeSet<usize> {
    text.iter().map(|(token, _)| *token).collect()
}

proptest! {
    #[test]
    fn rows_counts_and_phrases_are_those_of_the_texts(
        texts in texts(),
        wanted in prop::collection::btree_set(0..TOKENS.len(), 1..4),
        phrase in prop::collection::vec((0..TOKENS.len(), 0_u64..4), 1..4),
    ) {
        let index = open(&texts);
        prop_assert_eq!(index.kind(), Kind::Text);
        let info = index.text_info().unwrap();
        prop_assert_eq!(info.fingerprint, 7);
        prop_assert_eq!(info.tokens, texts.iter().map(|text| text.len() as u64).sum::<u64>());
        for (row, text) in (0..).zip(&texts) {
            prop_assert_eq!(index.text_length(row), text.len() as u32);
        }
        prop_assert_eq!(rows(index.present()), rows_where(&texts, |text| !text.is_empty()));
        prop_assert_eq!(rows(index.class(Class::Multiple)), rows_where(&texts, |text| tokens_of(text).len() > 1));
        prop_assert_eq!(rows(index.class(Class::Filled)), rows(index.present()));

        let all = rows_where(&texts, |text| wanted.is_subset(&tokens_of(text)));
        let names = || wanted.iter().map(|&token| TOKENS[token]);
        prop_assert_eq!(&rows(index.all_of(names())), &all);
        let estimate = index.estimate_all_of(names()).unwrap();
        prop_assert!((estimate.min..=estimate.max).contains(&(all.len() as u64)), "{:?} {}", estimate, all.len());
        prop_assert!((estimate.min..=estimate.max).contains(&estimate.expected));
        prop_assert!(index.all_of(["a", "nowhere"]).unwrap().is_empty());
        let any = rows_where(&texts, |text| !wanted.is_disjoint(&tokens_of(text)));
        prop_assert_eq!(rows(index.any_of(names().map(Key::Term))), any);

        for (number, token) in TOKENS.iter().enumerate() {
            let counted: BTreeMap<u32, u32> = (0..).zip(&texts)
                .map(|(row, text)| (row, text.iter().filter(|(token, _)| *token == number).count() as u32))
                .filter(|(_, count)| *count > 0)
                .collect();
            prop_assert_eq!(index.occurrences(token).unwrap(), counted.into_iter().collect::<Vec<_>>());
        }
        let named: Vec<(&str, u64)> = phrase.iter().map(|&(token, place)| (TOKENS[token], place)).collect();
        let expected = rows_where(&texts, |text| {
            let starts = text.iter().filter_map(|&(_, at)| at.checked_sub(phrase[0].1));
            starts.into_iter().any(|start| {
                phrase.iter().all(|&(token, place)| text.contains(&(token, start + place)))
            })
        });
        let estimate = index.estimate_phrase(&named).unwrap();
        prop_assert!((estimate.min..=estimate.max).contains(&(expected.len() as u64)), "{:?} {}", estimate, expected.len());
        prop_assert!((estimate.min..=estimate.max).contains(&estimate.expected));
        prop_assert_eq!(rows(index.phrase(&named, &|| true)), expected);
    }

    #[test]
    fn damage_is_an_error_or_rows_of_the_segment(
        texts in texts(), at in any::<prop::sample::Index>(), byte: u8, cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let count = texts.len() as u32;
        let disk = build(&texts);
        let mut bytes = disk.map(PATH).unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let disk = MemDisk::new();
        disk.create(PATH).unwrap().write_all_at(&bytes, 0).unwrap();
        if let Ok(index) = PostingsFile::open(&disk, PATH, count) {
            let _ = index.verify(&disk);
            for token in TOKENS {
                if let Ok(found) = index.occurrences(token) {
                    prop_assert!(found.iter().all(|(row, count)| *row < texts.len() as u32 && *count > 0));
                }
            }
            let answers = [
                index.all_of(["a", "b"]),
                index.phrase(&[("a", 0), ("b", 1)], &|| true),
                index.phrase(&[("a", 0), ("b", 1), ("a", 2)], &|| true),
            ];
            for rows in answers.into_iter().flatten() {
                prop_assert!(rows.max().is_none_or(|row| row < count));
            }
            let _ = (index.estimate_all_of(["a", "zebra"]), index.estimate_phrase(&[("a", 0), ("b", 1)]));
            let _ = index.text_length(u32::MAX);
        }
    }
}

/// Where bigrams of both tokens are kept, a phrase of two is known before it is looked for.
#[test]
fn bigrams_of_frequent_tokens_are_kept_but_of_the_most_frequent_only() {
    let names: Vec<String> = (0..70).map(|number| format!("t{number:02}")).collect();
    let mut builder = TextBuilder::new(0);
    // Each token is in one row more than the one after it.
    for row in 0..400 {
        for (position, name) in names.iter().enumerate().filter(|(number, _)| number + row < 400) {
            builder.token(row as u32, name, position as u64);
        }
    }
    builder.token(400, "t01", 0);
    builder.token(400, "t00", 1);
    let disk = MemDisk::new();
    builder.finish(&disk, PATH, 500).unwrap();
    let index = PostingsFile::open(&disk, PATH, 500).unwrap();
    let about = |phrase: &[(&str, u64)]| index.estimate_phrase(phrase).unwrap();
    let is_known = |rows: u64, phrase: &[(&str, u64)]| {
        let exactly = Estimate {
            min: rows,
            expected: rows,
            max: rows,
        };
        assert_eq!(rows_of(&index, phrase), rows, "{phrase:?}");
        about(phrase) == exactly
    };
    assert!(is_known(399, &[("t00", 0), ("t01", 1)]));
    assert!(is_known(1, &[("t00", 1), ("t01", 0)]));
    assert!(is_known(0, &[("t00", 0), ("t02", 1)]));
    assert!(is_known(400 - 62, &[("t61", 0), ("t62", 1)]));
    // The 64 most frequent tokens, and none that has as many rows as the first beyond.
    assert!(!is_known(400 - 64, &[("t63", 0), ("t64", 1)]));
    assert!(!is_known(400 - 2, &[("t00", 0), ("t01", 1), ("t02", 2)]));
    assert!(!is_known(400 - 2, &[("t00", 0), ("t02", 2)]));
    assert!(!is_known(0, &[("t00", 5), ("t01", 6)]));
}

/// Each bigram's number of rows is what estimates are made of.
#[test]
fn a_bigram_in_more_rows_than_its_tokens_is_damage() {
    let texts: Texts = vec![vec![(0, 0), (1, 1)]; 200];
    let bytes = build(&texts).map(PATH).unwrap().to_vec();
    let sound = open(&texts);
    sound.check().unwrap();
    let phrase = [("a", 0), ("b", 1)];
    assert_eq!(sound.estimate_phrase(&phrase).unwrap(), Estimate::exactly(200));
    let number = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let is_entry = |at: &usize| {
        [(0, 0), (4, 1), (16, 200)]
            .iter()
            .all(|&(off, n)| number(&bytes, at + off) == n)
    };
    let at: Vec<usize> = (0..bytes.len() - 24).filter(is_entry).collect();
    assert_eq!(at.len(), 1);
    let at = at[0];
    for (offset, wrong) in [(16, 201), (16, u32::MAX), (16, 0), (4, 7), (20, 3)] {
        let mut damaged = bytes.clone();
        damaged[at + offset..at + offset + 4].copy_from_slice(&u32::to_le_bytes(wrong));
        let disk = MemDisk::new();
        disk.create(PATH).unwrap().write_all_at(&damaged, 0).unwrap();
        let index = PostingsFile::open(&disk, PATH, 200).unwrap();
        assert!(index.check().is_err(), "{wrong} at {offset}");
        if let Ok(estimate) = index.estimate_phrase(&phrase) {
            assert!(estimate.max <= 200, "{wrong} at {offset}: {estimate:?}");
        }
    }
}

fn rows_of(index: &PostingsFile, phrase: &[(&str, u64)]) -> u64 {
    index.phrase(phrase, &|| true).unwrap().len()
}

/// What the file takes beside the lists that are held is made of them while it is written.
#[test]
fn bytes_are_those_of_the_file_where_frequent_tokens_stand_side_by_side() {
    let mut builder = TextBuilder::new(0);
    let rows = 4_000_u32;
    for row in 0..rows {
        for position in 0..8_u32 {
            let token = (row.wrapping_mul(2_654_435_761) >> (3 * position)) % 40;
            builder.token(row, &format!("t{token}"), position.into());
        }
    }
    let bytes = builder.bytes() as u64;
    let file = builder.finish(&MemDisk::new(), PATH, rows).unwrap();
    assert!(bytes > file.len, "{bytes} held, {} written", file.len);
}

#[test]
fn rows_that_are_not_there_or_come_late_are_refused() {
    let refused = |rows: &[u32], count| {
        let mut builder = TextBuilder::new(0);
        rows.iter().for_each(|&row| builder.token(row, "a", 0));
        builder
            .finish(&MemDisk::new(), PATH, count)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(&[3], 3),
        "row is 3, which is not in 0 to the number of rows of the segment"
    );
    assert_eq!(refused(&[2, 1], 3), "row is 1, which is not in ascending order");
}

#[test]
fn a_phrase_can_be_stopped() {
    let index = open(&vec![vec![(0, 0), (1, 1)]]);
    let stopped = index.phrase(&[("a", 0), ("b", 1)], &|| false);
    assert!(matches!(stopped, Err(crate::Error::Cancelled)));
}

/// More rows than are merged at once, and phrases that many rows have, few or none.
#[test]
fn phrases_are_found_in_every_part_of_a_large_segment() {
    let count = 150_000_u64;
    let texts: Texts = (0..count)
        .map(|row| match row % 5 {
            0 => vec![(0, row % 7), (1, row % 7 + 1)],
            1 => vec![(0, 3), (1, 5), (0, 4)],
            2 => vec![(1, 0), (0, 1)],
            3 if row % 30_000 == 3 => vec![(2, 8), (0, 9), (1, 10)],
            _ => vec![(3, 0)],
        })
        .collect();
    let index = open(&texts);
    let stands = |phrase: &[(&str, u64)]| {
        rows_where(&texts, |text| {
            (0..12).any(|start| {
                phrase.iter().all(|(token, place)| {
                    let number = TOKENS.iter().position(|one| one == token).unwrap();
                    text.contains(&(number, start + place))
                })
            })
        })
    };
    for phrase in [
        &[("a", 0), ("b", 1)][..],
        &[("b", 0), ("a", 1)],
        &[("a", 0), ("a", 1), ("b", 2)],
        &[("bb", 0), ("a", 1), ("b", 2)],
        &[("bb", 0), ("b", 1)],
    ] {
        assert_eq!(rows(index.phrase(phrase, &|| true)), stands(phrase), "{phrase:?}");
    }
    assert!(stands(&[("a", 0), ("b", 1)]).last().unwrap() > &(count as u32 - 10));
}
