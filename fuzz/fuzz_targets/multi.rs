//! A file of multivectors: whatever it holds, opening, reading, verifying and salvaging it end in values or errors, and of
//! one that `verify` passes every row is whole vectors.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage_frame, disk_with};
use vdb_storage::multi::{MultiReader, MultiSalvage, MultiWriter};
use vdb_storage::vectors::Salvaged;
use vdb_sys::element::Element;
use vdb_sys::kernel::{Kernel, MaxSim, Metric};
use vdb_vfs::MemDisk;

const PATH: &str = "file";
const ROWS: u32 = 12;
const DIM: u32 = 3;

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = MemDisk::new();
    let mut writer = MultiWriter::create(&disk, PATH, Element::F16, DIM).unwrap();
    for row in (0..ROWS).filter(|row| row % 5 != 2) {
        writer.push(row, &vec![row as u8; 6 * (1 + row as usize % 4)]).unwrap();
    }
    writer.finish(ROWS).unwrap();
    bytes_of(&disk, PATH)
});

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let disk = disk_with(PATH, &damage_frame(&SOUND, &mut input));
    if let Ok(mut reader) = MultiReader::open(&disk, PATH) {
        let sound = reader.verify(&disk).is_ok();
        reader.map_scattered(&disk, PATH).unwrap();
        let vector = reader.dim() as usize * reader.element().size();
        let kernel = Kernel::new(Metric::L2, reader.element());
        let (mut present, mut vectors) = (0, 0);
        for row in (0..reader.rows().min(1000)).chain([reader.rows(), u32::MAX]) {
            reader.read_ahead(row);
            let found = reader.get(row);
            assert!(!sound || row >= reader.rows() || found.is_ok());
            assert_eq!(matches!(found, Ok(Some(_))), reader.has(row));
            if let Ok(Some(document)) = found {
                present += 1;
                vectors += (document.len() / vector) as u64;
                assert_eq!(reader.scattered(row).unwrap(), Some(document));
                let one = MaxSim::new(kernel, &document[..vector], vector);
                assert!(!one.score(document).is_nan());
            }
        }
        assert!(!sound || reader.rows() > 1000 || (present, vectors) == (reader.len(), reader.vectors()));
    }
    if let Ok(file) = MultiSalvage::open(&disk, PATH, Element::F16, DIM, ROWS, None) {
        for row in 0..=ROWS {
            match file.get(row) {
                Salvaged::Vector(document) => assert!(row < ROWS && document.len() % 6 == 0),
                Salvaged::Absent => assert!(row < ROWS),
                Salvaged::Lost => {}
            }
        }
        let _ = file.faults().len();
    }
});
