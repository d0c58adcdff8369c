//! What a file is by how it begins, where its name does not say.

use crate::options::Format;

/// Bytes that are enough to tell.
pub const SNIFFED: usize = 8;

/// What a file seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Rows in some format.
    Rows(Format),
    /// A Python pickle, as a backup of qdrant-client is.
    Pickle,
    /// An index of FAISS.
    Faiss,
}

/// How files begin. Formats of text, and `.fvecs` and its like, have nothing of the kind.
const STARTS: [(&[u8], FileKind); 12] = [
    (b"PAR1", FileKind::Rows(Format::Parquet)),
    (b"ARROW1", FileKind::Rows(Format::Arrow)),
    // The mark of a message, in streams.
    (b"\xff\xff\xff\xff", FileKind::Rows(Format::Arrow)),
    (b"\x93NUMPY", FileKind::Rows(Format::Npy)),
    (b"\x89HDF\r\n\x1a\n", FileKind::Rows(Format::Hdf5)),
    (b"Ix", FileKind::Faiss),
    (b"Iw", FileKind::Faiss),
    (b"IH", FileKind::Faiss),
    // From protocol 2 on a pickle says its protocol. Older ones begin with the mark and the opcode of a dict.
    (b"\x80", FileKind::Pickle),
    (b"(dp", FileKind::Pickle),
    (b"}q", FileKind::Pickle),
    (b"(d.", FileKind::Pickle),
];

/// What a file with these first bytes, [`SNIFFED`] of them if it has as many, seems to be.
pub fn sniff(start: &[u8]) -> Option<FileKind> {
    let mut starts = STARTS.iter();
    let found = starts.find(|(known, _)| start.starts_with(known))?;
    // The byte after it is the protocol, and there are six.
    let is_other =
        found.1 == FileKind::Pickle && start.first() == Some(&0x80) && start.get(1).is_none_or(|p| *p > 5);
    (!is_other).then_some(found.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        assert_eq!(sniff(b"PAR1...."), Some(FileKind::Rows(Format::Parquet)));
        assert_eq!(sniff(b"ARROW1\0\0"), Some(FileKind::Rows(Format::Arrow)));
        assert_eq!(sniff(b"\x93NUMPY\x01"), Some(FileKind::Rows(Format::Npy)));
        assert_eq!(sniff(b"IxFI\x08\0"), Some(FileKind::Faiss));
        assert_eq!(sniff(b"\x80\x04\x95"), Some(FileKind::Pickle));
        assert_eq!(sniff(b"\x80\x06\x95"), None);
        assert_eq!(sniff(b"{\"id\": 1"), None);
        assert_eq!(sniff(b""), None);
    }
}
