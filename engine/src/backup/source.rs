//! A directory or a tar file that is being read. Nothing in it is believed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use tar::{EntryType, Header};
use vdb_vfs::{Disk, File, OsDisk, path};

use super::format::{COLLECTIONS, FileEntry, INDEX, Index, MAX_INDEX_BYTES};
use crate::error::{Error, Result};
use crate::meter::Meter;
use crate::place;

/// What a tar file consists of.
pub(super) const BLOCK: u64 = 512;
/// How deep the directories of a snapshot are.
const MAX_DEPTH: usize = 2;
/// Bytes that are read at a time, and written where a file is restored: as its first writer did.
const CHUNK: u64 = vdb_vfs::frame::STEP as u64;

#[derive(Debug)]
enum Form {
    Dir(OsDisk),
    Tar(OsDisk, String),
}

/// Where the bytes of a file are.
#[derive(Clone, Copy, Debug)]
struct Extent {
    offset: u64,
    /// Known from the start in a tar file only.
    len: Option<u64>,
}

/// A snapshot, or something that was given for one.
#[derive(Debug)]
pub(super) struct Source {
    form: Form,
    pub(super) shown: String,
    dirs: BTreeSet<String>,
    files: BTreeMap<String, Extent>,
}

/// An open file of a snapshot.
#[derive(Debug)]
pub(super) struct Piece {
    file: Box<dyn File>,
    offset: u64,
    pub(super) len: u64,
}

impl Piece {
    /// Reads `buf.len()` bytes at `at`; fewer at the end.
    pub(super) fn read_at(&self, buf: &mut [u8], at: u64) -> Result<usize> {
        let wanted = self.len.saturating_sub(at).min(buf.len() as u64) as usize;
        Ok(self
            .file
            .read_at(&mut buf[..wanted], self.offset.saturating_add(at))?)
    }
}

/// A file that the index names, of the length that it says.
#[derive(Debug)]
pub(super) struct Whole<'a> {
    source: &'a Source,
    path: &'a str,
    entry: &'a FileEntry,
    piece: Piece,
}

impl Whole<'_> {
    /// Passes all of it to `take`, part after part, each with where it lies, and compares the checksum.
    pub(super) fn read(
        &self,
        meter: &mut Meter<'_>,
        mut take: impl FnMut(&[u8], u64) -> Result<()>,
    ) -> Result<()> {
        let Whole {
            source, path, entry, ..
        } = *self;
        let mut crc = crc32fast::Hasher::new();
        let mut buf = Vec::new();
        let mut at = 0;
        while at < entry.len {
            buf.resize(CHUNK.min(entry.len - at) as usize, 0);
            let found = self.piece.read_at(&mut buf, at)?;
            if found < buf.len() {
                let what = format!("it ends at {}, expected {}", at + found as u64, entry.len);
                return Err(source.damaged(path, what));
            }
            crc.update(&buf);
            take(&buf, at)?;
            at += found as u64;
            meter.tick(found as u64)?;
        }
        let crc = crc.finalize();
        if crc != entry.crc {
            let what = format!("it has the checksum {crc:08x}, the index says {:08x}", entry.crc);
            return Err(source.damaged(path, what));
        }
        Ok(())
    }
}

