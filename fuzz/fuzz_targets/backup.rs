//! Pickles of qdrant-client: any bytes are a collection or an error, never a panic, and never more memory than is allowed.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vdb::Vector;
use vdb_interop::pickle::{Event, Limits, Machine, References};
use vdb_interop::qdrant::{Backup, CLIENT_CLASSES, ImportOptions};

const LIMITS: fn() -> Limits = || Limits {
    value_bytes: 4 << 20,
    text_bytes: 1 << 20,
    ..Limits::default()
};

fn is_sound(vector: &Vector) -> bool {
    let finite = |numbers: &[f32]| !numbers.is_empty() && numbers.iter().all(|number| number.is_finite());
    match vector {
        Vector::Dense(numbers) => finite(numbers),
        Vector::Multi(rows) => rows.iter().all(|row| finite(row) && row.len() == rows[0].len()),
        Vector::Sparse(sparse) => {
            sparse.indices.len() == sparse.values.len()
                && sparse.indices.is_sorted_by(|a, b| a < b)
                && sparse.values.iter().all(|value| value.is_finite())
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [lossy, bytes @ ..] = bytes else { return };
    // As a value, whatever it is.
    if let Ok((references, reader)) = References::scan(Cursor::new(bytes), &LIMITS()) {
        let machine = Machine::new(reader, CLIENT_CLASSES, references.into(), None, LIMITS());
        if let Ok(Event::Item(_)) = machine.and_then(|mut machine| machine.advance()) {
            panic!("an item of a list that was not asked for");
        }
    }
    // As a backup.
    let options = ImportOptions {
        lossy: lossy % 2 == 1,
        limits: LIMITS(),
    };
    let Ok(backup) = Backup::read(Cursor::new(bytes), "fuzz", options, &mut |_, _| true) else { return };
    let points = backup.points();
    let mut read = 0;
    for point in backup.into_points().expect("a cursor") {
        let point = point.expect("a file that was found sound");
        assert!(point.vectors.0.values().all(is_sound), "{point:?}");
        read += 1;
    }
    assert_eq!(read, points);
});
