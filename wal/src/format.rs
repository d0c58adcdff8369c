//! The log on disk: file names, file header, frame header. Pure functions over bytes, no I/O.
//!
//! A log is a directory of files. Each is named by the first LSN it may hold, [`file_name`], and laid out as
//!
//! ```text
//! file header (64 bytes) | frame | frame | ... | zeros written ahead, up to the length of the file
//! frame = frame header (40 bytes) | body | zeros up to a multiple of 8
//! ```
//!
//! All numbers are little-endian. Version history: 1, the first.
//!
//! | file header | bytes | meaning |
//! |---|---|---|
//! | magic | 0..8 | [`MAGIC`] |
//! | version | 8..10 | [`VERSION`] |
//! | reserved | 10..12 | zero |
//! | salt | 12..16 | drawn anew for every file; repeated in each of its frames |
//! | first LSN | 16..24 | of the first frame; the same as in the name |
//! | previous first LSN | 24..32 | first LSN of the file before this one; 0 for the first file of a log |
//! | previous last LSN | 32..40 | last LSN of the file before this one, all of it synced before this file was created |
//! | reserved | 40..60 | zero |
//! | CRC | 60..64 | CRC-32 of bytes 0..60 |
//!
//! | frame header | bytes | meaning |
//! |---|---|---|
//! | salt | 0..4 | the file's; also what a search for frames behind damage looks for |
//! | CRC | 4..8 | CRC-32 of the frame's offset in the file (u64) and of the other 36 bytes |
//! | LSN | 8..16 | one more than that of the frame before |
//! | synced LSN | 16..24 | greatest LSN known to be synced when the frame was written |
//! | body length | 24..28 | at most [`MAX_BODY_BYTES`], without the padding |
//! | body CRC | 28..32 | CRC-32 of the body |
//! | collection | 32..36 | whom a damaged body concerns |
//! | kind | 36 | the caller's |
//! | flags | 37 | bit 0: [`FLAG_CLOSED`]; other bits are zero |
//! | reserved | 38..40 | zero |
//!
//! Beside the files lies [`RELEASED_NAME`]: up to which record the log was released, in two slots of
//! [`RELEASED_SLOT_BYTES`] that are written in turn, so that one of them is whole whatever a crash does to the other.
//! The greater number of the two counts.
//!
//! | slot | bytes | meaning |
//! |---|---|---|
//! | magic | 0..8 | [`RELEASED_MAGIC`]; a slot that was never written is zero |
//! | LSN | 8..16 | records up to this one may be gone |
//! | CRC | 16..20 | CRC-32 of bytes 0..16 |
//! | reserved | 20..512 | zero |
//!
//! The CRC of a frame header covers its offset, so a copy of a frame elsewhere (in a body, say) is no frame; and it
//! covers the salt, so what an earlier file left in the same blocks is none either.

use crate::Lsn;

/// First bytes of every log file.
pub(crate) const MAGIC: [u8; 8] = *b"VDB\0WAL\0";
/// The one version that this build writes and reads.
pub(crate) const VERSION: u16 = 1;
/// Bytes before the first frame.
pub(crate) const FILE_HEADER_BYTES: usize = 64;
/// Bytes before a frame's body.
pub(crate) const FRAME_HEADER_BYTES: usize = 40;
/// Frames start at multiples of this.
pub(crate) const FRAME_ALIGN: u64 = 8;
/// Longest body of one frame: 1 GiB.
pub const MAX_BODY_BYTES: u32 = 1 << 30;
/// LSNs are below this, so that adding one to any of them is safe.
pub(crate) const LSN_END: Lsn = 1 << 62;
/// Marks the frame that a clean close writes: no body, no LSN of its own (it repeats the last one), everything up
/// to and including that LSN is synced. The next append after reopening takes its place.
pub(crate) const FLAG_CLOSED: u8 = 1;

/// Name of the file that says up to where the log was released.
pub(crate) const RELEASED_NAME: &str = "released";
/// A sector each: the medium writes one whole or not at all.
pub(crate) const RELEASED_SLOT_BYTES: usize = 512;
/// How many slots there are.
pub(crate) const RELEASED_SLOTS: usize = 2;
const RELEASED_MAGIC: [u8; 8] = *b"VDB\0REL1";
const RELEASED_LSN_AT: usize = RELEASED_MAGIC.len();
const RELEASED_CRC_AT: usize = RELEASED_LSN_AT + 8;

const EXTENSION: &str = "log";
const CUT_EXTENSION: &str = "cut";

