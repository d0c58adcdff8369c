use proptest::prelude::*;

use super::*;

const FILE: FileHeader = FileHeader {
    salt: 0xfeed_beef,
    first: 100,
    prev_first: 40,
    prev_last: 99,
};
const FRAME: FrameHeader = FrameHeader {
    salt: 7,
    lsn: 12,
    synced: 11,
    body_len: 3,
    body_crc: 0x1234_5678,
    collection: 9,
    kind: 2,
    flags: 0,
};

#[test]
fn the_bytes_of_version_1_are_these() {
    let mut file = vec![];
    file.extend(b"VDB\0WAL\0");
    file.extend([1, 0, 0, 0, 0xef, 0xbe, 0xed, 0xfe]);
    file.extend([
        100, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0,
    ]);
    file.extend([0; 20]);
    file.extend(crc32fast::hash(&file).to_le_bytes());
    assert_eq!(FILE.encode().to_vec(), file);

    let rest = [
        12, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 9, 0, 0, 0, 2,
        0, 0, 0,
    ];
    let summed = [64u64.to_le_bytes().as_slice(), &[7, 0, 0, 0], &rest].concat();
    let frame = [
        [7, 0, 0, 0].as_slice(),
        &crc32fast::hash(&summed).to_le_bytes(),
        &rest,
    ]
    .concat();
    assert_eq!(FRAME.encode(64).to_vec(), frame);
}

#[test]
fn every_flipped_bit_of_a_header_is_noticed() {
    for bit in 0..FILE_HEADER_BYTES * 8 {
        let mut bytes = FILE.encode();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(FileHeader::decode(&bytes), Err(HeaderFault::Damaged), "bit {bit}");
    }
    for bit in 0..FRAME_HEADER_BYTES * 8 {
        let mut bytes = FRAME.encode(64);
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(FrameHeader::decode(&bytes, 64), None, "bit {bit}");
    }
}

#[test]
fn a_frame_header_holds_only_at_its_own_offset() {
    let bytes = FRAME.encode(64);
    assert_eq!(FrameHeader::decode(&bytes, 64), Some(FRAME));
    assert_eq!(FrameHeader::decode(&bytes, 72), None);
}

#[test]
fn zeros_are_no_header() {
    assert_eq!(FileHeader::decode(&[0; 64]), Err(HeaderFault::Damaged));
    assert_eq!(FrameHeader::decode(&[0; 40], 64), None);
}

#[test]
fn another_version_is_told_from_damage() {
    let mut bytes = FILE.encode();
    bytes[VERSION_AT] = 9;
    let crc = crc32fast::hash(&bytes[..FILE_CRC_AT]);
    bytes[FILE_CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(FileHeader::decode(&bytes), Err(HeaderFault::Version(9)));
}

#[test]
fn numbers_that_cannot_be_are_refused_even_under_a_sound_crc() {
    for header in [
        FileHeader { first: 0, ..FILE },
        FileHeader {
            first: LSN_END,
            ..FILE
        },
        FileHeader {
            prev_last: 100,
            ..FILE
        },
        FileHeader {
            prev_first: 101,
            ..FILE
        },
    ] {
        assert_eq!(
            FileHeader::decode(&header.encode()),
            Err(HeaderFault::Damaged),
            "{header:?}"
        );
    }
    for header in [
        FrameHeader {
            lsn: 0,
            synced: 0,
            ..FRAME
        },
        FrameHeader { synced: 12, ..FRAME },
        FrameHeader {
            lsn: LSN_END,
            ..FRAME
        },
        FrameHeader {
            body_len: MAX_BODY_BYTES + 1,
            ..FRAME
        },
        FrameHeader { flags: 2, ..FRAME },
        FrameHeader {
            flags: FLAG_CLOSED,
            ..FRAME
        },
        FrameHeader {
            flags: FLAG_CLOSED,
            synced: 12,
            body_len: 1,
            ..FRAME
        },
    ] {
        assert_eq!(FrameHeader::decode(&header.encode(64), 64), None, "{header:?}");
    }
}

#[test]
fn only_names_that_the_log_writes_are_log_files() {
    assert_eq!(file_name(0x2a), "000000000000002a.log");
    assert_eq!(parse_file_name("000000000000002a.log"), Some(0x2a));
    for name in [
        "000000000000002A.log",
        "2a.log",
        "+00000000000002a.log",
        "0000000000000000.log",
        "x.log",
        ".log",
    ] {
        assert_eq!(parse_file_name(name), None, "{name}");
    }
    assert_eq!(parse_file_name(&cut_name(0x2a, 64, 0)), None);
}

proptest! {
    #[test]
    fn headers_come_back_as_they_went(salt: u32, first in 1..LSN_END, a: u64, b: u64, offset: u64,
                                      body_len in 0..=MAX_BODY_BYTES, body_crc: u32, collection: u32, kind: u8) {
        let (a, b) = (a % first, b % first);
        let file = FileHeader { salt, first, prev_first: a.min(b), prev_last: a.max(b) };
        prop_assert_eq!(FileHeader::decode(&file.encode()), Ok(file));
        let frame = FrameHeader { salt, lsn: first, synced: a, body_len, body_crc, collection, kind, flags: 0 };
        prop_assert_eq!(FrameHeader::decode(&frame.encode(offset), offset), Some(frame));
        let mark = FrameHeader { synced: first, body_len: 0, flags: FLAG_CLOSED, ..frame };
        prop_assert_eq!(FrameHeader::decode(&mark.encode(offset), offset), Some(mark));
        prop_assert_eq!(frame_bytes(body_len) % FRAME_ALIGN, 0);
    }

    #[test]
    fn any_bytes_decode_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), offset: u64) {
        let _ = FileHeader::decode(&bytes);
        let _ = FrameHeader::decode(&bytes, offset);
    }
}
