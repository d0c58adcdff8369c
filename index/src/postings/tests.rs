use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use crate::RowSet;
use proptest::prelude::*;
use vdb_vfs::{Disk, MemDisk};

use super::{Builder, Class, Estimate, Key, Kind, PostingsFile, TextBuilder};

const PATH: &str = "index";

fn write(builder: Builder, rows: u32) -> MemDisk {
    let disk = MemDisk::new();
    builder.finish(&disk, PATH, rows).unwrap();
    disk
}

fn built(kind: Kind, rows: u32, fill: impl FnOnce(&mut Builder)) -> PostingsFile {
    let mut builder = Builder::new(kind);
    fill(&mut builder);
    PostingsFile::open(&write(builder, rows), PATH, rows).unwrap()
}

fn rows(found: crate::Result<RowSet>) -> Vec<u32> {
    found.unwrap().iter().collect()
}

#[test]
fn keywords_match_whole_terms_and_prefixes() {
    let index = built(Kind::Keyword, 10, |index| {
        for (row, term) in [
            (0, "verb"),
            (3, "noun"),
            (3, "verb"),
            (5, "nouns"),
            (7, ""),
            (9, "noun"),
            (9, "noun"),
        ] {
            index.push(row, Key::Term(term));
        }
    });
    assert_eq!((index.keys(), index.entries()), (4, 6));
    assert_eq!(rows(index.equals(Key::Term("noun"))), [3, 9]);
    assert_eq!(rows(index.equals(Key::Term(""))), [7]);
    assert_eq!(rows(index.equals(Key::Term("nou"))), [0; 0]);
    assert_eq!(rows(index.equals(Key::Integer(1))), [0; 0]);
    assert_eq!(
        rows(index.any_of([
            Key::Term("verb"),
            Key::Term("x"),
            Key::Term("noun"),
            Key::Term("verb")
        ])),
        [0, 3, 9]
    );
    assert_eq!(rows(index.any_of([])), [0; 0]);
    assert_eq!(rows(index.prefix("nou")), [3, 5, 9]);
    assert_eq!(rows(index.prefix("nouns")), [5]);
    assert_eq!(rows(index.prefix("z")), [0; 0]);
    assert_eq!(rows(index.prefix("")), [0, 3, 5, 7, 9]);
    assert_eq!(
        rows(index.range(Bound::Excluded(Key::Term("noun")), Bound::Unbounded)),
        [0, 3, 5]
    );
    assert_eq!(rows(index.class(Class::Multiple)), [3]);
    assert_eq!(
        index.estimate_equals(Key::Term("noun")).unwrap(),
        Estimate::exactly(2)
    );
    assert_eq!(
        index.estimate_equals(Key::Term("x")).unwrap(),
        Estimate::exactly(0)
    );
}

#[test]
fn uuids_match_by_their_bytes_and_in_their_order() {
    let uuid = |first: u8| {
        Key::Uuid(
            [
                [first, 0xff],
                [0; 2],
                [7; 2],
                [0; 2],
                [0; 2],
                [0; 2],
                [0; 2],
                [first; 2],
            ]
            .concat()
            .try_into()
            .unwrap(),
        )
    };
    let index = built(Kind::Uuid, 5, |index| {
        for (row, key) in [(0, uuid(9)), (1, uuid(200)), (3, uuid(9)), (3, uuid(0))] {
            index.push(row, key);
        }
        index.push(4, Key::Term("9"));
    });
    assert_eq!((index.keys(), index.entries()), (3, 4));
    assert_eq!(rows(index.equals(uuid(9))), [0, 3]);
    assert_eq!(rows(index.equals(uuid(8))), [0; 0]);
    assert_eq!(rows(index.any_of([uuid(200), uuid(0)])), [1, 3]);
    assert_eq!(
        rows(index.range(Bound::Excluded(uuid(0)), Bound::Excluded(uuid(200)))),
        [0, 3]
    );
    assert_eq!(rows(index.prefix("")), [0; 0]);
    assert_eq!(rows(index.class(Class::Foreign)), [4]);
}

