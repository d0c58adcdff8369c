//! What a source is, and what of it the command line asks for.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use vdb_interop::chroma::ChromaStore;
use vdb_interop::faiss::FaissCollection;
use vdb_interop::qdrant::LocalStore;
use vdb_interop::{FileKind, Format, SNIFFED, sniff};

use super::Args;
use super::found::{BACKUP, FAISS, Found, Source, has_ending, name_of, of_rows, picked};
use super::held::Held;
use super::source::{Part, Place};
use crate::failure::{Failure, Outcome};
use crate::open;
use crate::out::Out;

/// What directories of Chroma had before version 0.4.
const OLD_CHROMA: &str = "chroma-embeddings.parquet";

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
            return Ok(of_rows(collection, vec![path.clone()], None));
        }
        let missing = |error| Failure::failed(format!("{}: cannot be read: {error}", path.display()));
        if std::fs::metadata(path).map_err(missing)?.is_dir() {
            return directory(args, out);
        }
        // A format that is asked for is one of rows.
        let is_asked = args.reading.format().is_some();
        for format in [BACKUP, FAISS] {
            if has_ending(path, format) && !is_asked {
                return file(args, format);
            }
        }
        let error = match args.reading.format().map_or_else(|| Format::of(path), Ok) {
            Ok(_) => return Ok(of_rows(name_of(path, args)?, vec![path.clone()], None)),
            Err(error) => error,
        };
        if let Some(why) = elsewhere(path) {
            return Err(Failure::failed(format!("{}: {why}", path.display())));
        }
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
                Ok(of_rows(name_of(path, args)?, vec![path.clone()], Some(format)))
            }
            None => Err(Failure::from(error).and(
                "or a backup of qdrant-client, which ends in .backup, or a directory of its local mode, which has a meta.json, an \
                 index of FAISS, which ends in .faiss, or a directory of Chroma, which has a chroma.sqlite3",
            )),
        }
    }
}

/// What to do with what is no source by itself, or one of another command.
fn elsewhere(path: &Path) -> Option<&'static str> {
    let is_called = |names: &[&str]| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| names.contains(&name))
    };
    if is_called(&["metadata.pkl", "index.pkl"]) && path.parent().is_some_and(FaissCollection::is_at) {
        return Some("it lies beside an index of FAISS: the directory with both is the source");
    }
    if has_ending(path, "snapshot") && path.is_file() {
        return Some(
            "a snapshot of a Qdrant server is read by one: recover it there, then `vdb migrate --from http://HOST:6334`",
        );
    }
    if path.join("raft_state.json").is_file() {
        return Some(
            "this is the storage of a Qdrant server: start the server, then `vdb migrate --from http://HOST:6334`",
        );
    }
    if path.is_dir() && vdb::snapshot_info(path).is_ok() {
        return Some("this is a snapshot of vdb: `vdb restore` brings it into a database");
    }
    if path.is_dir() && open::read_only(path).is_ok() {
        return Some("this is a database of vdb: `vdb migrate --from DIR --to DB` copies its collections");
    }
    None
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
        parts: vec![Part::new(
            name_of(&path, args)?,
            if format == FAISS {
                Place::Faiss(path)
            } else {
                Place::Backup(path)
            },
        )],
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

/// What of a directory the command line asks for: collections, or rows.
fn directory(args: &Args, out: &Out) -> Outcome<Source> {
    if let Some(found) = store(args)? {
        let index = (found.format == FAISS).then_some(FaissCollection::INDEX);
        Held::of(&args.source, None, true)?.tell_beside(index, args, out);
        return Ok(Source::Collections(found));
    }
    if args.source.join(OLD_CHROMA).is_file() {
        return Err(Failure::failed(format!(
            "{}: this is a directory of Chroma before version 0.4, which has {OLD_CHROMA}: make a new one of it with chroma-migrate (of \
             PyPI), and import that",
            args.source.display()
        )));
    }
    let asked = args.reading.format();
    let held = Held::of(&args.source, asked, args.all)?;
    // Files that say of themselves what they are count before what lies around them.
    if (held.is_empty() || asked.is_some())
        && let Some(why) = elsewhere(&args.source)
    {
        return Err(Failure::failed(format!("{}: {why}", args.source.display())));
    }
    held.source(args, out)
}

/// The collections of a directory that is one program's.
fn store(args: &Args) -> Outcome<Option<Found>> {
    if LocalStore::is_at(&args.source) {
        let store = Rc::new(LocalStore::open(&args.source)?);
        let names = picked(store.names(), args)?;
        let part = |name| Part::new(name, Place::Local(store.clone()));
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
        let part = |name| Part::new(name, Place::Chroma(store.clone()));
        return Ok(Some(Found {
            format: "chroma",
            parts: names.into_iter().map(part).collect(),
            aliases: Vec::new(),
        }));
    }
    if FaissCollection::is_at(&args.source) {
        return Ok(Some(Found {
            format: FAISS,
            parts: vec![Part::new(
                name_of(&args.source, args)?,
                Place::Faiss(args.source.clone()),
            )],
            aliases: Vec::new(),
        }));
    }
    Ok(None)
}
