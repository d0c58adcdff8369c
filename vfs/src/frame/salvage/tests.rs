use super::*;
use crate::MemDisk;
use crate::frame::FrameWriter;

const KIND: FileKind = FileKind {
    magic: *b"TEST",
    name: "test",
    version: 1,
};
const PATH: &str = "file";

/// Two sections, the first of three chunks and a bit.
fn written() -> (Vec<u8>, Vec<u8>, u32) {
    let disk = MemDisk::new();
    let data: Vec<u8> = (0..3 * CHUNK + 100).map(|i| (i * 7 + i / 251) as u8).collect();
    let mut frame = FrameWriter::create(&disk, PATH, KIND, b"meta").unwrap();
    frame.begin_section().unwrap();
    frame.write(&data).unwrap();
    frame.begin_section().unwrap();
    frame.write(b"second").unwrap();
    let info = frame.finish().unwrap();
    (disk.map(PATH).unwrap().to_vec(), data, info.crc)
}

fn salvage(bytes: &[u8], known: Option<u32>) -> Result<Salvage> {
    let disk = MemDisk::new();
    disk.create(PATH).unwrap().write_all_at(bytes, 0).unwrap();
    Salvage::open(&disk, PATH, KIND, 1..=1, 1..=3, known)
}

#[test]
fn damage_costs_the_chunk_that_it_lies_in() {
    let (mut bytes, data, _) = written();
    let whole = salvage(&bytes, None).unwrap();
    assert_eq!((whole.faults().len(), whole.meta()), (0, Some(&b"meta"[..])));
    assert_eq!(whole.get(0, 0..data.len() as u64), Some(&data[..]));
    bytes[PRELUDE_LEN + CHUNK + 5] ^= 1;
    let file = salvage(&bytes, None).unwrap();
    let chunk = CHUNK as u64;
    assert_eq!(file.faults().len(), 1);
    assert_eq!(file.get(0, 0..chunk), Some(&data[..CHUNK]));
    assert_eq!(file.get(0, chunk - 1..chunk + 1), None);
    assert_eq!(file.get(0, 2 * chunk..2 * chunk), Some(&[][..]));
    assert_eq!(file.get(0, 2 * chunk - 1..2 * chunk), None);
    assert_eq!(
        file.get(0, 2 * chunk..data.len() as u64),
        Some(&data[2 * CHUNK..])
    );
    assert_eq!(file.get(0, 0..data.len() as u64 + 1), None);
    assert!(!file.is_whole(0) && file.is_whole(1) && !file.is_whole(2));
    assert_eq!(file.get(1, 0..6), Some(&b"second"[..]));
}

#[test]
fn a_damaged_prelude_costs_nothing_while_its_checksum_is_known() {
    let (bytes, data, crc) = written();
    for at in 0..PRELUDE_LEN {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        let file = salvage(&damaged, Some(crc)).unwrap();
        assert_eq!(file.faults().len(), 1, "byte {at}");
        assert_eq!(file.get(0, 0..data.len() as u64), Some(&data[..]));
        assert_eq!(file.meta(), Some(&b"meta"[..]));
        // The checksum in the prelude itself does as well, if it is not what is damaged.
        assert_eq!(salvage(&damaged, None).is_ok(), at < PRELUDE_LEN - 4, "byte {at}");
    }
    let mut gone = bytes;
    gone[..PRELUDE_LEN].fill(0);
    assert!(salvage(&gone, Some(crc)).is_ok());
    assert!(salvage(&gone, Some(crc ^ 1)).is_err());
    assert!(salvage(&gone[..gone.len() - 1], Some(crc)).is_err());
}

#[test]
fn no_byte_of_the_end_of_a_file_gives_back_what_was_not_written() {
    let (bytes, data, crc) = written();
    let end = PRELUDE_LEN + data.len();
    for at in end..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x11;
        let Ok(file) = salvage(&damaged, Some(crc)) else {
            continue;
        };
        assert!(!file.faults().is_empty(), "byte {at}");
        for start in (0..data.len()).step_by(CHUNK) {
            let part = start..(start + CHUNK).min(data.len());
            let found = file.get(0, part.start as u64..part.end as u64);
            assert!(found.is_none_or(|found| found == &data[part]), "byte {at}");
        }
        assert!(file.meta().is_none_or(|meta| meta == b"meta"), "byte {at}");
        assert!(
            file.get(1, 0..6).is_none_or(|found| found == b"second"),
            "byte {at}"
        );
    }
}
