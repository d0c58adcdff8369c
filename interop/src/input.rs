//! Where bytes come from: a file, standard input, or any reader; counted as they pass.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Problem, RowError};
use crate::row::{At, Place};

/// How packed files begin, what they are called, and what to do with them.
const PACKED: [(&[u8], &str, &str); 3] = [
    (
        b"\x1f\x8b",
        "gzip",
        "unpack it on the way: gzip -dc FILE | vdb load ... -",
    ),
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
            total,
            path: total.is_some().then(|| path.to_owned()),
        })
    }

    /// Looks at the first bytes without using them up, and refuses those of a packed file.
    pub(crate) fn refuse_packed(&mut self) -> Result<(), RowError> {
        let mut start = [0; 4];
        let filled = self
            .fill(&mut start)
            .map_err(|error| RowError::new(self.place(At::File), Problem::Io(error)))?;
        let start = start.get(..filled).unwrap_or_default();
        let packed = PACKED.iter().find(|(magic, ..)| start.starts_with(magic));
        if let Some((_, found, advice)) = packed {
            let problem = Problem::Format {
                expected: "plain rows",
                found: (*found).to_owned(),
                advice,
            };
            return Err(RowError::new(self.place(At::File), problem));
        }
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(Cursor::new(start.to_vec()).chain(rest));
        self.read = 0;
        Ok(())
    }

    /// Takes any reader; its length is unknown. `name` stands in messages.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Input {
        Input {
            name: name.into(),
            reader: Box::new(reader),
            read: 0,
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

    /// Bytes read so far.
    pub(crate) fn position(&self) -> u64 {
        self.read
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
