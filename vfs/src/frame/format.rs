//! Byte layout of a frame, version 1. All numbers are little-endian.
//!
//! ```text
//! prelude   64 bytes at 0
//! section   data, then zeros up to a multiple of 64; for each section in order
//! sums      for each section in order: CRC-32 of every chunk of CHUNK data bytes (the last may be shorter)
//! table     24 bytes a section
//! meta      small bytes of the file's kind
//!
//! prelude                                      table entry
//!  0  4  magic "VDB\0"                          0  8  offset of the data in the file
//!  4  4  kind of file                           8  8  length of the data
//!  8  2  version of that kind                  16  4  CRC-32 of the section's sums
//! 10  2  version of this layout                20  4  zero
//! 12  4  number of sections
//! 16  8  length of the file
//! 24  8  offset of the table
//! 32  4  length of meta
//! 36  4  CRC-32 of table and meta
//! 40 20  zero
//! 60  4  CRC-32 of bytes 0 to 59
//! ```
//!
//! Lengths determine every position, so each byte of a file is covered by exactly one check: a CRC, or that it is
//! zero. The prelude's CRC covers, through the table and the sums, all bytes of the data and identifies the content.
//! Magic, kind, version and the prelude's CRC keep their places in every later layout, so that old builds can refuse
//! new files by name. The prelude is written last: a file whose writing was cut short has none.

use std::ops::RangeInclusive;

use crate::{Error, Result};

/// Data bytes that one checksum covers: what [`verify`](super::verify) can name as damaged.
pub const CHUNK: usize = 1 << 20;
/// Sections start at multiples of this.
pub const SECTION_ALIGN: u64 = 64;
/// Most sections that a file may have.
pub const MAX_SECTIONS: u32 = 4096;
/// Most bytes of meta that a file may have.
pub const MAX_META: u32 = 1 << 20;

pub(super) const PRELUDE_LEN: usize = 64;
pub(super) const ENTRY_LEN: usize = 24;
pub(super) const SUM_LEN: u64 = 4;

const MAGIC: [u8; 4] = *b"VDB\0";
const LAYOUT: u16 = 1;

const KIND_AT: usize = 4;
const VERSION_AT: usize = KIND_AT + 4;
const LAYOUT_AT: usize = VERSION_AT + 2;
const SECTIONS_AT: usize = LAYOUT_AT + 2;
const FILE_LEN_AT: usize = SECTIONS_AT + 4;
const TABLE_AT: usize = FILE_LEN_AT + 8;
const META_LEN_AT: usize = TABLE_AT + 8;
const FOOTER_CRC_AT: usize = META_LEN_AT + 4;
const ZERO_AT: usize = FOOTER_CRC_AT + 4;
const CRC_AT: usize = ZERO_AT + 20;
const _: () = assert!(CRC_AT + 4 == PRELUDE_LEN);

/// A kind of file, as its format home defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileKind {
    /// Four bytes that no other kind has.
    pub magic: [u8; 4],
    /// What the kind is called in messages.
    pub name: &'static str,
    /// The version that is written.
    pub version: u16,
}

/// The decoded prelude; all bounds hold against the length of the file that it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prelude {
    pub(super) kind: [u8; 4],
    pub(super) version: u16,
    pub(super) sections: u32,
    pub(super) file_len: u64,
    pub(super) table: u64,
    pub(super) meta_len: u32,
    pub(super) footer_crc: u32,
    /// CRC of the prelude; computed by `encode`, checked by `decode`.
    pub(super) crc: u32,
}

/// Where one section lies; `offset + len` and `sums + sums_len()` are within the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) offset: u64,
    pub(super) len: u64,
    pub(super) sums_crc: u32,
    /// Not stored: follows from the lengths.
    pub(super) sums: u64,
}

impl Section {
    pub(super) fn sums_len(&self) -> u64 {
        sums_len(self.len)
    }

    /// The end of the zeros behind the data. Cannot overflow: writer and `decode_table` keep it below the file's end.
    pub(super) fn padded_end(&self) -> u64 {
        (self.offset + self.len).next_multiple_of(SECTION_ALIGN)
    }
}

