//! Is a snapshot what was written? Nothing is unpacked for that: its index has the checksum of every file.

use std::path::Path;

use vdb_index::Control;

use super::source::Source;
use crate::damage::describe;
use crate::error::{Error, Result};
use crate::layout::file_path;
use crate::meter::Meter;
use crate::verify::{Problem, Severity, VerifyReport};

const ADVICE: &str =
    "the snapshot cannot be restored: take another one, and keep this one only for want of a better";

/// Reads all of a snapshot and says what is wrong with it.
///
/// # Errors
/// When nothing is there, and [`Error::Cancelled`]. Damage is in the report.
pub(super) fn check(given: &Path, control: &Control<'_>) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    let opened = Source::open(given).and_then(|source| {
        let index = source.read_index()?;
        Ok((source, index))
    });
    let (source, index) = match opened {
        Ok(opened) => opened,
        Err(error) if error.is_confined() && given_exists(&error, given) => {
            note(&mut report, None, &given.display().to_string(), &error);
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    let bytes = index
        .files()
        .map(|(_, file)| file.len)
        .fold(0, u64::saturating_add);
    let mut meter = Meter::new(control, bytes);
    report.files = 1;
    for collection in &index.collections {
        report.collections += 1;
        report.rows += collection.points;
        for file in &collection.files {
            let path = file_path(collection.id, &file.name);
            let read = source
                .whole(&path, file)
                .and_then(|file| file.read(&mut meter, |_, _| Ok(())));
            match read {
                Ok(()) => {
                    report.files += 1;
                    report.bytes += file.len;
                }
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => note(
                    &mut report,
                    Some(collection.name.clone()),
                    &source.display(&path),
                    &error,
                ),
            }
        }
    }
    Ok(report)
}

/// A snapshot that is not there is no damaged one.
fn given_exists(error: &Error, given: &Path) -> bool {
    let missing = matches!(error.disk(), Some(vdb_vfs::Error::NotFound { .. }));
    !missing || vdb_vfs::OsDisk::open(given, false).is_ok()
}

fn note(report: &mut VerifyReport, collection: Option<String>, file: &str, error: &Error) {
    let (found, offset, what) = describe(error);
    report.problems.push(Problem {
        collection,
        file: found.unwrap_or_else(|| file.to_owned()),
        offset,
        what,
        severity: match error.is_version() {
            true => Severity::OtherVersion,
            false => Severity::Primary,
        },
        advice: ADVICE.to_owned(),
    });
}
