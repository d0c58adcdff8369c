use proptest::prelude::*;

use super::*;
use crate::sim::SimDisk;
use crate::{Disk, Error, MemDisk, OsDisk, Result};

const KIND: FileKind = FileKind {
    magic: *b"TEST",
    name: "test",
    version: 3,
};

fn write(disk: &dyn Disk, meta: &[u8], sections: &[Vec<u8>]) -> FrameInfo {
    let mut writer = FrameWriter::create(disk, "f", KIND, meta).unwrap();
    for (i, section) in sections.iter().enumerate() {
        assert_eq!(writer.begin_section().unwrap(), i as u32);
        // In pieces, so that they meet chunk and buffer boundaries.
        for piece in section.chunks(100_003) {
            writer.write(piece).unwrap();
        }
        assert_eq!(writer.section_len(), section.len() as u64);
    }
    writer.finish().unwrap()
}

fn open(disk: &dyn Disk) -> Result<Frame> {
    Frame::open(disk, "f", KIND, 2..=3)
}

fn put(disk: &dyn Disk, bytes: &[u8]) {
    disk.create("f").unwrap().write_all_at(bytes, 0).unwrap();
}

fn bytes_of(disk: &dyn Disk) -> Vec<u8> {
    disk.map("f").unwrap().to_vec()
}

fn noise(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// What is wrong with the file, whichever of opening and verifying sees it.
fn damage(disk: &dyn Disk) -> Option<Error> {
    let (opened, verified) = (open(disk), verify(disk, "f", KIND, 2..=3));
    match (opened, verified) {
        (Err(e), Err(_)) | (Ok(_), Err(e)) => Some(e),
        (Ok(frame), Ok(info)) => {
            assert_eq!(frame.info(), info);
            None
        }
        (Err(e), Ok(_)) => panic!("opening refuses what verifying accepts: {e}"),
    }
}

fn corrupt_at(error: &Error) -> u64 {
    let Error::Corrupt { offset, path, .. } = error else {
        panic!("{error}")
    };
    assert!(path.ends_with('f'), "{path}");
    *offset
}

#[test]
fn what_is_written_is_read_on_every_disk() {
    let dir = tempfile::tempdir().unwrap();
    let sections = [
        noise(10),
        Vec::new(),
        noise(3 * CHUNK + 7),
        noise(CHUNK),
        noise(64),
    ];
    let mut infos = Vec::new();
    for disk in [
        &MemDisk::new() as &dyn Disk,
        &OsDisk::open(dir.path(), false).unwrap(),
        &SimDisk::new(0),
    ] {
        let info = write(disk, b"some meta", &sections);
        let frame = open(disk).unwrap();
        assert_eq!(
            (frame.meta(), frame.version(), frame.info()),
            (b"some meta".as_slice(), 3, info)
        );
        assert_eq!(frame.sections(), 5);
        for (i, section) in sections.iter().enumerate() {
            let found = frame.section(i as u32).unwrap();
            assert_eq!(&*found, section.as_slice());
            assert_eq!(found.as_ptr().addr() % 64, 0);
        }
        assert!(matches!(frame.section(5), Err(Error::Corrupt { .. })));
        frame.verify(disk).unwrap();
        infos.push(info);
    }
    assert!(
        infos.iter().all(|info| *info == infos[0]),
        "same content, same bytes"
    );
}

#[test]
fn files_without_sections_or_meta_are_files() {
    let disk = MemDisk::new();
    write(&disk, b"", &[]);
    assert_eq!(open(&disk).unwrap().meta(), b"");
    assert_eq!(bytes_of(&disk).len(), 64);
    write(&disk, b"meta", &[]);
    assert_eq!(open(&disk).unwrap().meta(), b"meta");
    assert!(damage(&disk).is_none());
}

#[test]
fn meta_can_be_replaced_before_finishing_and_the_first_section_begins_by_itself() {
    let disk = MemDisk::new();
    let mut writer = FrameWriter::create(&disk, "f", KIND, b"guess").unwrap();
    writer.write(b"data").unwrap();
    writer.set_meta(b"known now").unwrap();
    writer.finish().unwrap();
    let frame = open(&disk).unwrap();
    assert_eq!(frame.meta(), b"known now");
    assert_eq!(&*frame.section(0).unwrap(), b"data");
}

#[test]
fn the_file_does_not_depend_on_how_its_data_was_cut_into_writes() {
    let data = noise(5 * CHUNK + 12_345);
    let infos: Vec<_> = [7, 4096, CHUNK, 2 * CHUNK, 2 * CHUNK + 1, data.len()]
        .map(|step| {
            let disk = MemDisk::new();
            let mut writer = FrameWriter::create(&disk, "f", KIND, b"m").unwrap();
            data.chunks(step).for_each(|piece| writer.write(piece).unwrap());
            let info = writer.finish().unwrap();
            assert_eq!(&*open(&disk).unwrap().section(0).unwrap(), data.as_slice());
            assert!(damage(&disk).is_none());
            info
        })
        .into();
    assert!(infos.iter().all(|info| *info == infos[0]));
}

#[test]
fn limits_are_errors_of_the_writer() {
    let disk = MemDisk::new();
    let mut writer = FrameWriter::create(&disk, "f", KIND, b"").unwrap();
    assert!(writer.set_meta(&vec![0; MAX_META as usize + 1]).is_err());
    for _ in 0..MAX_SECTIONS {
        writer.begin_section().unwrap();
    }
    assert!(writer.begin_section().is_err());
    let mut writer = FrameWriter::create(&disk, "f", KIND, &vec![1; MAX_META as usize]).unwrap();
    for _ in 0..MAX_SECTIONS {
        writer.begin_section().unwrap();
    }
    writer.finish().unwrap();
    assert!(damage(&disk).is_none());
    assert_eq!(open(&disk).unwrap().sections(), MAX_SECTIONS);
}

#[test]
fn another_version_is_refused_by_name() {
    let disk = MemDisk::new();
    write(&disk, b"", &[]);
    let error = Frame::open(&disk, "f", KIND, 1..=2).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Version {
                kind: "test",
                found: 3,
                min: 1,
                max: 2,
                ..
            }
        ),
        "{error}"
    );
    assert!(Frame::open(&disk, "f", KIND, 4..=9).is_err());
}

