//! What a source is, and what of it the command line asks for.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use vdb_interop::chroma::ChromaStore;
use vdb_interop::faiss::FaissCollection;
use vdb_interop::qdrant::LocalStore;
use vdb_interop::{FileKind, Format, SNIFFED, sniff};

use super::Args;
use super::source::{Part, Place};
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::table;

/// The ending of backups, and of index files of FAISS.
const BACKUP: &str = "backup";
pub(super) const FAISS: &str = "faiss";
/// What directories of Chroma had before version 0.4.
const OLD_CHROMA: &str = "chroma-embeddings.parquet";

/// What a source is.
pub(super) enum Source {
    /// Rows.
    Rows(Rows),
    /// Collections with their settings.
    Collections(Found),
}

/// Rows for one collection.
pub(super) struct Rows {
    pub(super) collection: String,
    /// One, or those of a directory in the order of their names.
    pub(super) files: Vec<PathBuf>,
    /// Their format, where only the content tells.
    pub(super) format: Option<Format>,
}

/// The collections to import.
pub(super) struct Found {
    /// What they are kept as, for the answer.
    pub(super) format: &'static str,
    pub(super) parts: Vec<Part>,
    /// Aliases, and the collections that they are of.
    pub(super) aliases: Vec<(String, String)>,
}

impl Source {
    /// Looks at the source, and picks what the command line asks for.
    pub(super) fn find(args: &Args, out: &Out) -> Outcome<Source> {
        let path = &args.source;
        if path.as_os_str() == "-" {
            let collection = args.collection.clone().ok_or_else(|| {
                Failure::usage(
                    "standard input has no name: say with --collection what the collection is to be called",
                )
            })?;
            return Ok(rows(collection, vec![path.clone()], None));
        }
        let missing = |error| Failure::failed(format!("{}: cannot be read: {error}", path.display()));
        if std::fs::metadata(path).map_err(missing)?.is_dir() {
            return directory(args);
        }
        // A format that is asked for is one of rows.
        let is_asked = args.reading.format().is_some();
        for format in [BACKUP, FAISS] {
            if has_ending(path, format) && !is_asked {
                return file(args, format);
            }
        }
        let error = match args.reading.format().map_or_else(|| Format::of(path), Ok) {
            Ok(_) => return Ok(rows(name_of(path, args)?, vec![path.clone()], None)),
            Err(error) => error,
        };
        let seems = seems(path).map_err(missing)?;
        if let Some(seems) = seems {
            let shown = path.display();
            out.note(format_args!(
                "{shown} is read as {}, which it begins as",
                name_of_kind(seems)
            ));
        }
        match seems {
            Some(FileKind::Pickle) => file(args, BACKUP),
            Some(FileKind::Faiss) => file(args, FAISS),
            Some(FileKind::Rows(format)) => {
                Ok(rows(name_of(path, args)?, vec![path.clone()], Some(format)))
            }
            None => Err(Failure::from(error).and(
                "or a backup of qdrant-client, which ends in .backup, or a directory of its local mode, which has a meta.json, an \
                 index of FAISS, which ends in .faiss, or a directory of Chroma, which has a chroma.sqlite3",
            )),
        }
    }
}

fn rows(collection: String, files: Vec<PathBuf>, format: Option<Format>) -> Source {
    Source::Rows(Rows {
        collection,
        files,
        format,
    })
}

/// A file that is a collection.
fn file(args: &Args, format: &'static str) -> Outcome<Source> {
    let path = args.source.clone();
    if !path.is_file() {
        return Err(Failure::failed(format!(
            "{}: it is no regular file, and a file of this kind is read more than once: save it in one first",
            path.display()
        )));
    }
    Ok(Source::Collections(Found {
        format,
        parts: vec![Part {
            name: name_of(&path, args)?,
            place: if format == FAISS {
                Place::Faiss(path)
            } else {
                Place::Backup(path)
            },
        }],
        aliases: Vec::new(),
    }))
}

/// What a file seems to be. Pipes are read once and in order, so that nothing is read of them here.
fn seems(path: &Path) -> std::io::Result<Option<FileKind>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut start = Vec::new();
    file.take(SNIFFED as u64).read_to_end(&mut start)?;
    Ok(sniff(&start))
}

