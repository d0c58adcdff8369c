//! What a source is, and what is in it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use vdb::{CollectionConfig, Point, VectorParams};
use vdb_interop::chroma::{ChromaCollection, ChromaStore};
use vdb_interop::faiss::{FaissCollection, FaissOptions};
use vdb_interop::qdrant::{Backup, Described, ImportOptions, LocalCollection, LocalStore};
use vdb_interop::{FileKind, Format, RowError, SNIFFED, sniff};

use super::Args;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, parse, table};

/// The ending of backups, and of index files of FAISS.
const BACKUP: &str = "backup";
pub(super) const FAISS: &str = "faiss";

/// What a source is.
pub(super) enum Source {
    /// A file of rows, for a collection of this name; its format where only its content tells.
    Rows(String, Option<Format>),
    /// Collections with their settings.
    Collections(Found),
}

/// The collections to import.
pub(super) struct Found {
    /// What they are kept as, for the answer.
    pub(super) format: &'static str,
    pub(super) parts: Vec<Part>,
    /// Aliases, and the collections that they are of.
    pub(super) aliases: Vec<(String, String)>,
}

/// A collection that is to be imported.
pub(super) struct Part {
    /// The collection to make.
    name: String,
    place: Place,
}

enum Place {
    /// A file of its own.
    Backup(PathBuf),
    /// A collection of a directory of Qdrant's client.
    Local(Rc<LocalStore>),
    /// A collection of a directory of Chroma.
    Chroma(Rc<ChromaStore>),
    /// An index file of FAISS, or a directory with one and its metadata.
    Faiss(PathBuf),
}

/// A collection that was read to its end and is sound.
pub(super) struct Checked {
    pub(super) name: String,
    content: Content,
}

enum Content {
    Backup(Backup<File>),
    Local(LocalCollection),
    Chroma(ChromaCollection),
    Faiss(FaissCollection),
}

impl Source {
    /// Looks at the source, and picks what the command line asks for.
    pub(super) fn find(args: &Args, out: &Out) -> Outcome<Source> {
        let path = &args.source;
        let missing = |error| Failure::failed(format!("{}: cannot be read: {error}", path.display()));
        if std::fs::metadata(path).map_err(missing)?.is_dir() {
            return directory(args).map(Source::Collections);
        }
        // A format that is asked for is one of rows.
        let is_asked = args.reading.format().is_some();
        for format in [BACKUP, FAISS] {
            if has_ending(path, format) && !is_asked {
                return file(args, format);
            }
        }
        let error = match args.reading.format().map_or_else(|| Format::of(path), Ok) {
            Ok(_) => return Ok(Source::Rows(name_of(path, args)?, None)),
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
            Some(FileKind::Rows(format)) => Ok(Source::Rows(name_of(path, args)?, Some(format))),
            None => Err(Failure::from(error).and(
                "or a backup of qdrant-client, which ends in .backup, or a directory of its local mode, which has a meta.json, an \
                 index of FAISS, which ends in .faiss, or a directory of Chroma, which has a chroma.sqlite3",
            )),
        }
    }
}

