use std::sync::Arc;

use vdb_index::postings::Builder;
use vdb_vfs::MemDisk;

use super::*;

/// An index of the kind integer in which key `n` has as many rows as the list says; rows may have several.
fn index(rows: u32, sizes: &[u32], several: bool) -> PostingsFile {
    let disk = Arc::new(MemDisk::new());
    let mut builder = Builder::new(Kind::Integer);
    let mut next = 0;
    for (key, &size) in (0i64..).zip(sizes) {
        for row in next..next + size {
            builder.push(row % rows, Key::Integer(key));
        }
        next += if several { 0 } else { size };
    }
    builder.finish(&*disk, "index", rows).unwrap();
    PostingsFile::open(&*disk, "index", rows).unwrap()
}

fn chosen(rows: u32, sizes: &[u32], several: bool) -> Vec<u32> {
    choose(&index(rows, sizes, several), MIN_ROWS, rows, &Control::none()).unwrap()
}

#[test]
fn values_of_too_few_or_too_many_rows_are_left_out_and_large_ones_come_first() {
    // 8,000 of 20,000 rows are a share of 0.4.
    assert_eq!(chosen(20_000, &[2_047, 2_048, 5_000, 8_000], false), [3, 2, 1]);
    assert_eq!(chosen(19_999, &[2_047, 2_048, 5_000, 8_000], false), [2, 1]);
    assert!(chosen(5_000, &[2_040, 2_047], false).is_empty());
}

#[test]
fn rows_of_several_values_count_twice_at_most() {
    let seven = [4_000; 7];
    assert_eq!(chosen(10_000, &seven, true), [0, 1, 2, 3, 4]);
}

#[test]
fn labels_tell_indexes_and_values_apart() {
    let labels = [
        label(1, Key::Term("a")),
        label(2, Key::Term("a")),
        label(1, Key::Term("b")),
        label(3, Key::Integer(5)),
        label(3, Key::Integer(-5)),
        label(4, Key::Bool(true)),
        label(4, Key::Bool(false)),
        label(5, Key::Uuid([7; 16])),
    ];
    let labels: Vec<Vec<u8>> = labels.into_iter().map(Option::unwrap).collect();
    let mut different = labels.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), labels.len());
    assert_eq!(index_of(&labels[3]), Some(3));
    assert_eq!(index_of(b"x"), None);
    assert_eq!(label(1, Key::Float(1.0)), None);
}
