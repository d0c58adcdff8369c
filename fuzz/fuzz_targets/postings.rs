//! Payload index files: whatever they hold, queries end in rows of the segment or in errors.
#![no_main]

use std::ops::Bound;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage_frame, disk_with};
use vdb_index::RowSet;
use vdb_index::postings::{Builder, Class, ElementQuery, Key, Kind, PostingsFile, TextBuilder};
use vdb_vfs::MemDisk;

const PATH: &str = "file";
const ROWS: u32 = 600;
const TERMS: [&str; 4] = ["", "noun", "verb", "zebra"];

fn key(kind: Kind, number: u32) -> Key<'static> {
    match kind {
        Kind::Keyword => Key::Term(TERMS[number as usize % TERMS.len()]),
        Kind::Integer => Key::Integer(i64::from(number % 50) - 25),
        Kind::Float => Key::Float(f64::from(number % 50) / 3.0 - 8.0),
        Kind::Bool => Key::Bool(number % 2 == 0),
        Kind::Datetime => Key::Datetime(i64::from(number % 50) << 40),
        Kind::Uuid => Key::Uuid([(number % 50) as u8; 16]),
        Kind::Geo => Key::Cell(u64::from(number % 50) << 58),
        Kind::Text => Key::Term(TERMS[number as usize % TERMS.len()]),
    }
}

static SOUND: LazyLock<Vec<(Kind, Vec<u8>)>> =
    LazyLock::new(|| Kind::ALL.into_iter().map(|kind| (kind, build(kind))).collect());

fn build(kind: Kind) -> Vec<u8> {
    let disk = MemDisk::new();
    if kind == Kind::Text {
        return build_texts(&disk);
    }
    let mut builder = Builder::with_elements(kind);
    for row in 0..ROWS {
        match row % 11 {
            0 => builder.null(row),
            1 => builder.foreign(row),
            2 => builder.filled(row),
            3 => {}
            _ => {
                builder.push(row, key(kind, row));
                builder.push_in(row, row % 90, key(kind, row / 7));
                builder.values(row, u64::from(row % 5));
            }
        }
    }
    builder.finish(&disk, PATH, ROWS).unwrap();
    bytes_of(&disk, PATH)
}

fn build_texts(disk: &MemDisk) -> Vec<u8> {
    let mut builder = TextBuilder::new(1);
    for row in 0..ROWS {
        match row % 11 {
            0 => builder.null(row),
            1 => builder.foreign(row),
            2 => builder.filled(row),
            3 => {}
            _ => {
                for position in 0..row % 7 {
                    let term = TERMS[(row * position) as usize % TERMS.len()];
                    builder.token(row, term, u64::from(position) << (row % 3 * 20));
                }
            }
        }
    }
    builder.finish(disk, PATH, ROWS).unwrap();
    bytes_of(disk, PATH)
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (kind, sound) = &SOUND[usize::from(input.byte()) % SOUND.len()];
    let disk = disk_with(PATH, &damage_frame(sound, &mut input));
    let Ok(file) = PostingsFile::open(&disk, PATH, ROWS) else {
        return;
    };
    let _ = file.verify(&disk);
    let mut answers = Vec::new();
    for number in [0, 1, 3, 17, 49] {
        answers.push(file.equals(key(*kind, number)));
        answers.push(file.range(
            Bound::Included(key(*kind, number)),
            Bound::Excluded(key(*kind, number * 2)),
        ));
        answers.push(file.range(Bound::Unbounded, Bound::Included(key(*kind, number))));
    }
    answers.push(file.any_of([key(*kind, 2), key(*kind, 5), key(*kind, 5)]));
    answers.push(file.range(Bound::Unbounded, Bound::Unbounded));
    answers.push(file.present());
    answers.push(file.all_of(["noun", "verb"]));
    for phrase in [&[("noun", 0), ("verb", 1), ("noun", 2)][..], &[("", 0), ("noun", 1)]] {
        answers.push(file.phrase(phrase, &|| true));
        let _ = file.estimate_phrase(phrase);
    }
    let _ = file.estimate_all_of(["noun", "zebra"]);
    for token in TERMS {
        for (row, count) in file.occurrences(token).into_iter().flatten() {
            assert!(row < ROWS && count > 0, "a row that the segment does not have");
            let _ = file.text_length(row);
        }
    }
    let halfway = file.first_cell_from(1 << 63, &(0..file.keys()));
    answers.push(halfway.and_then(|end| file.rows_of(std::slice::from_ref(&(0..end)))));
    answers
        .extend([Class::Present, Class::Foreign, Class::Null, Class::Filled].map(|class| file.class(class)));
    answers.push(file.with_values(&|values| values != 2, &|| true));
    let elements = || -> vdb_index::Result<ElementQuery<'_>> {
        Ok(ElementQuery {
            all: vec![file.elements_without([key(*kind, 5)])?],
            any: vec![file.elements_with([key(*kind, 3), key(*kind, 4)])?],
            none: vec![file.elements_with([key(*kind, 7)])?],
            unsure: file.class(Class::Foreign)?,
        })
    };
    if let Ok(query) = elements() {
        let _ = query.bytes();
        let every_third = (0..ROWS).step_by(3).collect();
        for possible in [RowSet::all(ROWS), every_third] {
            if let Ok((sure, unsure)) = query.rows(&possible, &|| true) {
                answers.extend([Ok(sure), Ok(unsure)]);
            }
        }
    }
    for rows in answers.into_iter().flatten() {
        assert!(
            rows.max().is_none_or(|last| last < ROWS),
            "a row that the segment does not have"
        );
    }
});