/// A file that is a collection.
fn file(args: &Args, format: &'static str) -> Outcome<Source> {
    let path = args.source.clone();
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

/// The name asked for, or the file's without its ending.
fn name_of(path: &Path, args: &Args) -> Outcome<String> {
    if let Some(name) = &args.collection {
        return Ok(name.clone());
    }
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.map(str::to_owned).ok_or_else(|| {
        Failure::usage(format!(
            "{}: its name is no text; say with --collection what the collection is to be called",
            path.display()
        ))
    })
}

/// The collections of a directory that the command line asks for.
fn directory(args: &Args) -> Outcome<Found> {
    let shown = args.source.display();
    if LocalStore::is_at(&args.source) {
        let store = Rc::new(LocalStore::open(&args.source)?);
        let names = picked(store.names(), args)?;
        let part = |name| Part {
            name,
            place: Place::Local(store.clone()),
        };
        let aliases = store.aliases().iter();
        return Ok(Found {
            format: "qdrant_local",
            parts: names.into_iter().map(part).collect(),
            aliases: aliases.map(|(alias, of)| (alias.clone(), of.clone())).collect(),
        });
    }
    if ChromaStore::is_at(&args.source) {
        let store = Rc::new(ChromaStore::open(&args.source)?);
        let names = picked(store.names(), args)?;
        let part = |name| Part {
            name,
            place: Place::Chroma(store.clone()),
        };
        return Ok(Found {
            format: "chroma",
            parts: names.into_iter().map(part).collect(),
            aliases: Vec::new(),
        });
    }
    if FaissCollection::is_at(&args.source) {
        return Ok(Found {
            format: FAISS,
            parts: vec![Part {
                name: name_of(&args.source, args)?,
                place: Place::Faiss(args.source.clone()),
            }],
            aliases: Vec::new(),
        });
    }
    let fail = |error: std::io::Error| Failure::failed(format!("{shown}: cannot be read: {error}"));
    let (mut files, mut others) = (Vec::new(), 0);
    for entry in std::fs::read_dir(&args.source).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_file() && has_ending(&path, BACKUP) {
            files.push(path);
        } else if has_ending(&path, FAISS) || Format::of(&path).is_ok() {
            others += 1;
        }
    }
    if files.is_empty() {
        let failure = Failure::failed(format!(
            "{shown}: nothing to import: a directory of qdrant-client has a meta.json, one of Chroma a chroma.sqlite3, one with an \
             index of FAISS an index.faiss, and there are no .backup files in it"
        ));
        return Err(match others {
            0 => failure,
            _ => failure.and(&format!(
                "but {} of other formats, which are imported one by one",
                table::counted(others, "file")
            )),
        });
    }
    files.sort();
    let stem = |file: &Path| {
        file.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let names: Vec<String> = files.iter().map(|file| stem(file)).collect();
    let names = picked(names.iter().map(String::as_str).collect(), args)?;
    let parts = files.into_iter().filter_map(|file| {
        let name = stem(&file);
        names.contains(&name).then_some(Part {
            name,
            place: Place::Backup(file),
        })
    });
    Ok(Found {
        format: BACKUP,
        parts: parts.collect(),
        aliases: Vec::new(),
    })
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

impl Part {
    /// Reads all of it.
    pub(super) fn check(&self, options: ImportOptions, args: &Args, out: &Out) -> Outcome<Checked> {
        let unit = if matches!(self.place, Place::Backup(_)) {
            Unit::Bytes
        } else {
            Unit::Rows
        };
        let bar = progress::bar(out, "checking", None, unit);
        let mut report = |done: u64, total: u64| {
            progress::report(&bar, unit, done, total);
            !interrupt::asked_to_stop()
        };
        let content = match &self.place {
            Place::Backup(path) => open_file(path).and_then(|file| {
                let name = path.display().to_string();
                Ok(Content::Backup(Backup::read(file, &name, options, &mut report)?))
            }),
            Place::Local(store) => store
                .collection(&self.name, options, &mut report)
                .map(Content::Local)
                .map_err(Failure::from),
            Place::Chroma(store) => store
                .collection(&self.name, options, &mut report)
                .map(Content::Chroma)
                .map_err(Failure::from),
            Place::Faiss(path) => {
                let options = FaissOptions {
                    import: options,
                    id_key: args.id_key.clone(),
                    distance: args.distance,
                };
                FaissCollection::read(path, &options, &mut report)
                    .map(Content::Faiss)
                    .map_err(Failure::from)
            }
        };
        bar.finish_and_clear();
        if interrupt::asked_to_stop() {
            return Err(Failure::Interrupted(
                "interrupted: nothing was imported".to_owned(),
            ));
        }
        let content = content.map_err(|failure| failure.and("nothing was imported"))?;
        Ok(Checked {
            name: self.name.clone(),
            content,
        })
    }
}

fn open_file(path: &Path) -> Outcome<File> {
    File::open(path).map_err(|error| Failure::failed(format!("{}: cannot be read: {error}", path.display())))
}

impl Checked {
    pub(super) fn described(&self) -> &Described {
        match &self.content {
            Content::Backup(backup) => backup.described(),
            Content::Local(collection) => collection.described(),
            Content::Chroma(collection) => collection.described(),
            Content::Faiss(collection) => collection.described(),
        }
    }

    pub(super) fn points(&self) -> u64 {
        match &self.content {
            Content::Backup(backup) => backup.points(),
            Content::Local(collection) => collection.points(),
            Content::Chroma(collection) => collection.points(),
            Content::Faiss(collection) => collection.points(),
        }
    }

    pub(super) fn with_vectors(&self) -> u64 {
        match &self.content {
            Content::Backup(backup) => backup.with_vectors(),
            Content::Local(collection) => collection.with_vectors(),
            Content::Chroma(collection) => collection.with_vectors(),
            Content::Faiss(collection) => collection.with_vectors(),
        }
    }

    pub(super) fn into_points(self) -> Outcome<Box<dyn Iterator<Item = Result<Point, RowError>>>> {
        Ok(match self.content {
            Content::Backup(backup) => Box::new(backup.into_points()?),
            Content::Local(collection) => Box::new(collection.into_points()?),
            Content::Chroma(collection) => Box::new(collection.into_points()?),
            Content::Faiss(collection) => Box::new(collection.into_points()?),
        })
    }

    /// Says what was found, and what of it is not kept.
    pub(super) fn tell(&self, out: &Out) {
        let described = self.described();
        tell(
            &self.name,
            self.points(),
            &described.config,
            &described.warnings,
            out,
        );
    }
}

/// Says what a collection is like, and what to be aware of.
pub(super) fn tell(name: &str, points: u64, config: &CollectionConfig, warnings: &[String], out: &Out) {
    let named = |name: &str| {
        if name.is_empty() {
            String::new()
        } else {
            format!("{name}: ")
        }
    };
    let dense = |(name, params): &(String, VectorParams)| {
        let rows = if params.multivector.is_some() {
            " a row"
        } else {
            ""
        };
        let element = parse::element_name(params.element);
        format!(
            "{}{} {element} numbers{rows}, {}",
            named(name),
            params.size,
            params.distance
        )
    };
    let vectors: Vec<String> = config.vectors.iter().map(dense).collect();
    let sparse = config
        .sparse_vectors
        .iter()
        .map(|(name, _)| format!("{}sparse", named(name)));
    let vectors: Vec<String> = vectors.into_iter().chain(sparse).collect();
    let points = table::counted(points, "point");
    out.note(format_args!("{name}: {points}; {}", vectors.join("; ")));
    for warning in warnings {
        out.warn(format_args!("{name}: {warning}"));
    }
}