#[test]
fn cells_are_found_by_ranges_of_their_numbers() {
    let cells = [5, 9, 1 << 63, u64::MAX];
    let index = built(Kind::Geo, 6, |index| {
        for (row, cell) in (0..).zip(cells) {
            index.push(row, Key::Cell(cell));
            index.push(5, Key::Cell(cell));
        }
        index.push(4, Key::Integer(5));
    });
    assert_eq!([0, 1, 2, 3].map(|number| index.cell(number)), cells);
    assert_eq!(index.first_cell_from(6, &(0..4)).unwrap(), 1);
    assert_eq!(index.first_cell_from(9, &(0..4)).unwrap(), 1);
    assert_eq!(index.first_cell_from(0, &(2..3)).unwrap(), 2);
    assert_eq!(index.first_cell_from(u64::MAX, &(0..3)).unwrap(), 3);
    assert_eq!(rows(index.rows_of(&[0..1, 2..4])), [0, 2, 3, 5]);
    assert_eq!(rows(index.equals(Key::Cell(9))), [1, 5]);
    assert_eq!(rows(index.class(Class::Foreign)), [4]);
    let estimate = index.estimate_rows_of(&[1..2, 2..3]).unwrap();
    assert!(estimate.min <= 3 && estimate.max >= 3, "{estimate:?}");
}

#[test]
fn integers_match_by_range_with_every_kind_of_bound() {
    let index = built(Kind::Integer, 6, |index| {
        for (row, number) in [(0, 5), (1, i64::MIN), (2, i64::MAX), (3, 5), (4, -1), (5, 7)] {
            index.push(row, Key::Integer(number));
        }
    });
    let (included, excluded) = (
        |n| Bound::Included(Key::Integer(n)),
        |n| Bound::Excluded(Key::Integer(n)),
    );
    assert_eq!(rows(index.range(included(5), included(7))), [0, 3, 5]);
    assert_eq!(rows(index.range(excluded(5), included(7))), [5]);
    assert_eq!(rows(index.range(included(5), excluded(7))), [0, 3]);
    assert_eq!(rows(index.range(included(6), Bound::Unbounded)), [2, 5]);
    assert_eq!(rows(index.range(Bound::Unbounded, excluded(5))), [1, 4]);
    assert_eq!(rows(index.range(included(8), included(1))), [0; 0]);
    assert_eq!(rows(index.range(excluded(5), excluded(5))), [0; 0]);
    assert_eq!(
        rows(index.range(Bound::Included(Key::Float(1.0)), Bound::Unbounded)),
        [0; 0]
    );
    assert_eq!(
        rows(index.range(Bound::Unbounded, Bound::Unbounded)),
        [0, 1, 2, 3, 4, 5]
    );
    assert_eq!(rows(index.prefix("5")), [0; 0]);
    assert_eq!(
        index.estimate_range(included(5), included(7)).unwrap(),
        Estimate::exactly(3)
    );
}

#[test]
fn rows_with_several_of_many_keys_are_looked_for_until_nobody_wants_them() {
    let index = built(Kind::Integer, 40, |index| {
        for row in 0..40_u32 {
            index.push(row, Key::Integer(row.into()));
            if row.is_multiple_of(10) {
                index.push(row, Key::Integer(i64::from(row) + 1));
            }
        }
    });
    let keys = || (0..40).map(Key::Integer);
    let asked = Cell::new(0);
    let until = |most: u32| {
        asked.set(0);
        index.one_and_several_of(keys(), &|| {
            asked.set(asked.get() + 1);
            asked.get() <= most
        })
    };
    let (one, several) = until(u32::MAX).unwrap();
    assert_eq!(one.len(), 36);
    assert_eq!(rows(Ok(several)), [0, 10, 20, 30]);
    // While they are looked up, and while their rows are read.
    let all = asked.get();
    assert_eq!(all, 80);
    for most in [0, 20, 40, 60, all - 1] {
        assert!(matches!(until(most), Err(crate::Error::Cancelled)), "{most}");
        assert_eq!(asked.get(), most + 1);
    }
}

