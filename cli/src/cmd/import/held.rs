//! Directories that are no program's own: files of which each is a collection, or files of rows.

use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use vdb_interop::Format;
use vdb_interop::faiss::FaissCollection;

use super::Args;
use super::found::{BACKUP, FAISS, Found, Rows, Source, has_ending, name_of, of_rows, picked, stem};
use super::source::{Part, Place};
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::table;

/// So many files that are passed over are told by name.
const TOLD: usize = 5;

/// What there is in a directory.
#[derive(Default)]
pub(super) struct Held {
    backups: Vec<PathBuf>,
    /// Index files of FAISS.
    indexes: Vec<PathBuf>,
    /// Directories with an index of FAISS.
    stores: Vec<PathBuf>,
    rows: Vec<(PathBuf, Format)>,
    /// What is nothing of the kind.
    others: Vec<PathBuf>,
}

impl Held {
    /// What is there; all of it is rows of the format that is asked for, if one is. `all` is whether each file is to
    /// be a collection of its own.
    pub(super) fn of(dir: &Path, asked: Option<Format>, all: bool) -> Outcome<Held> {
        let fail = |error: io::Error| Failure::failed(format!("{}: cannot be read: {error}", dir.display()));
        let mut held = Held::default();
        for entry in std::fs::read_dir(dir).map_err(fail)? {
            held.note(&entry.map_err(fail)?, asked, all);
        }
        for files in [
            &mut held.backups,
            &mut held.indexes,
            &mut held.stores,
            &mut held.others,
        ] {
            files.sort();
        }
        held.rows.sort();
        Ok(held)
    }

    fn note(&mut self, entry: &DirEntry, asked: Option<Format>, all: bool) {
        let path = entry.path();
        let is_backup = has_ending(&path, BACKUP);
        let is_store = FaissCollection::is_at(&path);
        let is_index = is_store || has_ending(&path, FAISS);
        let is_source = is_backup || is_index || Format::of(&path).is_ok();
        // Programs keep notes of their own in files of such names; but the name of a collection may begin with a line.
        let is_note = match entry.file_name().as_encoded_bytes() {
            [b'.', ..] => true,
            [b'_', ..] if all => !is_source,
            [b'_', ..] => asked.is_some() || !(is_backup || is_index),
            _ => false,
        };
        if is_note {
            self.others.extend(is_source.then_some(path));
        } else if !path.is_file() {
            if asked.is_none() && is_store {
                self.stores.push(path);
            } else {
                self.others.push(path);
            }
        } else if let Some(format) = asked {
            // As of a single file, the name counts no more.
            self.rows.push((path, format));
        } else if is_backup {
            self.backups.push(path);
        } else if has_ending(&path, FAISS) {
            self.indexes.push(path);
        } else if let Ok(format) = Format::of(&path) {
            self.rows.push((path, format));
        } else {
            self.others.push(path);
        }
    }

    /// Whether nothing of it could be imported.
    pub(super) fn is_empty(&self) -> bool {
        self.backups.is_empty() && self.indexes.is_empty() && self.stores.is_empty() && self.rows.is_empty()
    }

    /// Says what else could be imported of a directory that is one program's; `index` is a file of that program's own.
    pub(super) fn tell_beside(mut self, index: Option<&str>, args: &Args, out: &Out) {
        self.others = std::mem::take(&mut self.backups);
        self.others.append(&mut self.indexes);
        self.others.append(&mut self.stores);
        self.others.extend(self.rows.drain(..).map(|(file, _)| file));
        if let Some(index) = index {
            self.others
                .retain(|file| file.file_name().is_none_or(|name| name != index));
        }
        self.tell(args, out);
    }