#[test]
fn another_kind_is_refused_by_name() {
    let disk = MemDisk::new();
    write(&disk, b"", &[]);
    let other = FileKind {
        magic: *b"ELSE",
        name: "something else",
        version: 3,
    };
    let error = Frame::open(&disk, "f", other, 3..=3).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("TEST") && text.contains("ELSE") && text.contains("something else"),
        "{text}"
    );
    assert_eq!(corrupt_at(&error), 4);
}

#[test]
fn foreign_empty_and_unfinished_files_are_told_apart() {
    let disk = MemDisk::new();
    let text = |bytes: &[u8]| {
        put(&disk, bytes);
        open(&disk).unwrap_err().to_string()
    };
    assert!(text(b"").contains("offset 0"));
    assert!(text(&[0; 200]).contains("never finished"));
    assert!(text(&[b'x'; 200]).contains("magic is \"xxxx\", expected \"VDB\\x00\""));
    let mut writer = FrameWriter::create(&disk, "f", KIND, b"").unwrap();
    writer.write(&noise(3 << 20)).unwrap();
    drop(writer);
    assert!(open(&disk).unwrap_err().to_string().contains("never finished"));
}

#[test]
fn a_damaged_chunk_is_named_by_its_offset() {
    let disk = SimDisk::new(0);
    write(&disk, b"", &[noise(10), noise(3 * CHUNK)]);
    disk.flip_bits("f", 128 + 2 * CHUNK as u64 + 5, 0x10).unwrap();
    let frame = open(&disk).unwrap();
    let error = frame.verify(&disk).unwrap_err();
    assert_eq!(corrupt_at(&error), 128 + 2 * CHUNK as u64);
    assert!(error.to_string().contains("section 1"), "{error}");
}