const VERSION_AT: usize = MAGIC.len();
const FILE_RESERVED_AT: usize = VERSION_AT + 2;
const FILE_SALT_AT: usize = FILE_RESERVED_AT + 2;
const FIRST_AT: usize = FILE_SALT_AT + 4;
const PREV_FIRST_AT: usize = FIRST_AT + 8;
const PREV_LAST_AT: usize = PREV_FIRST_AT + 8;
const FILE_ZEROS_AT: usize = PREV_LAST_AT + 8;
const FILE_CRC_AT: usize = FILE_ZEROS_AT + 20;
const _: () = assert!(FILE_CRC_AT + 4 == FILE_HEADER_BYTES);

const SALT_AT: usize = 0;
const CRC_AT: usize = SALT_AT + 4;
const LSN_AT: usize = CRC_AT + 4;
const SYNCED_AT: usize = LSN_AT + 8;
const LEN_AT: usize = SYNCED_AT + 8;
const BODY_CRC_AT: usize = LEN_AT + 4;
const COLLECTION_AT: usize = BODY_CRC_AT + 4;
const KIND_AT: usize = COLLECTION_AT + 4;
const FLAGS_AT: usize = KIND_AT + 1;
const FRAME_RESERVED_AT: usize = FLAGS_AT + 1;
const _: () = assert!(FRAME_RESERVED_AT + 2 == FRAME_HEADER_BYTES);

/// A slot that says that records up to `lsn` were released.
pub(crate) fn encode_released(lsn: Lsn) -> [u8; RELEASED_SLOT_BYTES] {
    let mut out = [0; RELEASED_SLOT_BYTES];
    put(&mut out, 0, &RELEASED_MAGIC);
    put(&mut out, RELEASED_LSN_AT, &lsn.to_le_bytes());
    let crc = crc32fast::hash(&out[..RELEASED_CRC_AT]);
    put(&mut out, RELEASED_CRC_AT, &crc.to_le_bytes());
    out
}

/// What a slot says: `Some(0)` when it was never written, `None` when it is damaged.
pub(crate) fn decode_released(slot: &[u8; RELEASED_SLOT_BYTES]) -> Option<Lsn> {
    if slot.iter().all(|&byte| byte == 0) {
        return Some(0);
    }
    let lsn = le_u64(slot, RELEASED_LSN_AT);
    (lsn < LSN_END && encode_released(lsn) == *slot).then_some(lsn)
}

/// The name of the file whose first frame has this LSN.
pub(crate) fn file_name(first: Lsn) -> String {
    format!("{first:016x}.{EXTENSION}")
}

/// The first LSN of a log file by its name; `None` for names of other things.
pub(crate) fn parse_file_name(name: &str) -> Option<Lsn> {
    let digits = name.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    let first = Lsn::from_str_radix(digits, 16).ok()?;
    // Only the one spelling that `file_name` produces, so that two names never mean one file.
    (first > 0 && first < LSN_END && file_name(first) == name).then_some(first)
}

/// Whether a name in the directory of a log is that of one of its files, rather than of what was cut from one.
pub fn is_log_file(name: &str) -> bool {
    parse_file_name(name).is_some()
}

/// The name under which bytes cut from a log file are kept aside; `attempt` makes it unique.
pub(crate) fn cut_name(first: Lsn, offset: u64, attempt: u32) -> String {
    format!("{first:016x}-{offset:x}-{attempt}.{CUT_EXTENSION}")
}

/// File, offset and attempt of the name of such a file; `None` for names of other things. Ascending in the order in
/// which they were cut.
pub(crate) fn parse_cut_name(name: &str) -> Option<(Lsn, u64, u32)> {
    let mut parts = name
        .strip_suffix(CUT_EXTENSION)?
        .strip_suffix('.')?
        .splitn(3, '-');
    let first = Lsn::from_str_radix(parts.next()?, 16).ok()?;
    let offset = u64::from_str_radix(parts.next()?, 16).ok()?;
    let attempt = parts.next()?.parse().ok()?;
    (cut_name(first, offset, attempt) == name).then_some((first, offset, attempt))
}

/// The path of a name in the log's directory.
pub(crate) fn path_in(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// What a log file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) salt: u32,
    pub(crate) first: Lsn,
    /// 0 for the first file of a log.
    pub(crate) prev_first: Lsn,
    pub(crate) prev_last: Lsn,
}

/// Why a file header was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    /// Too short, another magic, a wrong CRC, or numbers that cannot be.
    Damaged,
    /// Sound, but of a version that this build does not know.
    Version(u16),
}