fn name_of_kind(kind: FileKind) -> String {
    match kind {
        FileKind::Rows(format) => format.to_string(),
        FileKind::Pickle => "a backup of qdrant-client".to_owned(),
        FileKind::Faiss => "an index of FAISS".to_owned(),
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// The name asked for, or the file's without its ending, and without `.gz` after that.
fn name_of(path: &Path, args: &Args) -> Outcome<String> {
    if let Some(name) = &args.collection {
        return Ok(name.clone());
    }
    let unpacked = path.with_extension("");
    let path = if has_ending(path, "gz") { &unpacked } else { path };
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.map(str::to_owned).ok_or_else(|| {
        Failure::usage(format!(
            "{}: its name is no text; say with --collection what the collection is to be called",
            path.display()
        ))
    })
}

/// What of a directory the command line asks for: collections, or rows.
fn directory(args: &Args) -> Outcome<Source> {
    if let Some(found) = store(args)? {
        return Ok(Source::Collections(found));
    }
    if args.source.join(OLD_CHROMA).is_file() {
        return Err(Failure::failed(format!(
            "{}: this is a directory of Chroma before version 0.4, which has {OLD_CHROMA}: make a new one of it with chroma-migrate (of \
             PyPI), and import that",
            args.source.display()
        )));
    }
    let mut held = Held::of(&args.source, args.reading.format())?;
    if held.backups.is_empty() {
        return held.rows(args);
    }
    held.backups.sort();
    let stem = |file: &Path| {
        file.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let names: Vec<String> = held.backups.iter().map(|file| stem(file)).collect();
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Failure::failed(format!(
            "{}: two files in it would be the collection {twice:?}: rename one",
            args.source.display()
        )));
    }
    let names = picked(names.iter().map(String::as_str).collect(), args)?;
    let parts = held.backups.into_iter().filter_map(|file| {
        let name = stem(&file);
        names.contains(&name).then_some(Part {
            name,
            place: Place::Backup(file),
        })
    });
    Ok(Source::Collections(Found {
        format: BACKUP,
        parts: parts.collect(),
        aliases: Vec::new(),
    }))
}

/// The collections of a directory that is one program's.
fn store(args: &Args) -> Outcome<Option<Found>> {
    if LocalStore::is_at(&args.source) {
        let store = Rc::new(LocalStore::open(&args.source)?);
        let names = picked(store.names(), args)?;
        let part = |name| Part {
            name,
            place: Place::Local(store.clone()),
        };
        let aliases = store.aliases().iter();
        return Ok(Some(Found {
            format: "qdrant_local",
            parts: names.into_iter().map(part).collect(),
            aliases: aliases.map(|(alias, of)| (alias.clone(), of.clone())).collect(),
        }));
    }
    if ChromaStore::is_at(&args.source) {
        let store = Rc::new(ChromaStore::open(&args.source)?);
        let names = picked(store.names(), args)?;
        let part = |name| Part {
            name,
            place: Place::Chroma(store.clone()),
        };
        return Ok(Some(Found {
            format: "chroma",
            parts: names.into_iter().map(part).collect(),
            aliases: Vec::new(),
        }));
    }
    if FaissCollection::is_at(&args.source) {
        return Ok(Some(Found {
            format: FAISS,
            parts: vec![Part {
                name: name_of(&args.source, args)?,
                place: Place::Faiss(args.source.clone()),
            }],
            aliases: Vec::new(),
        }));
    }
    Ok(None)
}

/// The files in a directory that is no one's.
struct Held {
    backups: Vec<PathBuf>,
    rows: Vec<(PathBuf, Format)>,
    indexes: u64,
}

impl Held {
    /// What is there; all of it is rows of the format that is asked for, if one is.
    fn of(dir: &Path, asked: Option<Format>) -> Outcome<Held> {
        let fail =
            |error: std::io::Error| Failure::failed(format!("{}: cannot be read: {error}", dir.display()));
        let (mut backups, mut rows, mut indexes) = (Vec::new(), Vec::new(), 0);
        for entry in std::fs::read_dir(dir).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let path = entry.path();
            // Programs keep notes of their own in files of such names.
            let is_note = matches!(entry.file_name().as_encoded_bytes(), [b'.' | b'_', ..]);
            if !path.is_file() || is_note {
                continue;
            }
            if let Some(format) = asked {
                // As of a single file, the name counts no more.
                rows.push((path, format));
            } else if has_ending(&path, BACKUP) {
                backups.push(path);
            } else if has_ending(&path, FAISS) {
                indexes += 1;
            } else if let Ok(format) = Format::of(&path) {
                rows.push((path, format));
            }
        }
        Ok(Held {
            backups,
            rows,
            indexes,
        })
    }

    /// Rows of one format are one collection.
    fn rows(mut self, args: &Args) -> Outcome<Source> {
        let shown = args.source.display();
        self.rows.sort();
        let first = self.rows.first().map(|(_, format)| *format);
        let is_one = self.rows.iter().all(|(_, format)| Some(*format) == first);
        if first.is_some() && is_one && self.indexes == 0 {
            let files = self.rows.into_iter().map(|(file, _)| file).collect();
            return Ok(rows(name_of(&args.source, args)?, files, None));
        }
        Err(Failure::failed(match self.rows.len() as u64 + self.indexes {
            0 => format!(
                "{shown}: nothing to import: a directory of qdrant-client has a meta.json, one of Chroma a chroma.sqlite3, one with an \
                 index of FAISS an index.faiss, and there are neither .backup files in it nor files of rows"
            ),
            files => format!(
                "{shown}: there are {} of several formats or collections in it: import them one by one",
                table::counted(files, "file")
            ),
        }))
    }
}

/// The names that the command line asks for, among those that there are.
fn picked(names: Vec<&str>, args: &Args) -> Outcome<Vec<String>> {
    let shown = args.source.display();
    match (&args.collection, names.as_slice()) {
        (Some(asked), _) if names.contains(&asked.as_str()) => Ok(vec![asked.clone()]),
        (Some(asked), _) => {
            let known = names.join(", ");
            Err(Failure::failed(format!(
                "{shown}: there is no collection {asked:?}; there is {known}"
            )))
        }
        (None, []) => Err(Failure::failed(format!(
            "{shown}: there are no collections in it"
        ))),
        (None, [only]) => Ok(vec![(*only).to_owned()]),
        (None, _) if args.all => Ok(names.into_iter().map(str::to_owned).collect()),
        (None, _) => Err(Failure::usage(format!(
            "{shown} has {}: {}; say --all, or which with --collection",
            table::counted(names.len() as u64, "collection"),
            names.join(", ")
        ))),
    }
}
