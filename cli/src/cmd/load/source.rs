//! Several files as one stream of rows.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use vdb::{CollectionConfig, Vector};
use vdb_interop::{At, Place, Problem, ReadOptions, Row, RowError, RowSource};

use crate::failure::{Failure, Outcome};

/// What a vector is like, for a new collection.
pub(super) enum Shape {
    /// Numbers of a dense vector.
    Dense(usize),
    /// Numbers of each row of a multivector.
    Multi(usize),
    Sparse,
}

impl Shape {
    fn of(vector: &Vector) -> Shape {
        match vector {
            Vector::Dense(numbers) => Shape::Dense(numbers.len()),
            Vector::Multi(rows) => Shape::Multi(rows.first().map_or(0, Vec::len)),
            Vector::Sparse(_) => Shape::Sparse,
        }
    }
}

/// A file beside that of the vectors.
#[derive(Clone, Copy)]
pub(super) enum Beside<'a> {
    /// With the payload of each row.
    Payload(&'a Path),
    /// With the id and the payload of each row.
    Rows(&'a Path),
}

impl<'a> Beside<'a> {
    fn file(self) -> &'a Path {
        let (Beside::Payload(file) | Beside::Rows(file)) = self;
        file
    }

    /// The option that names it.
    pub(super) fn option(self) -> &'static str {
        match self {
            Beside::Payload(_) => "--payload",
            Beside::Rows(_) => "--rows",
        }
    }
}

/// The rows of all files, one after the other. Files are opened when their turn comes.
pub(super) struct Source {
    current: Box<dyn RowSource>,
    name: String,
    waiting: VecDeque<PathBuf>,
    options: ReadOptions,
    /// The row that was read to see what rows are like, and not handed out yet.
    ahead: Option<Row>,
    /// Bytes of the files that are done.
    bytes_before: u64,
    total_bytes: Option<u64>,
    /// Values that the files that are done held and payloads do not.
    changed_before: u64,
    /// What files say of the collection that their rows are of.
    said: Vec<Said>,
    /// What is to be told of how files are read: which one, and what.
    notes: Vec<(String, String)>,
}

/// What a file says of the collection that its rows are of.
pub(super) struct Said {
    pub(super) file: String,
    pub(super) config: CollectionConfig,
}

impl Source {
    /// Opens the first file, and looks whether the others can be opened.
    pub(super) fn open(
        files: &[PathBuf],
        beside: Option<Beside<'_>>,
        options: ReadOptions,
    ) -> Outcome<Source> {
        let mut waiting: VecDeque<PathBuf> = files.iter().cloned().collect();
        let Some(first) = waiting.pop_front() else {
            return Err(Failure::usage("no file to load"));
        };
        let stdin = |file: &PathBuf| file.as_os_str() == "-";
        if files.iter().filter(|file| stdin(file)).count() > 1 {
            return Err(Failure::usage("standard input (-) can be read only once"));
        }
        let mut others = Vec::new();
        for file in waiting.iter().filter(|file| !stdin(file)) {
            others.push((shown(file), vdb_interop::open(file, &options)?));
        }
        let current = match beside {
            Some(beside) if stdin(&first) && beside.file().as_os_str() == "-" => {
                return Err(Failure::usage("standard input (-) can be read only once"));
            }
            Some(beside) => {
                let opened = match beside {
                    Beside::Payload(file) => vdb_interop::open_with_payload(&first, file, &options),
                    Beside::Rows(file) => vdb_interop::open_with_rows(&first, file, &options),
                };
                opened.map_err(|error| {
                    let is_its = *error.place.file == *beside.file().display().to_string();
                    Failure::from(error).within(if is_its { beside.option() } else { "" })
                })?
            }
            None => vdb_interop::open(&first, &options)?,
        };
        let size = |file: &PathBuf| {
            std::fs::metadata(file)
                .ok()
                .filter(|m| m.is_file())
                .map(|m| m.len())
        };
        let name = shown(&first);
        let (mut said, mut notes) = (Vec::new(), Vec::new());
        let firsts = std::iter::once((&name, &current));
        for (file, source) in firsts.chain(others.iter().map(|(file, source)| (file, source))) {
            let of_file = |note: &String| (file.clone(), note.clone());
            notes.extend(source.notes().iter().map(of_file));
            said.extend(source.config().map(|config| Said {
                file: file.clone(),
                config,
            }));
        }
        Ok(Source {
            current,
            name,
            waiting,
            options,
            ahead: None,
            bytes_before: 0,
            total_bytes: files.iter().map(size).sum(),
            changed_before: 0,
            said,
            notes,
        })
    }

