//! Replacing a file so that a crash leaves the old bytes or the new ones, whole.
//!
//! Write a temporary file beside it, sync, rename over the name, sync the directory: a name's new content is durable
//! only when [`replace`] has returned.

use crate::{Disk, Error, Result, path};

/// How the names of files end that a crash may have left half written.
pub const TEMP_SUFFIX: &str = ".tmp";

/// Makes `bytes` the content of `name` in `dir`.
///
/// # Errors
/// After an error the name may have either content, before and after a crash; no other file is touched.
pub fn replace(disk: &dyn Disk, dir: &str, name: &str, bytes: &[u8]) -> Result<()> {
    replace_with(disk, dir, name, |temp| {
        let file = disk.create(temp)?;
        file.write_all_at(bytes, 0)?;
        file.sync_all()
    })
}

/// As [`replace`], for content that `write` puts into the file at the path it is given. It must leave that file
/// synced. Whatever it returns is handed on.
///
/// # Errors
/// Those of `write` and of the disk; see [`replace`].
pub fn replace_with<T, E: From<Error>>(
    disk: &dyn Disk,
    dir: &str,
    name: &str,
    write: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, E> {
    let to = path::join(dir, name);
    let temp = format!("{to}{TEMP_SUFFIX}");
    let written = write(&temp).and_then(|value| Ok(disk.rename(&temp, &to).map(|()| value)?));
    match written {
        Ok(value) => {
            disk.sync_dir(dir)?;
            Ok(value)
        }
        Err(error) => {
            // Out of space is the likely cause: do not keep any. What stays is found by `remove_temps`.
            let _ = disk.remove(&temp);
            Err(error)
        }
    }
}

/// Removes what interrupted replacements have left in `dir`, and returns the names. For when no replacement runs.
pub fn remove_temps(disk: &dyn Disk, dir: &str) -> Result<Vec<String>> {
    let mut names = disk.list(dir)?;
    names.retain(|name| name.ends_with(TEMP_SUFFIX));
    for name in &names {
        disk.remove(&path::join(dir, name))?;
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
