//! Limits that a client has set, in a file of JSON beside the database.

use std::io::{self, Write as _};
use std::path::Path;

use super::QuotaLimits;

/// The limits in a file; `None` if there is none. What cannot be read is told and counts as none: a node that takes in too much
/// is better than one that does not start.
pub(super) fn recall(file: &Path) -> Option<QuotaLimits> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "quotas cannot be read: those of the settings are in force");
            return None;
        }
    };
    let read = serde_json::from_slice::<QuotaLimits>(&text).map_err(|error| error.to_string());
    let checked = read.and_then(|limits| {
        limits
            .validate()
            .map(|()| limits)
            .map_err(|error| error.to_string())
    });
    checked
        .inspect_err(|error| {
            tracing::warn!(file = %file.display(), error, "quotas cannot be read: those of the settings are in force");
        })
        .ok()
}

/// Keeps limits: the file holds the old ones or these, whatever happens.
pub(super) fn keep(file: &Path, limits: QuotaLimits) -> io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut fresh = tempfile::NamedTempFile::new_in(directory)?;
    fresh.write_all(&serde_json::to_vec_pretty(&limits)?)?;
    fresh.as_file().sync_all()?;
    fresh.persist(file).map_err(|error| error.error)?;
    // Without this the name may be that of the old file again after a power cut.
    #[cfg(unix)]
    std::fs::File::open(directory)?.sync_all()?;
    Ok(())
}