impl Source {
    /// Looks at what lies in a directory or tar file. Only names and lengths are read.
    pub(super) fn open(given: &Path) -> Result<Source> {
        let shown = given.display().to_string();
        match OsDisk::open(given, false) {
            Ok(disk) => {
                let (mut dirs, mut files) = (BTreeSet::new(), BTreeMap::new());
                walk(&disk, "", 0, &mut dirs, &mut files)?;
                Ok(Source {
                    form: Form::Dir(disk),
                    shown,
                    dirs,
                    files,
                })
            }
            Err(vdb_vfs::Error::Io { source, .. }) if source.kind() == ErrorKind::NotADirectory => {
                // The caller's own path may be a link, as that of a directory may.
                let real = given.canonicalize().unwrap_or_else(|_| given.to_path_buf());
                let (disk, name) = place::locate(&real)?;
                let (dirs, files) = scan(&*disk.open(&name, false)?, &shown)?;
                Ok(Source {
                    form: Form::Tar(disk, name),
                    shown,
                    dirs,
                    files,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// An error about a file of the snapshot, or about all of it.
    pub(super) fn damaged(&self, path: &str, what: impl Into<String>) -> Error {
        Error::Damaged {
            file: self.display(path),
            what: what.into(),
        }
    }

    /// Where a file lies, for messages to people.
    pub(super) fn display(&self, path: &str) -> String {
        match path {
            "" => self.shown.clone(),
            path => format!("{}/{path}", self.shown),
        }
    }

    pub(super) fn piece(&self, path: &str) -> Result<Piece> {
        let extent = self
            .files
            .get(path)
            .ok_or_else(|| self.damaged(path, "the file is missing"))?;
        let file = match &self.form {
            Form::Dir(disk) => disk.open(path, false)?,
            Form::Tar(disk, name) => disk.open(name, false)?,
        };
        let len = extent.len.map_or_else(|| file.len(), Ok)?;
        Ok(Piece {
            file,
            offset: extent.offset,
            len,
        })
    }

    /// A file of the index.
    pub(super) fn whole<'a>(&'a self, path: &'a str, entry: &'a FileEntry) -> Result<Whole<'a>> {
        let piece = self.piece(path)?;
        if piece.len != entry.len {
            let what = format!("it has {} bytes, the index says {}", piece.len, entry.len);
            return Err(self.damaged(path, what));
        }
        Ok(Whole {
            source: self,
            path,
            entry,
            piece,
        })
    }

    /// The index, once it agrees with what lies there.
    pub(super) fn read_index(&self) -> Result<Index> {
        if !self.files.contains_key(INDEX) {
            let why = format!("there is no file {INDEX:?}: it is no snapshot, or was never finished");
            return Err(self.damaged("", why));
        }
        let piece = self.piece(INDEX)?;
        if piece.len > MAX_INDEX_BYTES {
            let what = format!(
                "it has {} bytes, at most {MAX_INDEX_BYTES} are expected",
                piece.len
            );
            return Err(self.damaged(INDEX, what));
        }
        let mut bytes = vec![0; piece.len as usize];
        let found = piece.read_at(&mut bytes, 0)?;
        bytes.truncate(found);
        let index = Index::decode(&bytes, &self.display(INDEX))?;
        self.compare(&index)?;
        Ok(index)
    }

    /// Refuses files that the index does not name, and misses those that it does.
    fn compare(&self, index: &Index) -> Result<()> {
        let mut dirs = BTreeSet::from([COLLECTIONS.to_owned()]);
        let mut files = BTreeSet::from([INDEX.to_owned()]);
        for (path, entry) in index.files() {
            let Some(extent) = self.files.get(&path) else {
                return Err(self.damaged(&path, "the file is missing"));
            };
            if let Some(len) = extent.len.filter(|&len| len != entry.len) {
                return Err(self.damaged(&path, format!("it has {len} bytes, the index says {}", entry.len)));
            }
            dirs.insert(path::split(&path).0.to_owned());
            files.insert(path);
        }
        let stranger = self.files.keys().find(|path| !files.contains(*path));
        match stranger.or_else(|| self.dirs.iter().find(|path| !dirs.contains(*path))) {
            Some(path) => Err(self.damaged(path, "the index does not name it")),
            None => Ok(()),
        }
    }
}

/// Finds the files of a directory.
fn walk(
    disk: &OsDisk,
    dir: &str,
    depth: usize,
    dirs: &mut BTreeSet<String>,
    files: &mut BTreeMap<String, Extent>,
) -> Result<()> {
    for name in disk.list(dir)? {
        let path = path::join(dir, &name);
        match disk.list(&path) {
            Ok(_) if depth < MAX_DEPTH => {
                walk(disk, &path, depth + 1, dirs, files)?;
                dirs.insert(path);
            }
            Ok(_) => {
                let what = "a directory where the index names none".to_owned();
                return Err(Error::Damaged {
                    file: disk.display(&path),
                    what,
                });
            }
            Err(vdb_vfs::Error::Io { source, .. }) if source.kind() == ErrorKind::NotADirectory => {
                files.insert(path, Extent { offset: 0, len: None });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

type Entries = (BTreeSet<String>, BTreeMap<String, Extent>);

/// Finds the files of a tar file. Everything else that may be in one is refused: links, devices, sparse files, and
/// entries that change what the next entry means. Headers carry a checksum; what is neither header nor data must
/// be zero.
fn scan(file: &dyn File, shown: &str) -> Result<Entries> {
    let wrong = |at: u64, what: String| {
        let what = format!("not a snapshot, or damaged: {what} at offset {at}");
        Error::Damaged {
            file: shown.to_owned(),
            what,
        }
    };
    let len = file.len()?;
    let (mut dirs, mut files) = Entries::default();
    let mut at = 0;
    loop {
        let mut block = [0; BLOCK as usize];
        if file.read_at(&mut block, at)? < block.len() {
            return Err(wrong(at, "the archive ends without its end mark".to_owned()));
        }
        if block == [0; BLOCK as usize] {
            if len - at < 2 * BLOCK {
                return Err(wrong(at, "the end mark of the archive is cut".to_owned()));
            }
            check_zeros(file, at, len)
                .map_err(|error| error.unwrap_or_else(|| wrong(at, BEHIND_END.to_owned())))?;
            return Ok((dirs, files));
        }
        let header = Header::from_byte_slice(&block);
        if header.cksum().ok() != Some(checksum(&block)) {
            return Err(wrong(
                at,
                "the header of an entry does not fit its checksum".to_owned(),
            ));
        }
        let size = header
            .entry_size()
            .map_err(|error| wrong(at, error.to_string()))?;
        let start = at + BLOCK;
        let end = start.checked_add(size).filter(|&end| end <= len);
        let Some(end) = end else {
            return Err(wrong(at, format!("an entry of {size} bytes in a file of {len}")));
        };
        let raw = header.path_bytes();
        let name = entry_path(&raw).ok_or_else(|| {
            wrong(
                at,
                format!(
                    "an entry with the path \"{}\", which leads elsewhere",
                    raw.escape_ascii()
                ),
            )
        })?;
        let kind = header.entry_type();
        if kind == EntryType::Regular && !name.is_empty() {
            let extent = Extent {
                offset: start,
                len: Some(size),
            };
            if files.insert(name.clone(), extent).is_some() {
                return Err(wrong(at, format!("a second entry for {name:?}")));
            }
        } else if kind == EntryType::Directory && size == 0 {
            dirs.extend(Some(name).filter(|name| !name.is_empty()));
        } else {
            return Err(wrong(
                at,
                format!("an entry of type {kind:?}; plain files are expected"),
            ));
        }
        at = end.next_multiple_of(BLOCK);
        check_zeros(file, end, at.min(len))
            .map_err(|error| error.unwrap_or_else(|| wrong(end, "padding that is not zero".to_owned())))?;
    }
}

const BEHIND_END: &str = "something behind the end mark of the archive";

/// Checks that a range is zero; `Err(None)` when it is not.
fn check_zeros(file: &dyn File, start: u64, end: u64) -> Result<(), Option<Error>> {
    let mut at = start;
    let mut buf = Vec::new();
    while at < end {
        buf.resize(CHUNK.min(end - at) as usize, 0);
        let found = file.read_at(&mut buf, at).map_err(|error| Some(error.into()))?;
        if found < buf.len() || buf.iter().any(|&byte| byte != 0) {
            return Err(None);
        }
        at += found as u64;
    }
    Ok(())
}

/// The path of an entry, if it stays below where it is unpacked; empty for that place itself. Archives that were
/// packed from inside a directory begin their paths with `./`.
fn entry_path(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?;
    let text = text.strip_prefix("./").unwrap_or(text);
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() || text == "." {
        // An entry without any name is none.
        return (!raw.is_empty() && !raw.starts_with(b"/")).then(String::new);
    }
    path::check(text).is_ok().then(|| text.to_owned())
}

/// The sum of all bytes of a header, with spaces for the sum itself.
fn checksum(block: &[u8; BLOCK as usize]) -> u32 {
    const FIELD: std::ops::Range<usize> = 148..156;
    let counted = |(at, &byte): (usize, &u8)| {
        if FIELD.contains(&at) {
            u32::from(b' ')
        } else {
            u32::from(byte)
        }
    };
    block.iter().enumerate().map(counted).sum()
}
