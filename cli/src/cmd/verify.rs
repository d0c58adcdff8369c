//! `vdb verify`: is everything on the disk what was written?

use std::path::PathBuf;

use serde_json::{Value, json};
use vdb::{Control, Problem, VerifyReport};

use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, open, table};

const AFTER: &str = "\
Every byte of every file is read and compared with its checksum. Nothing is changed, and a database that does not \
open, or lies on a read-only medium, can be looked at. The exit code is 1 when there is damage. Leftovers of an \
interrupted process are reported and are no damage. A snapshot is checked where it lies, nothing is unpacked.

With --json the answer is {\"sound\", \"lost_data\", \"collections\", \"files\", \"bytes\", \"rows\", \"log_records\", \
\"holder\", \"problems\": [{\"file\", \"offset\", \"what\", \"severity\", \"advice\"}]}.

Examples:
  vdb verify my.db
  vdb verify my.db --json
  vdb verify backup-monday.tar";

/// Read a whole database and report damage
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database, or a snapshot of one (a directory or a .tar file)
    db: PathBuf,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    if !args.db.exists() {
        return Err(open::missing(&args.db));
    }
    interrupt::watch();
    let bar = progress::bar(out, "verifying", None, Unit::Bytes);
    let report = |done: u64, total: u64| progress::report(&bar, Unit::Bytes, done, total);
    let control = Control::new(&interrupt::asked_to_stop, &report);
    let report = match vdb::verify(&args.db, &control) {
        // What is no database may be a snapshot, sound or not.
        Err(error) if is_no_database(&error) && is_like_a_snapshot(&args.db) => {
            vdb::verify_snapshot(&args.db, &control)
        }
        report => report,
    };
    bar.finish_and_clear();
    let report = report?;
    out.answer(&as_json(&report), || as_text(&report, args))?;
    if report.is_sound() {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn is_no_database(error: &vdb::Error) -> bool {
    matches!(
        error,
        vdb::Error::NotADatabase { .. } | vdb::Error::Disk(vdb::DiskError::Io { .. })
    )
}

/// A tar file, or a directory that has the index of a snapshot or what one is about.
fn is_like_a_snapshot(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
        || vdb::snapshot_info(path).is_ok()
        || path.join("snapshot").exists()
}

fn as_json(report: &VerifyReport) -> Value {
    let problem = |p: &Problem| {
        json!({
            "collection": p.collection, "file": p.file, "offset": p.offset, "what": p.what,
            "severity": p.severity.to_string(), "advice": p.advice,
        })
    };
    json!({
        "sound": report.is_sound(),
        "lost_data": report.has_lost_data(),
        "collections": report.collections,
        "files": report.files,
        "bytes": report.bytes,
        "rows": report.rows,
        "log_records": report.log_records,
        "holder": report.holder,
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn as_text(report: &VerifyReport, args: &Args) -> String {
    let mut text = format!(
        "{}: {}, {}, {}, {}, {}",
        args.db.display(),
        table::counted(report.collections, "collection"),
        table::counted(report.files, "file"),
        table::bytes(report.bytes),
        table::counted(report.rows, "row"),
        table::counted(report.log_records, "log record"),
    );
    for problem in &report.problems {
        text.push_str(&format!("\n- {problem}"));
    }
    text.push_str(match (report.is_sound(), report.has_lost_data()) {
        (true, _) => "\nsound",
        (false, false) if report.has_files_of_other_versions() => {
            "\nnot all could be checked: there are files of another version"
        }
        (false, false) => "\ndamaged, but nothing is lost: what is damaged can be made again",
        (false, true) => "\ndamaged: data is lost",
    });
    text
}