#[test]
fn damage_of_the_checksums_is_not_blamed_on_the_data() {
    let disk = SimDisk::new(0);
    write(&disk, b"", &[noise(100)]);
    disk.flip_bits("f", 192, 1).unwrap();
    let error = open(&disk).unwrap().verify(&disk).unwrap_err();
    assert_eq!(corrupt_at(&error), 192);
    assert!(error.to_string().contains("checksums of section 0"), "{error}");
}

#[test]
fn a_file_replaced_behind_an_open_one_does_not_verify() {
    let disk = MemDisk::new();
    write(&disk, b"", &[noise(100)]);
    let frame = open(&disk).unwrap();
    write(&disk, b"", &[noise(101)]);
    assert!(frame.verify(&disk).is_err());
    disk.remove("f").unwrap();
    assert!(matches!(frame.verify(&disk), Err(Error::NotFound { .. })));
}

#[test]
fn every_flipped_bit_is_found() {
    let disk = SimDisk::new(0);
    write(&disk, b"meta", &[noise(70), Vec::new(), noise(1)]);
    let len = bytes_of(&disk).len() as u64;
    for offset in 0..len {
        for bit in 0..8 {
            disk.flip_bits("f", offset, 1 << bit).unwrap();
            assert!(damage(&disk).is_some(), "byte {offset}, bit {bit}");
            disk.flip_bits("f", offset, 1 << bit).unwrap();
        }
    }
    assert!(damage(&disk).is_none());
}

#[test]
fn every_truncation_and_every_extension_is_found() {
    let disk = MemDisk::new();
    write(&disk, b"meta", &[noise(70), noise(1)]);
    let bytes = bytes_of(&disk);
    for len in 0..bytes.len() {
        put(&disk, &bytes[..len]);
        assert!(open(&disk).is_err(), "{len}");
    }
    put(&disk, &[bytes.as_slice(), &[0]].concat());
    assert!(open(&disk).is_err());
}

#[test]
fn files_that_end_where_a_step_of_writing_does_are_whole() {
    let written = |len: usize| {
        let disk = MemDisk::new();
        let data = noise(len);
        let mut writer = FrameWriter::create(&disk, "f", KIND, b"m").unwrap();
        writer.write(&data).unwrap();
        let info = writer.finish().unwrap();
        assert_eq!(&*open(&disk).unwrap().section(0).unwrap(), data.as_slice());
        assert!(damage(&disk).is_none());
        info.len as usize
    };
    // What sections are padded to hides bytes; the footer behind it does not.
    for steps in [1, 2] {
        let around = steps * STEP;
        let beside = written(around - 4096) - (around - 4096);
        let lengths: Vec<usize> = (around - beside - 130..around - beside + 130)
            .step_by(13)
            .map(written)
            .collect();
        assert!(
            lengths[0] < around && around < lengths[lengths.len() - 1],
            "{lengths:?}"
        );
        for len in [around - 1, around, around + 1] {
            written(len);
        }
    }
}

#[test]
fn a_crash_before_finishing_never_leaves_a_file_that_opens_with_wrong_data() {
    crash_everywhere(&[noise(3000), noise(700)], 60);
    // Written in steps, the prelude after the rest.
    crash_everywhere(&[noise(STEP + 3000), noise(STEP + 700)], 8);
}

fn crash_everywhere(sections: &[Vec<u8>; 2], seeds: u64) {
    let script = |disk: &SimDisk| -> Result<()> {
        let mut writer = FrameWriter::create(disk, "f", KIND, b"meta")?;
        for section in sections {
            writer.begin_section()?;
            writer.write(section)?;
        }
        writer.finish()?;
        disk.sync_dir("")
    };
    let whole = SimDisk::new(0);
    script(&whole).unwrap();
    for n in 0..=whole.calls() {
        for seed in 0..seeds {
            let disk = SimDisk::new(0);
            disk.crash_at(n);
            let acknowledged = script(&disk).is_ok();
            let after = disk.crash(seed);
            let good = after.exists("f").unwrap() && damage(&after).is_none();
            assert!(good || !acknowledged, "call {n}, seed {seed}");
            if good {
                assert_eq!(&*open(&after).unwrap().section(1).unwrap(), sections[1]);
            }
        }
    }
}

