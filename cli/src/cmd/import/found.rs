//! What a source turned out to be, and what its collections are called.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use vdb_interop::Format;

use super::Args;
use super::source::Part;
use crate::failure::{Failure, Outcome};
use crate::table;

/// The ending of backups, and of index files of FAISS.
pub(super) const BACKUP: &str = "backup";
pub(super) const FAISS: &str = "faiss";
/// The endings of rows of text that were packed.
const PACKED: [&str; 2] = ["gz", "zst"];

/// What a source is.
pub(super) enum Source {
    /// Rows of one collection, or of several.
    Rows(Vec<Rows>),
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

/// Rows of one collection.
pub(super) fn of_rows(collection: String, files: Vec<PathBuf>, format: Option<Format>) -> Source {
    Source::Rows(vec![Rows {
        collection,
        files,
        format,
    }])
}

/// Whether a name has this ending, in any case.
pub(super) fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// The name asked for, or the file's.
pub(super) fn name_of(path: &Path, args: &Args) -> Outcome<String> {
    if let Some(name) = &args.collection {
        return Ok(name.clone());
    }
    let mut path = path.to_owned();
    if path.file_name().is_none() {
        // `.` and `..` have a name as well, once it is looked for.
        path = path.canonicalize().unwrap_or(path);
    }
    stem(&path).ok_or_else(|| {
        Failure::usage(format!(
            "{}: its name is no text; say with --collection what the collection is to be called",
            path.display()
        ))
    })
}

/// The name of a file without its ending, and without `.gz` or `.zst` after that, if it is text.
pub(super) fn stem(path: &Path) -> Option<String> {
    let is_packed = PACKED.iter().any(|packed| has_ending(path, packed));
    let unpacked = path.with_extension("");
    let path = if is_packed { &unpacked } else { path };
    path.file_stem()?.to_str().map(str::to_owned)
}

/// The same collections and their aliases, under the names that the command line gives them.
pub(super) fn renamed(mut found: Found, names: &[(String, String)]) -> Outcome<Found> {
    let mut done = BTreeSet::new();
    for (old, new) in names {
        let part = found.parts.iter_mut().find(|part| part.name == *old);
        let part = part.ok_or_else(|| Failure::usage(format!("{old} is renamed and not imported")))?;
        if !done.insert(old) {
            return Err(Failure::usage(format!("{old} is renamed twice")));
        }
        part.target.clone_from(new);
    }
    let mut taken = BTreeMap::new();
    for part in &found.parts {
        if let Some(other) = taken.insert(&part.target, &part.name) {
            return Err(Failure::usage(format!(
                "{other} and {} would both become {}",
                part.name, part.target
            )));
        }
    }
    let parts = &found.parts;
    found.aliases.retain_mut(|(_, of)| {
        let part = parts.iter().find(|part| part.name == *of);
        if let Some(part) = part {
            of.clone_from(&part.target);
        }
        part.is_some()
    });
    Ok(found)
}

/// The names that the command line asks for, among those that there are.
pub(super) fn picked(names: Vec<&str>, args: &Args) -> Outcome<Vec<String>> {
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
