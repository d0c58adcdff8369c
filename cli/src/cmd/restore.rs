//! `vdb restore`: what a snapshot holds, back into a database.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;
use vdb::{Control, Database, RestoreMode};

use crate::failure::{Failure, Outcome};
use crate::open::{self, Home};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, table};

const AFTER: &str = "\
The database is created where there is none. Everything is read and checked before anything of it changes.

With --json the answer is {\"collections\": [{\"name\": .., \"points\": N}]}.

Examples:
  vdb restore my.db backup-monday
  vdb restore my.db words.tar --name old-words
  vdb restore my.db backup-monday --name words --replace";

/// Bring back the collections of a snapshot
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database
    db: PathBuf,

    /// Directory or .tar file that `vdb snapshot` made
    from: PathBuf,

    /// Restore one collection: that of a collection's snapshot under this name, or the one of this name out of a
    /// database's snapshot
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Replace collections of the same names
    #[arg(long)]
    replace: bool,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    // The snapshot first: a name that is wrong leaves no empty database behind.
    vdb::snapshot_info(&args.from).map_err(|e| no_snapshot(args, &e))?;
    interrupt::watch();
    let collections = Home::at(&args.db).with(open::builder(), |db| restore(args, db, out))?;
    out.answer(&json!({ "collections": collections }), || {
        let one = |c: &Restored| {
            format!(
                "restored {} ({}) into {}",
                c.name,
                table::counted(c.points, "point"),
                args.db.display()
            )
        };
        let mut lines: Vec<String> = collections.iter().map(one).collect();
        lines.extend(
            collections
                .iter()
                .flat_map(|c| &c.aliases)
                .map(|(alias, to, was)| match was {
                    Some(was) => format!("the alias {alias} stands for {to} now, and no longer for {was}"),
                    None => format!("the alias {alias} stands for {to}"),
                }),
        );
        if lines.is_empty() {
            lines.push("the snapshot holds no collections".to_owned());
        }
        lines.join("\n")
    })
}

fn no_snapshot(args: &Args, error: &vdb::Error) -> Failure {
    let from = args.from.display();
    if Database::builder().create(false).open(&args.from).is_ok() {
        return Failure::failed(format!(
            "{from}: this is a database, not a snapshot; `vdb snapshot {from} DIR` makes one, which can be restored"
        ));
    }
    Failure::failed(format!("cannot read the snapshot {from}: {error}"))
}

/// A collection that was restored. `aliases`: which, what they stand for, what they stood for before.
#[derive(Serialize)]
struct Restored {
    name: String,
    points: u64,
    #[serde(skip)]
    aliases: Vec<(String, String, Option<String>)>,
}

fn restore(args: &Args, db: &Database, out: &Out) -> Outcome<Vec<Restored>> {
    if let Some(name) = &args.name
        && let Some((_, target)) = db.aliases().iter().find(|(alias, _)| alias == name)
    {
        return Err(Failure::failed(format!(
            "{name:?} is an alias of {target}; give another --name (--name {target} --replace takes the place of that \
             collection), or remove the alias first with `vdb collections unalias`"
        )));
    }
    let mode = if args.replace {
        RestoreMode::Replace
    } else {
        RestoreMode::New
    };
    let before = db.aliases();
    let bar = progress::bar(out, "restoring", None, Unit::Bytes);
    let report = |done: u64, total: u64| progress::report(&bar, Unit::Bytes, done, total);
    let control = Control::new(&interrupt::asked_to_stop, &report);
    let restored = match &args.name {
        Some(name) => db
            .restore_collection(&args.from, name, mode, &control)
            .map(|_| vec![name.clone()]),
        None => db.restore_all(&args.from, mode, &control),
    };
    bar.finish_and_clear();
    let names = restored.map_err(|error| {
        let taken = matches!(error, vdb::Error::NameTaken { .. });
        let failure = Failure::from(error);
        if taken {
            return failure
                .and("replace collections with --replace, or restore one under another name with --name");
        }
        match failure {
            Failure::Interrupted(_) | Failure::TimedOut(_) => failure.and("nothing was changed"),
            Failure::Failed(_) | Failure::Usage(_) | Failure::Reported | Failure::ClosedPipe => failure,
        }
    })?;
    let mut collections = Vec::new();
    for name in names {
        let points = db.collection(&name)?.count(None)?;
        let was = |alias: &String| {
            before
                .iter()
                .find(|(known, _)| known == alias)
                .map(|(_, to)| to.clone())
        };
        let aliases = db
            .aliases()
            .into_iter()
            .filter(|pair| pair.1 == name && !before.contains(pair))
            .map(|(alias, to)| {
                let was = was(&alias);
                (alias, to, was)
            });
        collections.push(Restored {
            aliases: aliases.collect(),
            name,
            points,
        });
    }
    Ok(collections)
}
