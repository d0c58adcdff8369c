//! Paths of users, outside the database.

use std::path::Path;

use vdb_vfs::{Disk, OsDisk, path};

use crate::error::{Error, Result};

/// The directory that a path lies in, and its name there.
pub(super) fn locate(given: &Path) -> Result<(OsDisk, String)> {
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
                "{shown}: the name of a snapshot must be Unicode, without ':', '\\' and control characters"
            ))
        })?;
    let parent = match given.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Ok((OsDisk::open(parent, false)?, name.to_owned()))
}

/// Refuses a path inside the database, where the next opening would take it for a leftover.
pub(super) fn refuse_inside(given: &Path, database: &dyn Disk) -> Result<()> {
    let root = database.display("");
    if std::path::absolute(given).is_ok_and(|path| path.starts_with(&root)) {
        let shown = given.display();
        return Err(Error::InvalidRequest(format!(
            "{shown}: a snapshot cannot lie inside its database, {root}"
        )));
    }
    Ok(())
}
