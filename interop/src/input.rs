//! Where bytes come from: a file, standard input, or any reader; counted as they pass.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use crate::error::{Problem, RowError};
use crate::row::{At, Place};

/// How files of gzip begin.
const GZIP: &[u8] = b"\x1f\x8b";

/// How other packed files begin, what they are called, and what to do with them.
const PACKED: [(&[u8], &str, &str); 2] = [
    (
        b"\x28\xb5\x2f\xfd",
        "Zstandard",
        "unpack it on the way: zstd -dc FILE | vdb load ... -",
    ),
    (
        b"PK\x03\x04",
        "a zip archive",
        "unpack it, and load the files in it; one of arrays ends in .npz",
    ),
];

/// An open input with its name. `-` is standard input.
pub struct Input {
    name: Arc<str>,
    reader: Box<dyn Read + Send>,
    read: u64,
    /// Bytes of the packed file that were read, where what comes out is unpacked.
    packed: Option<Arc<AtomicU64>>,
    total: Option<u64>,
    /// Where the file is that was opened.
    path: Option<PathBuf>,
}

impl Input {
    /// Opens `path`, or standard input when it is `-`.
    pub fn open(path: &Path) -> Result<Input, RowError> {
        if path.as_os_str() == "-" {
            return Ok(Input::from_reader("standard input", io::stdin()));
        }
        let name: Arc<str> = path.display().to_string().into();
        let fail = |error| {
            RowError::new(
                Place {
                    file: name.clone(),
                    at: At::File,
                },
                Problem::Io(error),
            )
        };
        let file = File::open(path).map_err(fail)?;
        let kind = file.metadata().map_err(fail)?;
        if kind.is_dir() {
            return Err(fail(io::Error::new(
                io::ErrorKind::IsADirectory,
                "it is a directory; name the files in it",
            )));
        }
        // The length of a pipe or a device says nothing about what it will deliver.
        let total = kind.is_file().then_some(kind.len());
        Ok(Input {
            name,
            reader: Box::new(file),
            read: 0,
            packed: None,
            total,
            path: total.is_some().then(|| path.to_owned()),
        })
    }

    /// Looks at the first bytes without using them up, and refuses those of a packed file.
    pub(crate) fn refuse_packed(&mut self) -> Result<(), RowError> {
        if self.begins_as_gzip()? {
            return Err(self.packed_as("gzip", "unpack it on the way: gzip -dc FILE | vdb load ... -"));
        }
        Ok(())
    }

    /// As [`refuse_packed`](Self::refuse_packed), but what gzip has packed is unpacked as it is read, of any number of members.
    pub(crate) fn unpack(&mut self) -> Result<(), RowError> {
        if !self.begins_as_gzip()? {
            return Ok(());
        }
        let count = Arc::new(AtomicU64::new(0));
        let reader = Counted {
            reader: std::mem::replace(&mut self.reader, Box::new(io::empty())),
            count: count.clone(),
        };
        self.reader = Box::new(Unpacked(MultiGzDecoder::new(reader)));
        self.packed = Some(count);
        Ok(())
    }

    /// Looks at the first bytes without using them up: true if they are those of gzip.
    fn begins_as_gzip(&mut self) -> Result<bool, RowError> {
        let mut start = [0; 4];
        let filled = self
            .fill(&mut start)
            .map_err(|error| RowError::new(self.place(At::File), Problem::Io(error)))?;
        let start = start.get(..filled).unwrap_or_default();
        let mut packed = PACKED.into_iter();
        if let Some((_, found, advice)) = packed.find(|(magic, ..)| start.starts_with(magic)) {
            return Err(self.packed_as(found, advice));
        }
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(Cursor::new(start.to_vec()).chain(rest));
        self.read = 0;
        Ok(start.starts_with(GZIP))
    }

    fn packed_as(&self, found: &str, advice: &'static str) -> RowError {
        let problem = Problem::Format {
            expected: "plain rows",
            found: found.to_owned(),
            advice,
        };
        RowError::new(self.place(At::File), problem)
    }

    /// Takes any reader; its length is unknown. `name` stands in messages.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Input {
        Input {
            name: name.into(),
            reader: Box::new(reader),
            read: 0,
            packed: None,
            total: None,
            path: None,
        }
    }

    /// As [`from_reader`](Self::from_reader), of so many bytes.
    pub(crate) fn of_length(name: &str, reader: impl Read + Send + 'static, bytes: u64) -> Input {
        Input {
            total: Some(bytes),
            ..Input::from_reader(name, reader)
        }
    }

    /// Takes bytes in memory; their length is known as a file's is. `name` stands in messages.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Input {
        let total = u64::try_from(bytes.len()).ok();
        Input {
            name: name.into(),
            reader: Box::new(Cursor::new(bytes)),
            read: 0,
            packed: None,
            total,
            path: None,
        }
    }

    /// The path of a regular file, for formats that are read from their end.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The name for messages.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn place(&self, at: At) -> Place {
        Place {
            file: self.name.clone(),
            at,
        }
    }

    /// Bytes read so far, of a packed file those of the file.
    pub(crate) fn position(&self) -> u64 {
        self.packed
            .as_ref()
            .map_or(self.read, |packed| packed.load(Ordering::Relaxed))
    }

    /// Bytes in all, for a regular file.
    pub(crate) fn total_bytes(&self) -> Option<u64> {
        self.total
    }

    /// Reads until `buffer` is full or the input ends; returns the bytes read.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

/// What gzip has packed. What its decoder says does not name it.
struct Unpacked(MultiGzDecoder<Counted>);

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            // Those of the system are about the file, whatever is in it.
            if error.raw_os_error().is_some() {
                return error;
            }
            io::Error::new(
                error.kind(),
                format!("what gzip packed is damaged or cut short: {error}"),
            )
        })
    }
}

/// Counts the bytes that pass.
struct Counted {
    reader: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
