//! A collection of another program, read to its end and checked.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use vdb::{CollectionConfig, Point, VectorParams};
use vdb_interop::RowError;
use vdb_interop::chroma::{ChromaCollection, ChromaStore};
use vdb_interop::faiss::{FaissCollection, FaissOptions};
use vdb_interop::qdrant::{Backup, Described, ImportOptions, LocalCollection, LocalStore};

use super::Args;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, parse, table};

/// A collection that is to be imported.
pub(super) struct Part {
    /// What the source calls it.
    pub(super) name: String,
    /// The collection to make.
    pub(super) target: String,
    pub(super) place: Place,
}

/// Where a collection is.
pub(super) enum Place {
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
    /// What the source calls it.
    pub(super) source: String,
    /// The collection to make.
    pub(super) name: String,
    content: Content,
}

enum Content {
    Backup(Backup<File>),
    Local(LocalCollection),
    Chroma(ChromaCollection),
    Faiss(FaissCollection),
}

impl Part {
    /// One that keeps its name.
    pub(super) fn new(name: String, place: Place) -> Part {
        Part {
            target: name.clone(),
            name,
            place,
        }
    }

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
            source: self.name.clone(),
            name: self.target.clone(),
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
            (self.points(), self.with_vectors()),
            &described.config,
            &described.warnings,
            out,
        );
        let indexes = described.payload_indexes.iter();
        let indexes: Vec<String> = indexes
            .map(|(path, params)| format!("{path} ({})", params.kind.name()))
            .collect();
        if !indexes.is_empty() {
            out.note(format_args!("{}: indexes of {}", self.name, indexes.join(", ")));
        }
    }
}

/// Says what a collection is like, how many points it has and how many of them have vectors, and what to be aware of.
pub(super) fn tell(
    name: &str,
    (points, with_vectors): (u64, u64),
    config: &CollectionConfig,
    warnings: &[String],
    out: &Out,
) {
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
    let bare = points.saturating_sub(with_vectors);
    let mut points = table::counted(points, "point");
    if bare > 0 && !vectors.is_empty() {
        points.push_str(&format!(", {} without vectors", table::count(bare)));
    }
    let vectors = if vectors.is_empty() {
        "no vectors".to_owned()
    } else {
        vectors.join("; ")
    };
    out.note(format_args!("{name}: {points}; {vectors}"));
    for warning in warnings {
        out.warn(format_args!("{name}: {warning}"));
    }
}