impl FileHeader {
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut out = [0; FILE_HEADER_BYTES];
        put(&mut out, 0, &MAGIC);
        put(&mut out, VERSION_AT, &VERSION.to_le_bytes());
        put(&mut out, FILE_SALT_AT, &self.salt.to_le_bytes());
        put(&mut out, FIRST_AT, &self.first.to_le_bytes());
        put(&mut out, PREV_FIRST_AT, &self.prev_first.to_le_bytes());
        put(&mut out, PREV_LAST_AT, &self.prev_last.to_le_bytes());
        let crc = crc32fast::hash(&out[..FILE_CRC_AT]);
        put(&mut out, FILE_CRC_AT, &crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<FileHeader, HeaderFault> {
        let Some(bytes) = bytes.first_chunk::<FILE_HEADER_BYTES>() else {
            return Err(HeaderFault::Damaged);
        };
        if !bytes.starts_with(&MAGIC) || crc32fast::hash(&bytes[..FILE_CRC_AT]) != le_u32(bytes, FILE_CRC_AT)
        {
            return Err(HeaderFault::Damaged);
        }
        let version = u16::from_le_bytes([bytes[VERSION_AT], bytes[VERSION_AT + 1]]);
        if version != VERSION {
            return Err(HeaderFault::Version(version));
        }
        let header = FileHeader {
            salt: le_u32(bytes, FILE_SALT_AT),
            first: le_u64(bytes, FIRST_AT),
            prev_first: le_u64(bytes, PREV_FIRST_AT),
            prev_last: le_u64(bytes, PREV_LAST_AT),
        };
        // An empty file that a jump of LSNs left behind has a last LSN one below its first.
        let linked =
            header.prev_last < header.first && header.prev_last >= header.prev_first.saturating_sub(1);
        if header.first == 0 || header.first >= LSN_END || !linked {
            return Err(HeaderFault::Damaged);
        }
        Ok(header)
    }
}

/// What a frame says of itself, body aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) salt: u32,
    pub(crate) lsn: Lsn,
    pub(crate) synced: Lsn,
    pub(crate) body_len: u32,
    pub(crate) body_crc: u32,
    pub(crate) collection: u32,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
}

impl FrameHeader {
    pub(crate) fn encode(&self, offset: u64) -> [u8; FRAME_HEADER_BYTES] {
        let mut out = [0; FRAME_HEADER_BYTES];
        put(&mut out, SALT_AT, &self.salt.to_le_bytes());
        put(&mut out, LSN_AT, &self.lsn.to_le_bytes());
        put(&mut out, SYNCED_AT, &self.synced.to_le_bytes());
        put(&mut out, LEN_AT, &self.body_len.to_le_bytes());
        put(&mut out, BODY_CRC_AT, &self.body_crc.to_le_bytes());
        put(&mut out, COLLECTION_AT, &self.collection.to_le_bytes());
        out[KIND_AT] = self.kind;
        out[FLAGS_AT] = self.flags;
        let crc = frame_crc(&out, offset);
        put(&mut out, CRC_AT, &crc.to_le_bytes());
        out
    }

    /// The header at `offset` of a file, if these bytes are one. The caller compares the salt.
    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Option<FrameHeader> {
        let bytes = bytes.first_chunk::<FRAME_HEADER_BYTES>()?;
        if frame_crc(bytes, offset) != le_u32(bytes, CRC_AT) {
            return None;
        }
        let header = FrameHeader {
            salt: le_u32(bytes, SALT_AT),
            lsn: le_u64(bytes, LSN_AT),
            synced: le_u64(bytes, SYNCED_AT),
            body_len: le_u32(bytes, LEN_AT),
            body_crc: le_u32(bytes, BODY_CRC_AT),
            collection: le_u32(bytes, COLLECTION_AT),
            kind: bytes[KIND_AT],
            flags: bytes[FLAGS_AT],
        };
        let sound = match header.flags {
            0 => header.lsn > 0 && header.synced < header.lsn && header.body_len <= MAX_BODY_BYTES,
            FLAG_CLOSED => header.synced == header.lsn && header.body_len == 0,
            _ => false,
        };
        (sound && header.lsn < LSN_END).then_some(header)
    }

    pub(crate) fn is_closed_mark(&self) -> bool {
        self.flags == FLAG_CLOSED
    }

    /// Bytes of the whole frame: header, body, padding.
    pub(crate) fn frame_bytes(&self) -> u64 {
        frame_bytes(self.body_len)
    }
}

/// Bytes that a frame with a body of this length takes in a file.
pub(crate) fn frame_bytes(body_len: u32) -> u64 {
    (FRAME_HEADER_BYTES as u64 + u64::from(body_len)).next_multiple_of(FRAME_ALIGN)
}

fn frame_crc(bytes: &[u8; FRAME_HEADER_BYTES], offset: u64) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&offset.to_le_bytes());
    crc.update(&bytes[..CRC_AT]);
    crc.update(&bytes[LSN_AT..]);
    crc.finalize()
}

/// The first four bytes of a frame, as a search for frames compares them.
pub(crate) fn salt_tag(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|tag| u32::from_le_bytes(*tag))
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

fn le_u32(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn le_u64(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests;
