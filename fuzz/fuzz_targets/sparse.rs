//! A file of sparse vectors: whatever it holds, opening, reading, verifying and salvaging it end in values or errors, and
//! what `verify` passes are vectors.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage_frame, disk_with};
use vdb_storage::sparse::{SalvagedSparse, SparseReader, SparseSalvage, SparseWriter};
use vdb_sys::sparse::SparseView;
use vdb_vfs::MemDisk;

const PATH: &str = "file";
const ROWS: u32 = 12;

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = MemDisk::new();
    let mut writer = SparseWriter::create(&disk, PATH).unwrap();
    for row in (0..ROWS).filter(|row| row % 5 != 2) {
        let dimensions: Vec<u32> = (0..row).map(|at| u32::MAX / ROWS * (at + 1)).collect();
        let values: Vec<f32> = (0..row).map(|at| at as f32 - 3.5).collect();
        writer
            .push(row, SparseView::new(&dimensions, &values).unwrap())
            .unwrap();
    }
    writer.finish(ROWS).unwrap();
    bytes_of(&disk, PATH)
});

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let disk = disk_with(PATH, &damage_frame(&SOUND, &mut input));
    if let Ok(reader) = SparseReader::open(&disk, PATH) {
        let sound = reader.verify(&disk).is_ok();
        let mut present = 0;
        for row in (0..reader.rows().min(1000)).chain([reader.rows(), u32::MAX]) {
            let found = reader.get(row);
            assert!(!sound || row >= reader.rows() || found.is_ok());
            if let Ok(Some(vector)) = found {
                present += 1;
                assert!(!sound || vector.fault().is_none());
                let _ = vector.dot(&vector);
            }
        }
        assert!(!sound || reader.rows() > 1000 || present == reader.len());
    }
    if let Ok(file) = SparseSalvage::open(&disk, PATH, ROWS, None) {
        for row in 0..=ROWS {
            match file.get(row) {
                SalvagedSparse::Vector(vector) => assert!(row < ROWS && vector.fault().is_none()),
                SalvagedSparse::Absent => assert!(row < ROWS),
                SalvagedSparse::Lost => {}
            }
        }
        let _ = file.faults().len();
    }
});