#[test]
fn floats_order_across_zero_and_zeros_are_equal() {
    let index = built(Kind::Float, 8, |index| {
        let numbers = [0.0, -0.0, -1.5, 1e300, f64::NEG_INFINITY, 1e-310, f64::NAN];
        for (row, number) in (0..).zip(numbers) {
            index.push(row, Key::Float(number));
        }
    });
    assert_eq!(rows(index.equals(Key::Float(-0.0))), [0, 1]);
    assert_eq!(
        rows(index.range(
            Bound::Excluded(Key::Float(-1.5)),
            Bound::Included(Key::Float(1.0))
        )),
        [0, 1, 5]
    );
    assert_eq!(
        rows(index.range(Bound::Unbounded, Bound::Excluded(Key::Float(0.0)))),
        [2, 4]
    );
    assert_eq!(
        rows(index.range(Bound::Included(Key::Float(f64::NAN)), Bound::Unbounded)),
        [0; 0]
    );
    assert_eq!(rows(index.class(Class::Foreign)), [6]);
}

#[test]
fn booleans_and_datetimes_are_kinds_of_their_own() {
    let index = built(Kind::Bool, 3, |index| {
        index.push(0, Key::Bool(true));
        index.push(1, Key::Bool(false));
        index.push(2, Key::Integer(1));
    });
    assert_eq!(rows(index.equals(Key::Bool(true))), [0]);
    assert_eq!(rows(index.equals(Key::Integer(1))), [0; 0]);
    let index = built(Kind::Datetime, 2, |index| {
        index.push(1, Key::Datetime(-7));
        index.push(0, Key::Integer(-7));
    });
    assert_eq!(rows(index.equals(Key::Datetime(-7))), [1]);
    assert_eq!(rows(index.class(Class::Foreign)), [0]);
}

#[test]
fn classes_say_what_the_keys_leave_out() {
    let index = built(Kind::Integer, 9, |index| {
        index.push(1, Key::Integer(1));
        index.push(1, Key::Integer(1));
        index.push(2, Key::Integer(1));
        index.push(2, Key::Integer(2));
        index.push(3, Key::Term("x"));
        index.null(2);
        index.null(4);
        index.filled(5);
    });
    assert_eq!(rows(index.present()), [1, 2]);
    assert_eq!(rows(index.class(Class::Multiple)), [2]);
    assert_eq!(rows(index.class(Class::Foreign)), [3]);
    assert_eq!(rows(index.class(Class::Null)), [2, 4]);
    assert_eq!(rows(index.class(Class::Filled)), [1, 2, 3, 5]);
    assert_eq!(index.class_len(Class::Filled), 4);
}

#[test]
fn an_index_without_values_is_a_file_like_any_other() {
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Text) {
        let index = built(kind, 0, |_| {});
        assert_eq!((index.keys(), index.entries(), index.kind()), (0, 0, kind));
        assert_eq!(rows(index.range(Bound::Unbounded, Bound::Unbounded)), [0; 0]);
        assert_eq!(rows(index.present()), [0; 0]);
        assert_eq!(index.estimate_prefix("").unwrap(), Estimate::exactly(0));
    }
}

#[test]
fn frequent_keys_become_bitmaps_and_rare_ones_stay_plain() {
    let all = 40_000;
    let index = built(Kind::Integer, all, |index| {
        for row in 0..all {
            // One key in half of the rows, one in a tenth, the others in a row each.
            let number = if row % 2 == 0 {
                -1
            } else if row % 5 == 0 {
                i64::from(all) + 1
            } else {
                i64::from(row)
            };
            index.push(row, Key::Integer(number));
        }
    });
    let even: Vec<u32> = (0..all).step_by(2).collect();
    assert_eq!(rows(index.equals(Key::Integer(-1))), even);
    assert_eq!(rows(index.equals(Key::Integer(21))), [21]);
    assert_eq!(
        index.estimate_equals(Key::Integer(i64::from(all) + 1)).unwrap(),
        Estimate::exactly(4000)
    );
    let low = index
        .range(Bound::Unbounded, Bound::Included(Key::Integer(9)))
        .unwrap();
    assert_eq!(low.len(), 20_000 + 4);
    assert_eq!(
        index.range(Bound::Unbounded, Bound::Unbounded).unwrap().len(),
        u64::from(all)
    );
    // 16 bytes for each of the 16000 rare values, a bit a row for the others and the classes.
    assert!(index.info().len < 16 * 16_000 + 20_000, "{}", index.info().len);
}

#[test]
fn rows_beyond_the_segment_are_refused_when_writing() {
    let disk = MemDisk::new();
    let mut builder = Builder::new(Kind::Bool);
    builder.push(3, Key::Bool(true));
    assert!(
        builder
            .finish(&disk, PATH, 3)
            .unwrap_err()
            .to_string()
            .contains("row is 3")
    );
    let mut builder = Builder::new(Kind::Bool);
    builder.null(3);
    assert!(builder.finish(&disk, PATH, 3).is_err());
}

