use std::collections::BTreeSet;

use proptest::prelude::*;
use vdb_vfs::MemDisk;

use super::super::{Builder, Class, Key, Kind, PostingsFile, TextBuilder};

const ROWS: u32 = 400;

/// What the paths of a row lead to: the numbers of values of its nodes.
fn nodes() -> impl Strategy<Value = Vec<Vec<u64>>> {
    let few = prop::collection::vec(
        prop_oneof![3 => 0_u64..3, 1 => 0_u64..9, 1 => Just(u64::from(u32::MAX))],
        0..4,
    );
    prop::collection::vec(few, ROWS as usize)
}

proptest! {
    #[test]
    fn rows_by_number_are_those_of_the_nodes(all in nodes(), wanted in prop::collection::btree_set(0_u64..9, 0..5)) {
        let (values_disk, texts_disk) = (MemDisk::new(), MemDisk::new());
        let (mut values, mut texts) = (Builder::new(Kind::Integer), TextBuilder::new(1));
        for (row, nodes) in (0..).zip(&all) {
            for &node in nodes {
                values.values(row, node);
                texts.values(row, node);
                if node > 0 {
                    values.push(row, Key::Integer(7));
                    texts.filled(row);
                }
            }
        }
        values.finish(&values_disk, "values", ROWS).unwrap();
        texts.finish(&texts_disk, "texts", ROWS).unwrap();
        let expected: BTreeSet<u32> = (0..)
            .zip(&all)
            .filter(|(_, nodes)| nodes.iter().any(|node| *node > 0))
            .filter(|(_, nodes)| nodes.iter().any(|node| wanted.contains(node)))
            .map(|(row, _)| row)
            .collect();
        for index in [PostingsFile::open(&values_disk, "values", ROWS), PostingsFile::open(&texts_disk, "texts", ROWS)] {
            let index = index.unwrap();
            let is_wanted = |number: u64| wanted.contains(&number);
            let found = index.with_values(&is_wanted, &|| true).unwrap();
            let stopped = index.with_values(&is_wanted, &|| false);
            prop_assert!(index.counts() == 0 || matches!(stopped, Err(crate::Error::Cancelled)));
            prop_assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected.clone());
            let estimate = index.estimate_with_values(&is_wanted);
            prop_assert!((estimate.min..=estimate.max).contains(&found.len()), "{:?} {}", estimate, found.len());
            let filled = index.class(Class::Filled).unwrap();
            prop_assert_eq!(filled.len(), all.iter().filter(|nodes| nodes.iter().any(|node| *node > 0)).count() as u64);
        }
    }
}

#[test]
fn a_row_that_the_segment_does_not_have_is_refused() {
    let mut values = Builder::new(Kind::Integer);
    values.values(3, 0);
    assert!(values.finish(&MemDisk::new(), "values", 3).is_err());
    let mut texts = TextBuilder::new(1);
    texts.values(3, 2);
    assert!(texts.finish(&MemDisk::new(), "texts", 3).is_err());
}
