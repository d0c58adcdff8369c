//! The envelope of immutable files: whatever the bytes, opening and verifying end in values or errors, and what one of
//! them lets pass the other reads alike.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage, damage_frame, disk_with};
use vdb_vfs::MemDisk;
use vdb_vfs::frame::{FileKind, Frame, FrameWriter, verify};

const PATH: &str = "file";
const KIND: FileKind = FileKind {
    magic: *b"FUZZ",
    name: "fuzz",
    version: 3,
};

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = MemDisk::new();
    let mut writer = FrameWriter::create(&disk, PATH, KIND, b"what it is").unwrap();
    for len in [0, 1, 100, 5_000] {
        writer.begin_section().unwrap();
        writer.write(&vec![len as u8; len]).unwrap();
    }
    writer.finish().unwrap();
    bytes_of(&disk, PATH)
});

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let bytes = match input.byte() % 3 {
        0 => damage(&SOUND, &mut input),
        1 => damage_frame(&SOUND, &mut input),
        _ => input.0.to_vec(),
    };
    let disk = disk_with(PATH, &bytes);
    let verified = verify(&disk, PATH, KIND, 1..=3);
    let Ok(frame) = Frame::open(&disk, PATH, KIND, 1..=3) else {
        assert!(verified.is_err(), "a file that cannot be opened was found sound");
        return;
    };
    assert_eq!(frame.verify(&disk).is_ok(), verified.is_ok());
    let mut sum = frame.meta().len();
    for section in 0..frame.sections() {
        sum += frame.section(section).map_or(0, |section| section.len());
    }
    assert!(sum <= bytes.len(), "more than the file has");
    assert!(frame.section(frame.sections()).is_err());
});