#[test]
fn a_file_of_another_segment_or_kind_is_refused() {
    let disk = write(Builder::new(Kind::Bool), 3);
    assert!(
        PostingsFile::open(&disk, PATH, 4)
            .unwrap_err()
            .to_string()
            .contains("of 3 rows, expected 4")
    );
    assert!(PostingsFile::open(&disk, "other", 3).is_err());
    disk.create(PATH)
        .unwrap()
        .write_all_at(
            b"something else entirely, longer than a prelude is, by some bytes",
            0,
        )
        .unwrap();
    assert!(PostingsFile::open(&disk, PATH, 3).is_err());
}

#[test]
fn the_same_values_in_any_order_give_the_same_bytes() {
    let file = |pairs: &[(u32, &str)]| {
        let mut builder = Builder::new(Kind::Keyword);
        for (row, term) in pairs {
            builder.push(*row, Key::Term(term));
        }
        write(builder, 5).map(PATH).unwrap().to_vec()
    };
    let pairs = [(0, "b"), (1, "a"), (2, "b"), (2, "c")];
    let mut reversed = pairs;
    reversed.reverse();
    assert_eq!(file(&pairs), file(&reversed));
}

#[test]
fn memory_held_grows_with_the_pairs_and_the_terms() {
    let mut builder = Builder::new(Kind::Keyword);
    for row in 0..10_000 {
        builder.push(row, Key::Term(["noun", "verb"][(row % 2) as usize]));
    }
    assert!(
        (80_000..200_000).contains(&builder.bytes()),
        "{}",
        builder.bytes()
    );
}

/// Asks everything that can be asked; what comes back is not looked at.
fn exercise(index: &PostingsFile) {
    let keys = [
        Key::Term("m"),
        Key::Term(""),
        Key::Integer(3),
        Key::Float(3.0),
        Key::Bool(true),
        Key::Datetime(3),
    ];
    for key in keys {
        let _ = (index.equals(key), index.estimate_equals(key));
        for other in keys {
            let _ = index.range(Bound::Included(key), Bound::Excluded(other));
            let _ = index.estimate_range(Bound::Excluded(key), Bound::Included(other));
        }
    }
    let _ = (
        index.any_of(keys),
        index.estimate_any_of(keys),
        index.prefix("m"),
        index.estimate_prefix(""),
    );
    let _ = (index.all_of(["m", "n"]), index.estimate_all_of(["m", "n"]));
    let _ = index.phrase(&[("m", 0), ("n", 1), ("m", 3)], &|| true);
    let _ = (index.occurrences("m"), index.text_length(1));
    let _ = index.range(Bound::Unbounded, Bound::Unbounded);
    for class in Class::ALL {
        let _ = index.class(class);
    }
}

/// Files of every layout, small enough that every bit of them can be flipped.
fn small_files() -> Vec<(u32, Vec<u8>)> {
    Kind::ALL
        .into_iter()
        .map(|kind| {
            if kind == Kind::Text {
                return (220, small_text());
            }
            let mut builder = Builder::new(kind);
            for row in 0..200 {
                builder.push(row, Key::Term(["m", "n", "other"][(row % 3) as usize]));
                builder.push(row, Key::Integer(i64::from(row % 3)));
                builder.push(row, Key::Float(f64::from(row % 3)));
                builder.push(row, Key::Bool(row % 3 == 0));
                builder.push(row, Key::Datetime(i64::from(row % 3)));
            }
            for number in 0..20 {
                builder.push(number, Key::Integer(100 + i64::from(number)));
            }
            builder.null(7);
            (220, write(builder, 220).map(PATH).unwrap().to_vec())
        })
        .collect()
}

fn small_text() -> Vec<u8> {
    let disk = MemDisk::new();
    let mut builder = TextBuilder::new(3);
    for row in 0..200 {
        for (position, token) in (0..).zip(["m", "n", "other", "m"]).take(row as usize % 5) {
            builder.token(row, token, position);
        }
    }
    builder.null(7);
    builder.finish(&disk, PATH, 220).unwrap();
    disk.map(PATH).unwrap().to_vec()
}

