//! Files with a structure of their own, Parquet, Arrow, NumPy's archives, HDF5 and indexes of FAISS: any bytes are rows or errors.
//!
//! The first byte picks the format, the second what the caller asks for. Decoders of others may panic over damage, which the readers
//! turn into errors; a panic that comes through them is a finding.
#![no_main]

use std::io::Cursor;
use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::sources::drain;
use vdb_interop::faiss::FaissRows;
use vdb_interop::{ColumnOptions, Format, Input, ReadOptions, RowSource, open, read};

/// Rows that are read, at most: a few bytes can be a great many equal rows.
const ROWS: usize = 20_000;

/// The fuzzer ends the process in its hook, before the readers can catch anything.
fn set_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|told| {
            let is_of_others = told.location().is_some_and(|at| at.file().contains("/registry/"));
            if !is_of_others {
                eprintln!("{told}");
            }
        }));
    });
}

fn options(choice: u8) -> ReadOptions {
    ReadOptions {
        lossy: choice & 1 != 0,
        text_ids: (choice & 32 != 0).then(|| "t".to_owned()),
        columns: ColumnOptions {
            number_rows: choice & 2 != 0,
            has_vectors: choice & 4 == 0,
            vectors: if choice & 8 != 0 { vec!["a".to_owned()] } else { Vec::new() },
            leave_out: if choice & 16 != 0 { vec!["id".to_owned()] } else { Vec::new() },
            ..ColumnOptions::default()
        },
        ..ReadOptions::default()
    }
}

fuzz_target!(|bytes: &[u8]| {
    set_hook();
    let [format, choice, file @ ..] = bytes else { return };
    let options = options(*choice);
    let ending = match format % 6 {
        0 => ".parquet",
        1 => ".arrow",
        2 => ".npz",
        3 => ".hdf5",
        4 => ".faiss",
        // Arrow from a pipe.
        _ => {
            let input = Input::from_reader("fuzz", Cursor::new(file.to_vec()));
            if let Ok(mut rows) = read(input, Format::Arrow, &options) {
                drain(&mut *rows, ROWS);
            }
            return;
        }
    };
    // It goes with the input: the fuzzer leaves without dropping anything that lives longer.
    let home = tempfile::Builder::new().suffix(ending).tempfile().expect("a file");
    std::fs::write(home.path(), file).expect("a file");
    let rows = if ending == ".faiss" {
        FaissRows::open(home.path(), &options).map(|rows| Box::new(rows) as Box<dyn RowSource>)
    } else {
        open(home.path(), &options)
    };
    if let Ok(mut rows) = rows {
        drain(&mut *rows, ROWS);
    }
});