    /// What of it the command line asks for.
    pub(super) fn source(mut self, args: &Args, out: &Out) -> Outcome<Source> {
        let rows = std::mem::take(&mut self.rows);
        if !self.backups.is_empty() {
            self.others.append(&mut self.indexes);
            self.others.append(&mut self.stores);
            self.others.extend(rows.into_iter().map(|(file, _)| file));
            self.tell(args, out);
            return collections(self.backups, BACKUP, Place::Backup, args);
        }
        // A directory beside rows is no part of their table, whatever is in it.
        if self.indexes.is_empty() && !rows.is_empty() {
            self.others.append(&mut self.stores);
        } else {
            self.indexes.append(&mut self.stores);
            self.indexes.sort();
        }
        self.tell(args, out);
        if rows.is_empty() && !self.indexes.is_empty() {
            return collections(self.indexes, FAISS, Place::Faiss, args);
        }
        if self.indexes.is_empty() && args.all && !rows.is_empty() {
            return each(rows, args);
        }
        let shown = args.source.display();
        let first = rows.first().map(|(_, format)| *format);
        let is_one = rows.iter().all(|(_, format)| Some(*format) == first);
        if first.is_some() && is_one && self.indexes.is_empty() {
            let files: Vec<PathBuf> = rows.into_iter().map(|(file, _)| file).collect();
            tell_together(&files, args, out);
            return Ok(of_rows(name_of(&args.source, args)?, files, None));
        }
        Err(Failure::failed(match (rows.len() + self.indexes.len()) as u64 {
            0 => format!(
                "{shown}: nothing to import: a directory of qdrant-client has a meta.json, one of Chroma a chroma.sqlite3, one with an \
                 index of FAISS an index.faiss, and there are neither .backup files in it nor files of rows"
            ),
            files => format!(
                "{shown}: there are {} of several formats or collections in it: import them one by one, or, where all are files of \
                 rows, each as a collection of its own with --all",
                table::counted(files, "file")
            ),
        }))
    }

    /// Says what of the directory is not read, so that nothing stays behind unseen.
    fn tell(&self, args: &Args, out: &Out) {
        let mut others: Vec<&PathBuf> = self.others.iter().collect();
        others.sort();
        let names = others.iter().filter_map(|path| path.file_name());
        let mut told: Vec<String> = names
            .take(TOLD)
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        let left = others.len().saturating_sub(TOLD) as u64;
        if left > 0 {
            told.push(format!("{} more", table::count(left)));
        }
        if !told.is_empty() {
            out.warn(format_args!(
                "{}: passed over: {}",
                args.source.display(),
                told.join(", ")
            ));
        }
    }
}

/// Says that files become one collection, where the name that was asked for is that of only one of them.
fn tell_together(files: &[PathBuf], args: &Args, out: &Out) {
    let Some(asked) = args.collection.as_ref().filter(|_| files.len() > 1) else {
        return;
    };
    if files.iter().any(|file| called(file) == *asked) {
        out.warn(format_args!(
            "{}: all {} become the collection {asked}, and not only the one of its name: name that file as the \
             source, or say --all, with which each is a collection of its own",
            args.source.display(),
            table::counted(files.len() as u64, "file")
        ));
    }
}

/// What a file is called as a collection.
fn called(file: &Path) -> String {
    stem(file).unwrap_or_else(|| {
        file.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    })
}

/// The names of files as collections, which are different ones.
fn names_of<'a>(files: impl Iterator<Item = &'a PathBuf>, args: &Args) -> Outcome<Vec<String>> {
    let names: Vec<String> = files.map(|file| called(file)).collect();
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())).cloned() {
        None => Ok(names),
        Some(twice) => Err(Failure::failed(format!(
            "{}: two files in it would be the collection {twice:?}: rename one",
            args.source.display()
        ))),
    }
}

/// Files of which each is a collection with its settings.
fn collections(
    files: Vec<PathBuf>,
    format: &'static str,
    place: fn(PathBuf) -> Place,
    args: &Args,
) -> Outcome<Source> {
    let names = names_of(files.iter(), args)?;
    let asked = picked(names.iter().map(String::as_str).collect(), args)?;
    let all = names.into_iter().zip(files);
    let parts = all.filter(|(name, _)| asked.contains(name));
    Ok(Source::Collections(Found {
        format,
        parts: parts.map(|(name, file)| Part::new(name, place(file))).collect(),
        aliases: Vec::new(),
    }))
}

/// Files of rows of which each is a collection.
fn each(files: Vec<(PathBuf, Format)>, args: &Args) -> Outcome<Source> {
    let names = names_of(files.iter().map(|(file, _)| file), args)?;
    let one = |(collection, (file, format))| Rows {
        collection,
        files: vec![file],
        format: Some(format),
    };
    Ok(Source::Rows(names.into_iter().zip(files).map(one).collect()))
}