pub(super) fn sums_len(data_len: u64) -> u64 {
    data_len.div_ceil(CHUNK as u64) * SUM_LEN
}

pub(super) fn encode_prelude(prelude: &Prelude) -> ([u8; PRELUDE_LEN], u32) {
    let mut out = [0; PRELUDE_LEN];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &MAGIC);
    put(KIND_AT, &prelude.kind);
    put(VERSION_AT, &prelude.version.to_le_bytes());
    put(LAYOUT_AT, &LAYOUT.to_le_bytes());
    put(SECTIONS_AT, &prelude.sections.to_le_bytes());
    put(FILE_LEN_AT, &prelude.file_len.to_le_bytes());
    put(TABLE_AT, &prelude.table.to_le_bytes());
    put(META_LEN_AT, &prelude.meta_len.to_le_bytes());
    put(FOOTER_CRC_AT, &prelude.footer_crc.to_le_bytes());
    let crc = crc32fast::hash(&out[..CRC_AT]);
    out[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    (out, crc)
}

/// Checks a prelude against the kind wanted and the length that the file has. `path` is for errors.
pub(super) fn decode_prelude(
    bytes: &[u8; PRELUDE_LEN],
    len: u64,
    path: &str,
    kind: FileKind,
    versions: &RangeInclusive<u16>,
) -> Result<Prelude> {
    let corrupt = |at: usize, what: String| Error::Corrupt {
        path: path.to_owned(),
        offset: at as u64,
        what,
    };
    if bytes.iter().all(|&b| b == 0) {
        return Err(corrupt(0, "no prelude: the file was never finished".to_owned()));
    }
    if bytes[..KIND_AT] != MAGIC {
        let found = bytes[..KIND_AT].escape_ascii();
        return Err(corrupt(
            0,
            format!("magic is \"{found}\", expected \"{}\"", MAGIC.escape_ascii()),
        ));
    }
    let (crc, found) = (crc32fast::hash(&bytes[..CRC_AT]), u32_at(bytes, CRC_AT));
    if crc != found {
        return Err(corrupt(
            CRC_AT,
            format!("prelude checksum is {found:08x}, its bytes give {crc:08x}"),
        ));
    }
    if bytes[KIND_AT..VERSION_AT] != kind.magic {
        let (found, wanted) = (
            bytes[KIND_AT..VERSION_AT].escape_ascii(),
            kind.magic.escape_ascii(),
        );
        return Err(corrupt(
            KIND_AT,
            format!("kind is \"{found}\", expected \"{wanted}\" ({})", kind.name),
        ));
    }
    let refuse = |kind, found, min, max| Error::Version {
        path: path.to_owned(),
        kind,
        found,
        min,
        max,
    };
    let version = u16_at(bytes, VERSION_AT);
    if !versions.contains(&version) {
        return Err(refuse(kind.name, version, *versions.start(), *versions.end()));
    }
    let layout = u16_at(bytes, LAYOUT_AT);
    if layout != LAYOUT {
        return Err(refuse("file layout", layout, LAYOUT, LAYOUT));
    }
    let prelude = Prelude {
        kind: kind.magic,
        version,
        sections: u32_at(bytes, SECTIONS_AT),
        file_len: u64_at(bytes, FILE_LEN_AT),
        table: u64_at(bytes, TABLE_AT),
        meta_len: u32_at(bytes, META_LEN_AT),
        footer_crc: u32_at(bytes, FOOTER_CRC_AT),
        crc,
    };
    if prelude.file_len != len {
        return Err(corrupt(
            FILE_LEN_AT,
            format!("file length is {len}, expected {}", prelude.file_len),
        ));
    }
    if prelude.sections > MAX_SECTIONS {
        return Err(corrupt(
            SECTIONS_AT,
            format!("{} sections, at most {MAX_SECTIONS} expected", prelude.sections),
        ));
    }
    if prelude.meta_len > MAX_META {
        return Err(corrupt(
            META_LEN_AT,
            format!("{} bytes of meta, at most {MAX_META} expected", prelude.meta_len),
        ));
    }
    let footer = u64::from(prelude.sections) * ENTRY_LEN as u64 + u64::from(prelude.meta_len);
    if len.checked_sub(footer) != Some(prelude.table) || prelude.table < PRELUDE_LEN as u64 {
        let what = format!(
            "table starts at {}, expected {footer} bytes before the end of {len}",
            prelude.table
        );
        return Err(corrupt(TABLE_AT, what));
    }
    if bytes[ZERO_AT..CRC_AT].iter().any(|&b| b != 0) {
        return Err(corrupt(ZERO_AT, "reserved bytes are not zero".to_owned()));
    }
    Ok(prelude)
}

