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

fn write(values: &Values) -> MemDisk {
    let disk = MemDisk::new();
    let mut builder = Builder::with_elements(Kind::Integer);
    for &(row, element, number) in values {
        builder.push_in(row, element, Key::Integer(number));
    }
    builder.finish(&disk, PATH, ROWS).unwrap();
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

proptest! {
    #[test]
    fn what_one_element_satisfies_is_found(values in values(), a in 0_i64..6, b in 0_i64..6) {
        let index = PostingsFile::open(&write(&values), PATH, ROWS).unwrap();
        prop_assert!(index.has_elements());
        let has = |number| index.elements_with([Key::Integer(number)]).unwrap();
        let range = index.elements_within(Bound::Included(Key::Integer(a)), Bound::Unbounded).unwrap();
        let other = index.elements_without([Key::Integer(a), Key::Integer(b)]).unwrap();
        let cases: [(Elements, Wanted<'_>); 5] = [
            (has(a).and(&has(b)), Box::new(|of| of.contains(&a) && of.contains(&b))),
            (has(a).or(&has(b)), Box::new(|of| of.contains(&a) || of.contains(&b))),
            (has(a).minus(&has(b)), Box::new(|of| of.contains(&a) && !of.contains(&b))),
            (range.and(&has(b)), Box::new(|of| of.iter().any(|of| *of >= a) && of.contains(&b))),
            (other, Box::new(|of| of.iter().any(|of| *of != a && *of != b))),
        ];
        for (found, wanted) in cases {
            let expected = matching(&values, wanted);
            let (sure, unsure) = found.rows();
            prop_assert!(sure.iter().all(|row| expected.contains(&row)));
            prop_assert!(expected.iter().all(|row| sure.contains(*row) || unsure.contains(*row)));
            // In doubt are rows with an element beyond the marks, and no others.
            let far: BTreeSet<u32> = values.iter().filter(|(_, element, _)| *element >= 64).map(|(row, ..)| *row).collect();
            prop_assert!(unsure.iter().all(|row| far.contains(&row)));
        }
        // Rows of a value are what they are without elements.
        let plain: BTreeSet<u32> = values.iter().filter(|(.., number)| *number == a).map(|(row, ..)| *row).collect();
        prop_assert_eq!(index.equals(Key::Integer(a)).unwrap().iter().collect::<BTreeSet<_>>(), plain);
    }

    #[test]
    fn damage_is_an_error_or_rows_of_the_segment(values in values(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = write(&values).map(PATH).unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let disk = MemDisk::new();
        disk.create(PATH).unwrap().write_all_at(&bytes, 0).unwrap();
        if let Ok(index) = PostingsFile::open(&disk, PATH, ROWS) {
            for found in [index.elements_without([]), index.elements_with([Key::Integer(3)])].into_iter().flatten() {
                let (sure, unsure) = found.rows();
                prop_assert!(sure.max().max(unsure.max()).is_none_or(|row| row < ROWS));
            }
        }
    }
}
