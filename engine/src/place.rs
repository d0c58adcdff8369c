//! Paths of users, outside the database.

use std::path::{Path, PathBuf};

use vdb_vfs::{Disk, OsDisk, path};

use crate::error::{Error, Result};

/// How the name ends of what is written to such a path, until all of it is on the medium.
pub(crate) const PARTIAL: &str = ".partial";

/// The directory that a path lies in, and its name there.
pub(crate) fn locate(given: &Path) -> Result<(OsDisk, String)> {
    let shown = given.display();
    let Some(name) = given.file_name() else {
        return Err(Error::InvalidRequest(format!(
            "{shown}: a path that ends in a name is needed"
        )));
    };
    let name = name
        .to_str()
        .filter(|name| path::check(name).is_ok())
        .ok_or_else(|| {
            Error::InvalidRequest(format!(
                "{shown}: the name at its end must be Unicode, without ':', '\\' and control characters"
            ))
        })?;
    let parent = match given.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Ok((OsDisk::open(parent, false)?, name.to_owned()))
}

/// Refuses a path inside the database, by whatever way, where the next opening would take it for a leftover; `what` is
/// to be written there.
pub(crate) fn refuse_inside(given: &Path, database: &dyn Disk, what: &str) -> Result<()> {
    let root = database.display("");
    if resolved(given).starts_with(resolved(Path::new(&root))) {
        let shown = given.display();
        return Err(Error::InvalidRequest(format!(
            "{shown}: {what} cannot lie inside the database, {root}"
        )));
    }
    Ok(())
}

/// The path without links and `..` as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let known = path.ancestors().find_map(|there| {
        let rest = path.strip_prefix(there).ok()?;
        Some(there.canonicalize().ok()?.join(rest))
    });
    known.unwrap_or(path)
}