    /// Names and kinds of the vectors of the first good row, which is handed out again later; of the header
    /// when there is no row. Bad rows before it go to `skipped` when they may be.
    pub(super) fn shape(
        &mut self,
        skip_bad: bool,
        skipped: &mut Vec<RowError>,
    ) -> Outcome<Vec<(String, Shape)>> {
        loop {
            match self.next() {
                Some(Ok(row)) => {
                    let named = row.vectors.0.iter();
                    let shape = named
                        .map(|(name, vector)| (name.clone(), Shape::of(vector)))
                        .collect();
                    self.ahead = Some(row);
                    return Ok(shape);
                }
                Some(Err(error)) if skip_bad && error.is_skippable() => skipped.push(error),
                Some(Err(error)) => {
                    return Err(Failure::failed(format!("{error} (nothing of it was loaded)")));
                }
                None => {
                    let hint = self.current.dim_hint();
                    return Ok(hint
                        .map(|dim| (self.options.vector_name.clone(), Shape::Dense(dim)))
                        .into_iter()
                        .collect());
                }
            }
        }
    }

    /// What is to be told of how files are read: which one, and what.
    pub(super) fn notes(&self) -> &[(String, String)] {
        &self.notes
    }

    /// What the first file says of the collection that its rows are of.
    pub(super) fn config(&self) -> Option<CollectionConfig> {
        self.current.config()
    }

    /// What all files say of that collection, those that say nothing left out.
    pub(super) fn said(&self) -> &[Said] {
        &self.said
    }

    /// Values that payloads do not hold and that were changed to the nearest.
    pub(super) fn changed(&self) -> u64 {
        self.changed_before + self.current.changed()
    }

    /// Whether the row that [`shape`](Self::shape) read has its number as its id.
    pub(super) fn is_numbered(&self) -> bool {
        self.ahead.as_ref().is_some_and(|row| row.numbered)
    }

    /// The file that is being read.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of all files, and how many of them have been read; no total when one of them is a pipe.
    pub(super) fn bytes(&self) -> (u64, Option<u64>) {
        (
            self.bytes_before + self.current.progress().bytes,
            self.total_bytes,
        )
    }
}

fn shown(file: &Path) -> String {
    if file.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}

impl Iterator for Source {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(row) = self.ahead.take() {
            return Some(Ok(row));
        }
        loop {
            if let Some(row) = self.current.next() {
                return Some(row);
            }
            let file = self.waiting.pop_front()?;
            let done = self.current.progress();
            self.bytes_before += done.bytes;
            self.changed_before += self.current.changed();
            // Rows without ids go on counting where the last file stopped.
            self.options.first_id = self.options.first_id.saturating_add(done.rows);
            let name = shown(&file);
            let is_stdin = file.as_os_str() == "-";
            match vdb_interop::open(&file, &self.options) {
                // Other files were looked at before the first row was written.
                Ok(source) if is_stdin && source.config().is_some() => {
                    self.waiting.clear();
                    let why = "it says what its collection is like: name it before the other files";
                    return Some(Err(RowError {
                        place: Place {
                            file: name.into(),
                            at: At::File,
                        },
                        field: None,
                        problem: Problem::Collection(why.to_owned()),
                    }));
                }
                Ok(source) => {
                    self.current = source;
                    self.name = name;
                }
                Err(error) => {
                    self.waiting.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}
