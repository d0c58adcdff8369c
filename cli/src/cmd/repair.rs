//! `vdb repair`: a sound database of what a damaged one still has.

use std::path::PathBuf;

use serde_json::{Value, json};
use vdb::{Control, Loss, RepairReport};

use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, open, table};

const AFTER: &str = "\
Nothing is changed where the damage is: what can be read goes to OUT, a new directory, and what cannot is listed. \
Every byte is compared with its checksum first, so what is kept is what was written; points keep their versions. \
Close the database in other processes before. Until all is done OUT has the suffix .partial.

The exit code is 1 when points or writes are lost. A collection whose name cannot be read is called collection-NUMBER; \
`vdb collections rename` gives it its own again. Graphs are built when OUT is opened, or by `vdb optimize`.

With --json the answer is {\"complete\", \"points\", \"lost_points\", \"files\", \"bytes\", \"holder\", \"collections\": \
[{\"name\", \"number\", \"points\"}], \"losses\": [{\"collection\", \"file\", \"offset\", \"what\", \"ids\", \"unnamed\"}]}; \
\"unnamed\" counts lost points whose ids are not known, and is null where their number is not known either.

Examples:
  vdb repair my.db --dry-run
  vdb repair my.db my-repaired.db
  vdb repair my.db my-repaired.db --json > lost.json";

/// Make a sound database of what can be read of a damaged one
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the damaged database
    db: PathBuf,

    /// Directory of the new database; must not exist
    #[arg(required_unless_present = "dry_run")]
    out: Option<PathBuf>,

    /// Say what would be kept and what is lost, and write nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    if !args.db.exists() {
        return Err(open::missing(&args.db));
    }
    interrupt::watch();
    let bar = progress::bar(out, "reading", None, Unit::Bytes);
    let report = |done: u64, total: u64| progress::report(&bar, Unit::Bytes, done, total);
    let control = Control::new(&interrupt::asked_to_stop, &report);
    let target = args.out.as_ref().filter(|_| !args.dry_run);
    let report = match target {
        Some(target) => vdb::repair(&args.db, target, &control),
        None => vdb::plan_repair(&args.db, &control),
    };
    bar.finish_and_clear();
    let report = report.map_err(|error| {
        let cancelled = matches!(error, vdb::Error::Cancelled);
        let failure = Failure::from(error);
        match cancelled {
            true => failure.and("nothing was written"),
            false => failure,
        }
    })?;
    out.answer(&as_json(&report), || as_text(&report, args))?;
    match report.is_complete() {
        true => Ok(()),
        false => Err(Failure::Reported),
    }
}

fn as_json(report: &RepairReport) -> Value {
    let collections = report
        .collections
        .iter()
        .map(|c| json!({ "name": c.name, "number": c.number, "points": c.points }));
    let loss = |loss: &Loss| {
        json!({
            "collection": loss.collection, "file": loss.file, "offset": loss.offset, "what": loss.what,
            "ids": loss.ids, "unnamed": loss.unnamed,
        })
    };
    json!({
        "complete": report.is_complete(),
        "points": report.points(),
        "lost_points": report.lost_points(),
        "files": report.files,
        "bytes": report.bytes,
        "holder": report.holder,
        "collections": collections.collect::<Vec<_>>(),
        "losses": report.losses.iter().map(loss).collect::<Vec<_>>(),
    })
}

fn as_text(report: &RepairReport, args: &Args) -> String {
    let mut text = format!(
        "{}: read {}, {}",
        args.db.display(),
        table::counted(report.files, "file"),
        table::bytes(report.bytes),
    );
    if let Some(process) = report.holder {
        text.push_str(&format!(
            "\nprocess {process} has it open, or was killed: what it has written meanwhile may be missing"
        ));
    }
    for loss in &report.losses {
        text.push_str(&format!("\n- {loss}"));
    }
    for collection in &report.collections {
        let points = table::counted(collection.points, "point");
        text.push_str(&format!("\n{}: {points} kept", collection.name));
    }
    let place = match (&args.out, args.dry_run) {
        (Some(out), false) => format!("in {}", out.display()),
        (Some(_) | None, _) => "nothing was written".to_owned(),
    };
    text.push_str(&match report.is_complete() {
        true => format!("\nnothing is lost; {place}"),
        false => format!(
            "\n{} known to be lost; {place}",
            table::counted(report.lost_points(), "point")
        ),
    });
    text
}
