use std::collections::BTreeSet;
use std::ops::Bound;

use proptest::prelude::*;
use vdb_vfs::{Disk, MemDisk};

use super::*;
use crate::postings::{Builder, Kind};

const ROWS: u32 = 300;
const PATH: &str = "index";

/// Whether the numbers of one element are wanted.
type Wanted<'a> = Box<dyn Fn(&BTreeSet<i64>) -> bool + 'a>;

/// A row, an element of it, a number in that.
type Values = Vec<(u32, u32, i64)>;

fn values() -> impl Strategy<Value = Values> {
    let element = prop_oneof![8 => 0_u32..4, 1 => 60_u32..70];
    prop::collection::vec((0..ROWS, element, 0_i64..6), 0..2000)
}

fn write(values: &Values, rows: u32) -> MemDisk {
    let disk = MemDisk::new();
    let mut builder = Builder::with_elements(Kind::Integer);
    for &(row, element, number) in values {
        builder.push_in(row, element, Key::Integer(number));
    }
    builder.finish(&disk, PATH, rows).unwrap();
    disk
}

fn matching(values: &Values, wanted: impl Fn(&BTreeSet<i64>) -> bool) -> BTreeSet<u32> {
    let mut all = std::collections::BTreeMap::<(u32, u32), BTreeSet<i64>>::new();
    for &(row, element, number) in values {
        all.entry((row, element)).or_default().insert(number);
    }
    all.into_iter()
        .filter(|(_, numbers)| wanted(numbers))
        .map(|((row, _), _)| row)
        .collect()
}

/// Rows in which it is sure that one element is in all of `all`, in one of `any` and in none of `none`; and those of which nothing is.
fn found<'a>(
    [all, any, none]: [Vec<Elements<'a>>; 3],
    possible: &RowSet,
) -> Result<(BTreeSet<u32>, BTreeSet<u32>)> {
    let unsure = RowSet::new();
    let query = ElementQuery {
        all,
        any,
        none,
        unsure,
    };
    query.bytes()?;
    let (sure, unsure) = query.rows(possible, &|| true)?;
    Ok((sure.iter().collect(), unsure.iter().collect()))
}

proptest! {
    #[test]
    fn what_one_element_satisfies_is_found(
        values in values(), a in 0_i64..6, b in 0_i64..6, left in prop::collection::btree_set(0..ROWS, 0..9),
    ) {
        let index = PostingsFile::open(&write(&values, ROWS), PATH, ROWS).unwrap();
        prop_assert!(index.has_elements());
        let has = |number| index.elements_with([Key::Integer(number)]).unwrap();
        let range = || index.elements_within(Bound::Included(Key::Integer(a)), Bound::Unbounded).unwrap();
        let other = || index.elements_without([Key::Integer(a), Key::Integer(b)]).unwrap();
        type Case<'a> = ([Vec<Elements<'a>>; 3], Wanted<'a>);
        let cases = || -> [Case<'_>; 7] {
            [
                ([vec![has(a), has(b)], vec![], vec![]], Box::new(|of| of.contains(&a) && of.contains(&b))),
                ([vec![], vec![has(a), has(b)], vec![]], Box::new(|of| of.contains(&a) || of.contains(&b))),
                ([vec![], vec![has(a).or(has(b))], vec![]], Box::new(|of| of.contains(&a) || of.contains(&b))),
                ([vec![has(a)], vec![], vec![has(b)]], Box::new(|of| of.contains(&a) && !of.contains(&b))),
                ([vec![range(), has(b)], vec![], vec![]], Box::new(|of| of.iter().any(|of| *of >= a) && of.contains(&b))),
                ([vec![other()], vec![], vec![]], Box::new(|of| of.iter().any(|of| *of != a && *of != b))),
                ([vec![range()], vec![has(a), other()], vec![has(b)]], Box::new(|of| {
                    of.iter().any(|of| *of >= a)
                        && (of.contains(&a) || of.iter().any(|of| *of != a && *of != b))
                        && !of.contains(&b)
                })),
            ]
        };
        // In doubt are rows with an element beyond the marks, and no others.
        let far: BTreeSet<u32> = values.iter().filter(|(_, element, _)| *element >= 64).map(|(row, ..)| *row).collect();
        for possible in [RowSet::all(ROWS), left.iter().copied().collect()] {
            for (asked, wanted) in cases() {
                let (sure, unsure) = found(asked, &possible).unwrap();
                let expected = matching(&values, wanted);
                prop_assert!(sure.is_subset(&expected));
                let is_told = |row: &u32| !possible.contains(*row) || sure.contains(row) || unsure.contains(row);
                prop_assert!(expected.iter().all(is_told));
                prop_assert!(unsure.is_subset(&far));
            }
        }
        // Rows of a value are what they are without elements.
        let plain: BTreeSet<u32> = values.iter().filter(|(.., number)| *number == a).map(|(row, ..)| *row).collect();
        prop_assert_eq!(index.equals(Key::Integer(a)).unwrap().iter().collect::<BTreeSet<_>>(), plain);
    }

    #[test]
    fn damage_is_an_error_or_rows_of_the_segment(values in values(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = write(&values, ROWS).map(PATH).unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let disk = MemDisk::new();
        disk.create(PATH).unwrap().write_all_at(&bytes, 0).unwrap();
        if let Ok(index) = PostingsFile::open(&disk, PATH, ROWS) {
            for asked in [index.elements_without([]), index.elements_with([Key::Integer(3)])].into_iter().flatten() {
                if let Ok((sure, unsure)) = found([vec![asked], vec![], vec![]], &RowSet::all(ROWS)) {
                    prop_assert!(sure.iter().chain(&unsure).all(|row| *row < ROWS));
                }
            }
        }
    }
}

