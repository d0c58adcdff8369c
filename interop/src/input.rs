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

/// How zip archives begin.
const ZIP: &[u8] = b"PK\x03\x04";

/// What packs a stream of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packer {
    Gzip,
    Zstandard,
}

impl Packer {
    const ALL: [(&[u8], Packer); 2] = [
        (b"\x1f\x8b", Packer::Gzip),
        (b"\x28\xb5\x2f\xfd", Packer::Zstandard),
    ];

    fn name(self) -> &'static str {
        match self {
            Packer::Gzip => "gzip",
            Packer::Zstandard => "Zstandard",
        }
    }

    /// What to do where it is not unpacked here.
    fn advice(self) -> &'static str {
        match self {
            Packer::Gzip => "unpack it on the way: gzip -dc FILE | vdb load ... -",
            Packer::Zstandard => "unpack it on the way: zstd -dc FILE | vdb load ... -",
        }
    }

    /// What to say where it cannot be unpacked.
    fn damage(self) -> &'static str {
        match self {
            Packer::Gzip => "what gzip packed is damaged or cut short",
            Packer::Zstandard => {
                "what Zstandard packed is damaged or cut short, or needs more memory than is allowed: \
                 `zstd -dc --long=31 FILE | vdb load ... -` unpacks it then"
            }
        }
    }
}

/// Opens a file of a directory that another program keeps. A pipe in its place would be waited at for ever.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other(
            "it is no regular file: save what comes out of it in a file of this name first",
        ));
    }
    File::open(path)
}

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
        match self.packer()? {
            Some(packer) => Err(self.packed_as(packer.name(), packer.advice())),
            None => Ok(()),
        }
    }

    /// As [`refuse_packed`](Self::refuse_packed), but what gzip or Zstandard has packed is unpacked as it is read, of any number of
    /// members or frames.
    pub(crate) fn unpack(&mut self) -> Result<(), RowError> {
        let Some(packer) = self.packer()? else {
            return Ok(());
        };
        let count = Arc::new(AtomicU64::new(0));
        let reader = Counted {
            reader: std::mem::replace(&mut self.reader, Box::new(io::empty())),
            count: count.clone(),
        };
        self.reader = match packer {
            Packer::Gzip => Box::new(Unpacked {
                decoder: MultiGzDecoder::new(reader),
                packer,
            }),
            // Its windows are of at most 128 MiB: what needs more to be unpacked is an error, and no damage.
            #[cfg(feature = "zstd")]
            Packer::Zstandard => match zstd::stream::read::Decoder::new(reader) {
                Ok(decoder) => Box::new(Unpacked { decoder, packer }),
                Err(error) => return Err(RowError::new(self.place(At::File), Problem::Io(error))),
            },
            #[cfg(not(feature = "zstd"))]
            Packer::Zstandard => return Err(self.packed_as(packer.name(), packer.advice())),
        };
        self.packed = Some(count);
        Ok(())
    }

    /// Looks at the first bytes without using them up: what packed them, if anything has.
    fn packer(&mut self) -> Result<Option<Packer>, RowError> {
        let mut start = [0; 4];
        let filled = self
            .fill(&mut start)
            .map_err(|error| RowError::new(self.place(At::File), Problem::Io(error)))?;
        let start = start.get(..filled).unwrap_or_default();
        if start.starts_with(ZIP) {
            let advice = "unpack it, and load the files in it; one of arrays ends in .npz";
            return Err(self.packed_as("a zip archive", advice));
        }
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(Cursor::new(start.to_vec()).chain(rest));
        self.read = 0;
        let known = Packer::ALL.iter().find(|(magic, _)| start.starts_with(magic));
        Ok(known.map(|(_, packer)| *packer))
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

/// What was packed. What decoders say does not name what they decode.
struct Unpacked<D> {
    decoder: D,
    packer: Packer,
}

impl<D: Read> Read for Unpacked<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| {
            // Those of the system are about the file, whatever is in it.
            if error.raw_os_error().is_some() {
                return error;
            }
            let what = self.packer.damage();
            io::Error::new(error.kind(), format!("{what}: {error}"))
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