fn open_bytes(bytes: &[u8], rows: u32) -> crate::Result<PostingsFile> {
    let disk = MemDisk::new();
    disk.create(PATH)?.write_all_at(bytes, 0)?;
    PostingsFile::open(&disk, PATH, rows)
}

#[test]
fn a_flipped_bit_anywhere_never_panics_and_verification_finds_it() {
    for (rows, bytes) in small_files() {
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            let disk = MemDisk::new();
            disk.create(PATH).unwrap().write_all_at(&damaged, 0).unwrap();
            if let Ok(index) = PostingsFile::open(&disk, PATH, rows) {
                exercise(&index);
                assert!(index.verify(&disk).is_err(), "byte {at} of {:?}", index.kind());
            }
        }
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    for (rows, bytes) in small_files() {
        for len in 0..bytes.len() {
            assert!(open_bytes(&bytes[..len], rows).is_err());
        }
    }
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![5 => -8_i64..8, 1 => any::<i64>()]
}

proptest! {
    #[test]
    fn every_query_agrees_with_a_map_from_keys_to_rows(
        pairs in proptest::collection::vec((0_u32..5000, number()), 0..600),
        dense in proptest::collection::vec((0_u32..5000, 0_i64..3), 0..3000),
        bounds in proptest::collection::vec((number(), number()), 1..12),
    ) {
        let mut model: BTreeMap<i64, BTreeSet<u32>> = BTreeMap::new();
        let index = built(Kind::Integer, 5000, |index| {
            for (row, key) in pairs.iter().chain(&dense) {
                index.push(*row, Key::Integer(*key));
                model.entry(*key).or_default().insert(*row);
            }
        });
        let union = |keys: &[i64]| -> Vec<u32> {
            let found: BTreeSet<u32> = keys.iter().filter_map(|key| model.get(key)).flatten().copied().collect();
            found.into_iter().collect()
        };
        let holds = |estimate: Estimate, found: usize| {
            let Estimate { min, expected, max } = estimate;
            min <= expected && expected <= max && (min..=max).contains(&(found as u64))
        };
        for (a, b) in bounds {
            let expected = union(&[a]);
            prop_assert!(holds(index.estimate_equals(Key::Integer(a)).unwrap(), expected.len()));
            prop_assert_eq!(rows(index.equals(Key::Integer(a))), expected);

            let expected = union(&[a, b, 2]);
            let keys = [Key::Integer(b), Key::Integer(a), Key::Integer(2)];
            prop_assert!(holds(index.estimate_any_of(keys).unwrap(), expected.len()));
            prop_assert_eq!(rows(index.any_of(keys)), expected);

            let inside: Vec<i64> = model.keys().copied().filter(|key| *key > a && *key <= b).collect();
            let expected = union(&inside);
            let (start, end) = (Bound::Excluded(Key::Integer(a)), Bound::Included(Key::Integer(b)));
            prop_assert!(holds(index.estimate_range(start, end).unwrap(), expected.len()));
            prop_assert_eq!(rows(index.range(start, end)), expected);
        }
        let all: Vec<i64> = model.keys().copied().collect();
        prop_assert_eq!(rows(index.present()), union(&all));
    }

    #[test]
    fn keyword_ranges_and_prefixes_agree_with_sorted_strings(
        pairs in proptest::collection::vec((0_u32..300, "[a-c]{0,3}"), 0..200),
        (a, b) in ("[a-c]{0,3}", "[a-c]{0,3}"),
    ) {
        let index = built(Kind::Keyword, 300, |index| {
            pairs.iter().for_each(|(row, term)| index.push(*row, Key::Term(term)));
        });
        let matching = |wanted: &dyn Fn(&str) -> bool| -> Vec<u32> {
            let found: BTreeSet<u32> = pairs.iter().filter(|(_, term)| wanted(term)).map(|(row, _)| *row).collect();
            found.into_iter().collect()
        };
        prop_assert_eq!(rows(index.prefix(&a)), matching(&|term| term.starts_with(&a)));
        let range = index.range(Bound::Included(Key::Term(&a)), Bound::Excluded(Key::Term(&b)));
        prop_assert_eq!(rows(range), matching(&|term| term >= a.as_str() && term < b.as_str()));
    }
}