/// A prelude whose checksum is right, with fields that may be anything: what random bytes never get to.
fn resealed(mut bytes: Vec<u8>, changes: &[(usize, u8)]) -> Vec<u8> {
    for &(at, byte) in changes {
        let at = at % bytes.len();
        bytes[at] = byte;
    }
    let table = u64::from_le_bytes(bytes[24..32].try_into().unwrap());
    if let Some(footer) = usize::try_from(table).ok().and_then(|at| bytes.get(at..)) {
        let crc = crc32fast::hash(footer).to_le_bytes();
        bytes[36..40].copy_from_slice(&crc);
    }
    let crc = crc32fast::hash(&bytes[..60]).to_le_bytes();
    bytes[60..64].copy_from_slice(&crc);
    bytes
}

/// Writes `lie` over `at`, makes the checksums right, and says where opening sees the lie.
fn offset_of_lie(at: usize, lie: &[u8]) -> u64 {
    let disk = MemDisk::new();
    write(&disk, b"meta", &[noise(70), noise(1)]);
    let changes: Vec<_> = lie.iter().enumerate().map(|(i, &byte)| (at + i, byte)).collect();
    put(&disk, &resealed(bytes_of(&disk), &changes));
    read_all(&disk);
    corrupt_at(&damage(&disk).expect("the lie is seen"))
}

#[test]
fn every_field_is_checked_even_under_right_checksums() {
    let disk = MemDisk::new();
    let info = write(&disk, b"meta", &[noise(70), noise(1)]);
    // Data at 64 and 192, one checksum of four bytes for each from 256 on.
    let table = 264u64;
    assert_eq!(info.len, table + 2 * 24 + 4);

    assert_eq!(
        offset_of_lie(12, &1u32.to_le_bytes()),
        24,
        "fewer sections than the table has room for"
    );
    assert_eq!(offset_of_lie(12, &(MAX_SECTIONS + 1).to_le_bytes()), 12);
    assert_eq!(offset_of_lie(16, &(info.len - 1).to_le_bytes()), 16);
    assert_eq!(offset_of_lie(16, &u64::MAX.to_le_bytes()), 16);
    for lie in [0, 63, table - 1, table + 1, info.len + 1, u64::MAX] {
        assert_eq!(offset_of_lie(24, &lie.to_le_bytes()), 24, "{lie}");
    }
    assert_eq!(
        offset_of_lie(32, &5u32.to_le_bytes()),
        24,
        "more meta than the file has room for"
    );
    assert_eq!(offset_of_lie(32, &(MAX_META + 1).to_le_bytes()), 32);
    assert_eq!(offset_of_lie(59, &[1]), 40, "reserved");
    // The first section, so that another one is placed behind its end.
    assert_eq!(
        offset_of_lie(table as usize + 8, &200u64.to_le_bytes()),
        table + 8
    );

    let entry = |i: u64| table + i * 24;
    for lie in [0, 128, 193, u64::MAX] {
        assert_eq!(
            offset_of_lie(entry(1) as usize, &lie.to_le_bytes()),
            entry(1),
            "{lie}"
        );
    }
    // 72 bytes reach the table only with their padding.
    for lie in [72, table, u64::MAX - 192, u64::MAX - 191, u64::MAX] {
        assert_eq!(
            offset_of_lie(entry(1) as usize + 8, &lie.to_le_bytes()),
            entry(1) + 8,
            "{lie}"
        );
    }
    assert_eq!(
        offset_of_lie(entry(1) as usize + 8, &0u64.to_le_bytes()),
        table,
        "checksums end elsewhere"
    );
    assert_eq!(
        offset_of_lie(entry(1) as usize + 20, &[1]),
        entry(1) + 20,
        "reserved"
    );
}

#[test]
fn a_table_inside_the_prelude_is_refused() {
    let disk = MemDisk::new();
    write(&disk, b"", &[]);
    put(&disk, &resealed(bytes_of(&disk), &[(24, 60), (32, 4)]));
    assert_eq!(corrupt_at(&damage(&disk).unwrap()), 24);
}