/// Rows of five windows.
const MANY: u32 = 5000;

/// Keys of few rows, some of which end before the first window that is possible or begin in one that is not.
#[test]
fn keys_of_few_rows_are_read_from_the_windows_that_are_possible() {
    const COMMON: i64 = 9;
    // Those of one key each, in one of three elements.
    let of_keys: [Vec<u32>; 4] = [
        (0..100).collect(),
        (890..1040).collect(),
        (2000..2129).collect(),
        (0..MANY).step_by(40).collect(),
    ];
    let mut values = Values::new();
    for (number, rows) in (0_i64..).zip(&of_keys) {
        values.extend(rows.iter().map(|row| (*row, row % 3, number)));
    }
    values.extend((0..MANY).flat_map(|row| [(row, 0, COMMON), (row, 1, COMMON)]));
    // Elements without marks, in rows that have the last of these keys in others or do not.
    let far = [(1030, 64), (2100, 70), (4520, 64)];
    values.extend(far.map(|(row, element)| (row, element, 3)));
    // And keys of a row each, in turns with a mark and without.
    let own = 4600..4700_u32;
    let element = |row: u32| if row.is_multiple_of(2) { 1 } else { 65 };
    values.extend(own.clone().map(|row| (row, element(row), 1000 + i64::from(row))));
    let index = PostingsFile::open(&write(&values, MANY), PATH, MANY).unwrap();
    let has = |number| index.elements_with([Key::Integer(number)]).unwrap();
    let sets: [RowSet; 5] = [
        RowSet::all(MANY),
        (4096..MANY).collect(),
        (1024..2048).chain(4096..MANY).collect(),
        (2048..3072).collect(),
        (1024..1100).chain([4520]).collect(),
    ];
    for number in 0..4 {
        let listed = index.equals(Key::Integer(number)).unwrap();
        assert!(matches!(listed, RowSet::List(_)), "{number}");
        let expected = matching(&values, |of| of.contains(&number) && of.contains(&COMMON));
        assert!(!expected.is_empty());
        for possible in &sets {
            let asked = [vec![has(number), has(COMMON)], vec![], vec![]];
            let (mut sure, mut unsure) = found(asked, possible).unwrap();
            sure.retain(|row| possible.contains(*row));
            unsure.retain(|row| possible.contains(*row));
            let far = far.iter().map(|(row, _)| *row);
            let in_doubt: BTreeSet<u32> = far.filter(|row| number == 3 && possible.contains(*row)).collect();
            assert_eq!(unsure, in_doubt, "{number}");
            let mut told = expected.clone();
            told.retain(|row| possible.contains(*row) && !in_doubt.contains(row));
            assert_eq!(sure, told, "{number}");
        }
    }
    let many = index.elements_within(Bound::Included(Key::Integer(1000)), Bound::Unbounded);
    let asked = [vec![many.unwrap(), has(COMMON)], vec![], vec![]];
    let (sure, unsure) = found(asked, &RowSet::all(MANY)).unwrap();
    let in_element = |wanted: u32| -> BTreeSet<u32> {
        let rows = own.clone();
        rows.filter(|row| element(*row) == wanted).collect()
    };
    assert_eq!(sure, in_element(1));
    assert_eq!(unsure, in_element(65));
}

/// Many rows of each of a few values, and each row of a value of its own: side by side, and by marks made beforehand.
#[test]
fn rows_of_several_windows_are_found_among_those_that_are_possible() {
    let write = |name: &str, of: &dyn Fn(u32, u32) -> i64| {
        let disk = MemDisk::new();
        let mut builder = Builder::with_elements(Kind::Integer);
        for row in 0..MANY {
            for element in 0..3 {
                builder.push_in(row, element, Key::Integer(of(row, element)));
            }
        }
        builder.finish(&disk, name, MANY).unwrap();
        PostingsFile::open(&disk, name, MANY).unwrap()
    };
    let few = |row: u32, element: u32| i64::from((row / 3 + 2 * element) % 4);
    let many = |row: u32, element: u32| i64::from(row * 7 + element * 11);
    let (small, large) = (write("few", &few), write("many", &many));
    let asked = || {
        let either = small.elements_with([Key::Integer(1), Key::Integer(2)]);
        let range = large.elements_within(Bound::Included(Key::Integer(10_000)), Bound::Unbounded);
        (either.unwrap(), range.unwrap())
    };
    let sets: [RowSet; 4] = [
        RowSet::all(MANY),
        (0..MANY).filter(|row| row % 700 == 3).collect(),
        (3 * 1024..3 * 1024 + 64).collect(),
        [1, MANY - 1].into_iter().collect(),
    ];
    for possible in sets {
        let (either, range) = asked();
        let (sure, unsure) = found([vec![either, range], vec![], vec![]], &possible).unwrap();
        let expected = |row: &u32| {
            (0..3).any(|element| [1, 2].contains(&few(*row, element)) && many(*row, element) >= 10_000)
        };
        let expected: BTreeSet<u32> = possible.iter().filter(expected).collect();
        assert!(!expected.is_empty() && unsure.is_empty());
        let sure: BTreeSet<u32> = sure.into_iter().filter(|row| possible.contains(*row)).collect();
        assert_eq!(sure, expected);
    }
    let stopped = std::cell::Cell::new(0);
    let (either, range) = asked();
    let query = ElementQuery {
        all: vec![either, range],
        ..ElementQuery::default()
    };
    let outcome = query.rows(&RowSet::all(MANY), &|| {
        stopped.set(stopped.get() + 1);
        stopped.get() < 3
    });
    assert!(matches!(outcome, Err(Error::Cancelled)));
}
