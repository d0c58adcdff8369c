//! The readers of foreign formats: any bytes are rows or errors, never a panic.
//!
//! The first byte picks the format, whether the length is known, whether columns are named, and whether texts become ids; the second the
//! longest row, and whether values may be changed.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::sources::drain;
use vdb_interop::{ColumnOptions, Format, Input, ReadOptions, read, read_row_numbers};

const FORMATS: [Format; 7] = [
    Format::Npy,
    Format::Fvecs,
    Format::Bvecs,
    Format::Csv,
    Format::Tsv,
    Format::JsonLines,
    Format::Ivecs,
];

fuzz_target!(|bytes: &[u8]| {
    let [choice, limit, file @ ..] = bytes else { return };
    let input = || match choice & 0x80 {
        0 => Input::from_bytes("fuzz", file.to_vec()),
        _ => Input::from_reader("fuzz", Cursor::new(file.to_vec())),
    };
    let format = FORMATS.get(usize::from(choice & 0x1f));
    let Some(&format) = format else {
        let _ = read_row_numbers(input(), 1 << 16);
        return;
    };
    let vectors = if choice & 0x40 != 0 { vec!["v".to_owned()] } else { Vec::new() };
    let options = ReadOptions {
        lossy: limit % 2 == 1,
        text_ids: (choice & 0x20 != 0).then(|| "t".to_owned()),
        columns: ColumnOptions {
            vectors,
            ..ColumnOptions::default()
        },
        max_row_bytes: usize::from(*limit) * 16,
        ..ReadOptions::default()
    };
    let Ok(mut rows) = read(input(), format, &options) else {
        return;
    };
    drain(&mut *rows, usize::MAX);
});