#[test]
fn a_later_layout_is_refused_by_name() {
    let disk = MemDisk::new();
    write(&disk, b"", &[]);
    put(&disk, &resealed(bytes_of(&disk), &[(10, 2)]));
    let error = damage(&disk).unwrap();
    assert!(
        matches!(
            error,
            Error::Version {
                kind: "file layout",
                found: 2,
                min: 1,
                max: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_part_is_compared_with_the_checksums_of_its_chunks_once() {
    let sections = [noise(40), noise(70 * CHUNK + 9), Vec::new()];
    let disk = MemDisk::new();
    write(&disk, b"", &sections);
    let frame = open(&disk).unwrap();
    let start = frame.section(1).unwrap().as_ptr().addr() - frame.view().as_ptr().addr();
    let end = sections[1].len() as u64;
    let mut bytes = bytes_of(&disk);
    // One chunk in the second word of bits, and what is behind the last whole one.
    for at in [66 * CHUNK + 5, 70 * CHUNK] {
        bytes[start + at] ^= 4;
    }
    put(&disk, &bytes);
    let frame = open(&disk).unwrap();
    let chunk = |n: u64| n * CHUNK as u64;
    for part in [
        0..0,
        0..end - 9 - chunk(4),
        chunk(67)..chunk(70),
        chunk(66)..chunk(66),
    ] {
        for _ in 0..2 {
            frame.check_part(1, part.clone()).unwrap();
        }
    }
    for (part, damaged) in [
        (chunk(66) - 1..chunk(66) + 1, chunk(66)),
        (chunk(67) - 1..chunk(67), chunk(66)),
        (0..end, chunk(66)),
        (end - 1..end, chunk(70)),
    ] {
        // What is damaged is found again, however often it is asked for.
        for _ in 0..2 {
            let found = corrupt_at(&frame.check_part(1, part.clone()).unwrap_err());
            assert_eq!(found, start as u64 + damaged, "{part:?}");
        }
    }
    frame.check_part(0, 3..40).unwrap();
    frame.check_part(2, 0..0).unwrap();
    for (section, part) in [
        (0, 0..41),
        (1, end..end + 1),
        (2, 0..1),
        (3, 0..1),
        (0, 9..u64::MAX),
    ] {
        assert!(frame.check_part(section, part).is_err(), "{section}");
    }
    // Damage of the checksums is told as such.
    let mut bytes = bytes_of(&disk);
    let sums = start + (70 * CHUNK + 9).next_multiple_of(64) + 4;
    bytes[sums + 8] ^= 1;
    put(&disk, &bytes);
    let frame = open(&disk).unwrap();
    let error = frame.check_part(1, 0..1).unwrap_err();
    assert_eq!(corrupt_at(&error), sums as u64, "{error}");
    assert!(error.to_string().contains("checksums of section 1"), "{error}");
}

fn read_all(disk: &dyn Disk) {
    if let Ok(frame) = open(disk) {
        for i in 0..frame.sections() {
            frame.section(i).unwrap();
        }
        let _ = frame.verify(disk);
    }
    let _ = verify(disk, "f", KIND, 2..=3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_sections_come_back(
        meta in proptest::collection::vec(any::<u8>(), 0..100),
        sections in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6),
    ) {
        let disk = MemDisk::new();
        write(&disk, &meta, &sections);
        let frame = open(&disk).unwrap();
        prop_assert_eq!(frame.meta(), meta);
        for (i, section) in sections.iter().enumerate() {
            let found = frame.section(i as u32).unwrap();
            prop_assert_eq!(&*found, section.as_slice());
        }
        prop_assert!(damage(&disk).is_none());
    }

    #[test]
    fn random_bytes_are_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let disk = MemDisk::new();
        put(&disk, &bytes);
        prop_assert!(open(&disk).is_err());
        read_all(&disk);
    }

    #[test]
    fn lying_fields_under_right_checksums_are_bounded(
        changes in proptest::collection::vec((0usize..400, prop_oneof![any::<u8>(), Just(0xff), Just(0)]), 1..12),
    ) {
        let disk = MemDisk::new();
        write(&disk, b"meta", &[noise(70), noise(1), noise(5)]);
        put(&disk, &resealed(bytes_of(&disk), &changes));
        read_all(&disk);
    }
}