/// The checksum that a prelude says it has, fitting or not.
pub(super) fn crc_in_prelude(bytes: &[u8; PRELUDE_LEN]) -> u32 {
    u32_at(bytes, CRC_AT)
}

pub(super) fn encode_entry(section: &Section, out: &mut Vec<u8>) {
    out.extend_from_slice(&section.offset.to_le_bytes());
    out.extend_from_slice(&section.len.to_le_bytes());
    out.extend_from_slice(&section.sums_crc.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
}

/// Checks table and meta, which `footer` holds from `prelude.table` to the end of the file.
pub(super) fn decode_table(footer: &[u8], prelude: &Prelude, path: &str) -> Result<Vec<Section>> {
    let corrupt = |at: u64, what: String| Error::Corrupt {
        path: path.to_owned(),
        offset: at,
        what,
    };
    let crc = crc32fast::hash(footer);
    if crc != prelude.footer_crc {
        let what = format!(
            "table checksum is {:08x}, its bytes give {crc:08x}",
            prelude.footer_crc
        );
        return Err(corrupt(prelude.table, what));
    }
    decode_entries(footer, prelude, path)
}

/// As [`decode_table`], for a footer whose checksum does not fit: the entries vouch for each other, since each has to
/// begin where the one before ends and the last where the checksums do.
pub(super) fn decode_entries(footer: &[u8], prelude: &Prelude, path: &str) -> Result<Vec<Section>> {
    let corrupt = |at: u64, what: String| Error::Corrupt {
        path: path.to_owned(),
        offset: at,
        what,
    };
    let (entries, _) = footer.as_chunks::<ENTRY_LEN>();
    let mut sections = Vec::with_capacity(entries.len().min(MAX_SECTIONS as usize));
    let mut next = PRELUDE_LEN as u64;
    for (i, entry) in entries.iter().take(prelude.sections as usize).enumerate() {
        let at = prelude.table + (i * ENTRY_LEN) as u64;
        let (offset, len) = (u64_at(entry, 0), u64_at(entry, 8));
        if offset != next {
            return Err(corrupt(
                at,
                format!("section {i} starts at {offset}, expected {next}"),
            ));
        }
        // Never below zero: `offset` is the 64 that `table` was checked against, or an end checked below.
        if len > prelude.table - offset {
            return Err(corrupt(
                at + 8,
                format!("section {i} has {len} bytes, the file {}", prelude.file_len),
            ));
        }
        let section = Section {
            offset,
            len,
            sums_crc: u32_at(entry, 16),
            sums: 0,
        };
        next = section.padded_end();
        if next > prelude.table {
            return Err(corrupt(
                at + 8,
                format!("section {i} ends at {next}, behind the table"),
            ));
        }
        if u32_at(entry, 20) != 0 {
            return Err(corrupt(at + 20, "reserved bytes are not zero".to_owned()));
        }
        sections.push(section);
    }
    for section in &mut sections {
        section.sums = next;
        next += section.sums_len();
    }
    if next != prelude.table {
        return Err(corrupt(
            prelude.table,
            format!("checksums end at {next}, where the table should start"),
        ));
    }
    Ok(sections)
}

// The callers pass arrays and constant positions inside them.

fn u16_at<const N: usize>(bytes: &[u8; N], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
