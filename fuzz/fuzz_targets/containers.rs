//! Files with a structure of their own, Parquet, Arrow, NumPy's archives, HDF5 and indexes of FAISS: any bytes are rows or errors.
//!
//! The first byte picks the format, the second what the caller asks for. Decoders of others may panic over damage, which the readers
//! turn into errors; a panic that comes through them is a finding.
#![no_main]

use std::io::Cursor;
use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vdb_fuzz::sources::drain;
use vdb_interop::faiss::FaissRows;
use vdb_interop::{ColumnOptions, Format, Input, ReadOptions, RowSource, open, read};

/// Rows that are read, at most: a few bytes can be a great many equal rows.
const ROWS: usize = 20_000;

/// Where the bytes become a file.
fn home() -> &'static Path {
    static HOME: OnceLock<TempDir> = OnceLock::new();
    let home = HOME.get_or_init(|| {
        // The fuzzer ends the process in its hook, before the readers can catch anything.
        std::panic::set_hook(Box::new(|told| {
            let is_of_others = told.location().is_some_and(|at| at.file().contains("/registry/"));
            if !is_of_others {
                eprintln!("{told}");
            }
        }));
        tempfile::tempdir().expect("a directory")
    });
    home.path()
}

fn options(choice: u8) -> ReadOptions {
    ReadOptions {
        lossy: choice & 1 != 0,
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
    // Also for formats that need no file: the hook comes with it.
    let home = home();
    let [format, choice, file @ ..] = bytes else { return };
    let options = options(*choice);
    let name = match format % 6 {
        0 => "x.parquet",
        1 => "x.arrow",
        2 => "x.npz",
        3 => "x.hdf5",
        4 => "x.faiss",
        // Arrow from a pipe.
        _ => {
            let input = Input::from_reader("fuzz", Cursor::new(file.to_vec()));
            if let Ok(mut rows) = read(input, Format::Arrow, &options) {
                drain(&mut *rows, ROWS);
            }
            return;
        }
    };
    let path = home.join(name);
    std::fs::write(&path, file).expect("a file");
    let rows = if name == "x.faiss" {
        FaissRows::open(&path, &options).map(|rows| Box::new(rows) as Box<dyn RowSource>)
    } else {
        open(&path, &options)
    };
    if let Ok(mut rows) = rows {
        drain(&mut *rows, ROWS);
    }
});
