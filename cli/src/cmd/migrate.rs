//! `vdb migrate`: collections from one place to another, servers and directories.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use vdb_migrate::{
    Action, CollectionReport, Endpoint, Event, Existing, MigrateError, Options, Patience, Phase, Report,
    Verification, Watch, default_state,
};

use super::optimize::optimize;
use crate::failure::{Failure, Outcome};
use crate::open::{self, Home};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, parse, table};

/// Where keys are looked for that the command line does not give.
const FROM_KEY: &str = "VDB_FROM_API_KEY";
const TO_KEY: &str = "VDB_TO_API_KEY";

/// How long one call to a server may take, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

const AFTER: &str = "\
FROM and TO are each the URL of a server (Qdrant, a Qdrant cluster, `vdb serve`; the port of gRPC, 6334) or the directory of a \
database. A directory that is read may be in use meanwhile, and is seen as it was at the beginning.

Collections come with their settings, payload indexes, aliases, and points with every kind of vector. What the target has no \
place for is told by name. Limits on requests (strict mode) take effect once the points are there, aliases once they are verified, and \
a server builds graphs after the load (--index-while-copying: during it).

Interrupted (Ctrl-C, a lost connection, a power cut), the same command goes on: how far it came is in a file beside the directory, \
named after it with .migration, or between servers in this directory; --state names another. Points go by their ids, so that none is \
there twice. What is written to the source meanwhile may be missed: stop writes, or bring the target up to date with --existing \
sync, which compares all points, copies what differs and deletes what the source does not have.

At the end counts are compared, and as many points as --verify says, value by value; if anything differs, or an alias is missing, the \
exit code is 1. What an earlier run has finished is counted again, and compared with --verify full.

Keys are safer in the environment than on a command line, which others see: VDB_FROM_API_KEY and VDB_TO_API_KEY.

With --json the answer is {\"from\", \"to\", \"dry_run\", \"collections\": [{\"name\", \"target\", \"action\", \"points\", \"copied\", \
\"deleted\", \"verified\": {\"source_points\", \"target_points\", \"compared\", \"missing\", \"extra\", \"differing\", \
\"differences\": [..], ..}, \"warnings\": [..], \"seconds\"}], \"aliases\": [..], \"aliases_missing\": [..], \"warnings\": [..], \
\"index_s\"}.

Examples:
  vdb migrate --from http://localhost:6334 --to my.db
  vdb migrate --from http://localhost:6334 --to my.db --dry-run
  VDB_TO_API_KEY=... vdb migrate --from my.db --to https://cluster.example:6334 --shards 6 --replication-factor 2
  vdb migrate --from my.db --to http://localhost:6334 --collection birds --rename birds=birds-v2 --verify full
  vdb migrate --from http://old:6334 --to http://new:6334 --existing sync";

/// Copy collections between servers and directories
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Where from: URL of a server, or directory of a database
    #[arg(long, value_name = "FROM")]
    from: String,

    /// Where to: URL of a server, or directory of a database, made if it is not there
    #[arg(long, value_name = "TO")]
    to: String,

    /// Only this collection, or the one of this alias; may be repeated
    #[arg(long, value_name = "NAME")]
    collection: Vec<String>,

    /// Not this collection; may be repeated
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,

    /// Another name for a collection at the target; may be repeated. The last = is the one between the names
    #[arg(long, value_name = "OLD=NEW", value_parser = parse::renaming)]
    rename: Vec<(String, String)>,

    /// Put this before the names of collections that are not renamed
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,

    /// What to do with a collection that is at the target already: nothing at all, write points into it, drop it and make it anew, or
    /// make it equal to the source
    #[arg(long, value_name = "WHAT", default_value = "refuse", value_parser = existing)]
    existing: Existing,

    /// Do not prove that source and target are two places before a collection of the target is changed: the proof makes an empty
    /// collection, which a key may not be allowed to
    #[arg(long)]
    two_places: bool,

    /// Points to compare at the end, value by value: none, full, or about how many
    #[arg(long, value_name = "HOW", default_value = "1000", value_parser = verification)]
    verify: Verification,

    /// Leave aliases out
    #[arg(long)]
    no_aliases: bool,

    /// Take integers of 2^63 and more in payloads along as floating point, where messages have no place for them
    #[arg(long)]
    lossy: bool,

    /// Look at both sides, tell what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Parts of a collection that are copied from a server at once [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    parallel: Option<u32>,

    /// Most points of a call
    #[arg(long, value_name = "N", default_value = "4096")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,

    /// Shards of new collections on a cluster [default: as the source has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    shards: Option<u32>,

    /// Copies of each shard on a cluster [default: as the source has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    replication_factor: Option<u32>,

    /// Copies that must have a write before it is acknowledged [default: as the source has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    write_consistency_factor: Option<u32>,

    /// Let a server build graphs while points come, not after
    #[arg(long)]
    index_while_copying: bool,

    /// Do not merge segments and build graphs at the end, of a directory
    #[arg(long)]
    no_index: bool,

    /// File that says how far the migration is
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Times that a call is tried again when a server is overloaded or away [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
    retries: Option<u32>,

    /// How long one call to a server may take [default: 60]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = parse::seconds)]
    timeout: Option<Duration>,

    /// Key of the server that is read; the environment is a safer place for it
    #[arg(long, value_name = "KEY")]
    from_api_key: Option<String>,

    /// Key of the server that is written to; the environment is a safer place for it
    #[arg(long, value_name = "KEY")]
    to_api_key: Option<String>,
}

fn existing(text: &str) -> Result<Existing, String> {
    Ok(match text {
        "refuse" => Existing::Refuse,
        "append" => Existing::Append,
        "replace" => Existing::Replace,
        "sync" => Existing::Sync,
        _ => return Err("it is refuse, append, replace or sync".to_owned()),
    })
}

fn verification(text: &str) -> Result<Verification, String> {
    match text {
        "none" => Ok(Verification::None),
        "full" => Ok(Verification::Full),
        _ => match text.parse() {
            Ok(points) if points > 0 => Ok(Verification::Sample(points)),
            Ok(_) | Err(_) => Err("it is none, full, or a number of points from 1 on".to_owned()),
        },
    }
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let from = endpoint(&args.from, args.from_api_key.as_ref(), FROM_KEY)?;
    let to = endpoint(&args.to, args.to_api_key.as_ref(), TO_KEY)?;
    check(args, &from, &to)?;
    for side in [&from, &to].into_iter().filter(|side| side.shows_key()) {
        out.warn(format_args!(
            "the key of {side} goes over the network in the clear, for everybody on the way to read: use https"
        ));
    }
    interrupt::watch();
    let state = args.state.clone().unwrap_or_else(|| default_state(&from, &to));
    if !args.dry_run {
        wait_for(&to)?;
    }
    let home = to.directory().map(Home::at);
    let remarks = Arc::new(Mutex::new(Vec::new()));
    let bar = progress::bar(out, "migrating", None, Unit::Rows);
    let watch = watch(bar.clone(), remarks.clone());
    let timeout = args.timeout.unwrap_or(TIMEOUT);
    let outcome = vdb_migrate::run(&from, &to, &state, options(args), timeout, watch);
    bar.finish_and_clear();
    for remark in remarks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        out.note(remark);
    }
    let report = match outcome {
        Ok(report) => report,
        Err(error) => {
            if let Some(home) = home {
                home.forget_if_empty();
            }
            return Err(failure(error, &state));
        }
    };
    for warning in &report.warnings {
        out.warn(warning);
    }
    for one in &report.collections {
        for warning in &one.warnings {
            out.warn(format_args!("{}: {warning}", one.name));
        }
    }
    let index_s = index(args, &to, &report, out)?;
    let mut value = serde_json::to_value(&report)
        .map_err(|error| Failure::failed(format!("the answer has no JSON: {error}")))?;
    value["index_s"] = json!(index_s);
    answer(&report, &value, out)?;
    if report.is_sound() {
        Ok(())
    } else {
        out.warn(format_args!(
            "{} (how far the migration is: {})",
            advice(&report),
            state.display()
        ));
        Err(Failure::Reported)
    }
}

/// What to do about a target that is not as it should be.
fn advice(report: &Report) -> String {
    let unsound = || report.collections.iter().filter(|one| !one.is_sound());
    let added_to = |one: &CollectionReport| one.verified.as_ref().is_some_and(|found| found.more_allowed);
    if unsound().any(|one| !added_to(one)) {
        let others = report.collections.iter().filter(|one| added_to(one));
        let others: Vec<&str> = others.map(|one| one.name.as_str()).collect();
        let but = if others.is_empty() {
            String::new()
        } else {
            // Sync would delete what had been there before.
            format!(
                ", but not with {}, which other points are in: --exclude them",
                others.join(", ")
            )
        };
        return format!("the target is not the same as the source; --existing sync makes it so{but}");
    }
    if unsound().next().is_some() {
        return "the target does not have all that the source has; the same command copies it again"
            .to_owned();
    }
    format!(
        "aliases are missing at the target: {}; the same command tries again, --existing replace takes them from other \
         collections, --no-aliases leaves them out",
        report.aliases_missing.join(", ")
    )
}

fn endpoint(text: &str, key: Option<&String>, variable: &str) -> Outcome<Endpoint> {
    let is_server = text.contains("://");
    let from_environment = || std::env::var(variable).ok().filter(|key| !key.is_empty());
    // A key in the environment is for servers, and does no harm where there is none.
    let key = key
        .cloned()
        .or_else(|| is_server.then(from_environment).flatten());
    Endpoint::parse(text, key).map_err(|error| Failure::usage(error.to_string()))
}

/// Waits, as long as --wait says, for a directory that another process is writing to.
fn wait_for(to: &Endpoint) -> Outcome {
    let held = to
        .directory()
        .filter(|dir| std::fs::read_dir(dir).is_ok_and(|mut files| files.next().is_some()));
    match held {
        Some(dir) => Ok(open::database(dir)?.close()?),
        None => Ok(()),
    }
}

/// Refuses options that would be of no effect.
fn check(args: &Args, from: &Endpoint, to: &Endpoint) -> Outcome {
    if args.parallel.is_some() && from.directory().is_some() {
        return Err(Failure::usage(format!(
            "--parallel is for servers that are read, and {from} is a directory, which is read in one go"
        )));
    }
    if from.directory().is_some() && to.directory().is_some() {
        let given = [
            ("--lossy", args.lossy),
            ("--retries", args.retries.is_some()),
            ("--timeout", args.timeout.is_some()),
        ];
        if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(Failure::usage(format!(
                "{option} is for servers, and both sides are directories"
            )));
        }
    }
    if to.directory().is_none() {
        return if args.no_index {
            Err(Failure::usage(
                "--no-index is for directories; a server builds its graphs by itself",
            ))
        } else {
            Ok(())
        };
    }
    let given = [
        ("--shards", args.shards.is_some()),
        ("--replication-factor", args.replication_factor.is_some()),
        (
            "--write-consistency-factor",
            args.write_consistency_factor.is_some(),
        ),
        ("--index-while-copying", args.index_while_copying),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Failure::usage(format!(
            "{option} is for servers, and {to} is a directory"
        ))),
        None => Ok(()),
    }
}

fn options(args: &Args) -> Options {
    Options {
        collections: args.collection.clone(),
        exclude: args.exclude.clone(),
        rename: args.rename.clone(),
        prefix: args.prefix.clone(),
        existing: args.existing,
        two_places: args.two_places,
        verification: args.verify,
        aliases: !args.no_aliases,
        lossy: args.lossy,
        dry_run: args.dry_run,
        parallel: args.parallel.unwrap_or(Options::default().parallel),
        batch_points: args.batch,
        shards: args.shards,
        replicas: args.replication_factor,
        write_consistency: args.write_consistency_factor,
        defer_graphs: !args.index_while_copying,
        patience: Patience {
            retries: args.retries.unwrap_or(Patience::default().retries),
            ..Patience::default()
        },
        ..Options::default()
    }
}

fn watch(bar: ProgressBar, remarks: Arc<Mutex<Vec<String>>>) -> Watch {
    let tell = move |event| match event {
        Event::Begun {
            collection: _,
            phase,
            points,
            done,
        } => {
            bar.set_prefix(match phase {
                Phase::Copy => "copying",
                Phase::Verify => "comparing",
            });
            progress::report(&bar, Unit::Rows, done, points);
            bar.reset_eta();
        }
        Event::Advanced(points) => bar.inc(points),
        Event::Ended => {}
        Event::Remark(text) => remarks.lock().unwrap_or_else(PoisonError::into_inner).push(text),
    };
    Watch::new(tell, interrupt::asked_to_stop)
}

fn failure(error: MigrateError, state: &std::path::Path) -> Failure {
    let text = error.to_string();
    let on = format!(
        "how far the migration is: {}; the same command goes on from there",
        state.display()
    );
    match error {
        MigrateError::Usage(_) => Failure::usage(text),
        MigrateError::Stopped(_) => Failure::Interrupted(text).and(&on),
        MigrateError::Call { .. } if state.exists() => Failure::failed(text).and(&on),
        MigrateError::Call { .. }
        | MigrateError::Open { .. }
        | MigrateError::Conflict(_)
        | MigrateError::Journal { .. } => Failure::failed(text),
    }
}

/// Merges and builds graphs of a directory, unless told otherwise; the seconds that it took.
fn index(args: &Args, to: &Endpoint, report: &Report, out: &Out) -> Outcome<Option<f64>> {
    let (Some(dir), false, false) = (to.directory(), args.no_index, report.dry_run) else {
        return Ok(None);
    };
    let db = open::database(dir)?;
    let mut index_s = 0.0;
    for one in &report.collections {
        let made = db.collection(&one.target).map_err(Failure::from);
        let done = made.and_then(|collection| optimize(&collection, out));
        index_s += done
            .map_err(|failure| {
                failure.and(
                    "all points are there and durable, and only graphs are missing: `vdb index` makes them",
                )
            })?
            .as_secs_f64();
    }
    db.close()?;
    Ok(Some(index_s))
}

fn answer(report: &Report, value: &Value, out: &mut Out) -> Outcome {
    if out.json {
        return out.value(value);
    }
    if report.collections.is_empty() {
        return out.line(format_args!("{} has no collection to migrate", report.from));
    }
    for one in &report.collections {
        out.line(line(one, report.dry_run))?;
        for difference in one.verified.iter().flat_map(|verified| &verified.differences) {
            out.line(format_args!("  {}", table::plain(difference)))?;
        }
    }
    if !report.aliases.is_empty() {
        let verb = if report.dry_run { "would be made" } else { "made" };
        out.line(format_args!("aliases {verb}: {}", report.aliases.join(", ")))?;
    }
    Ok(())
}

fn line(one: &CollectionReport, dry_run: bool) -> String {
    let name = if one.name == one.target {
        one.name.clone()
    } else {
        format!("{} -> {}", one.name, one.target)
    };
    let points = table::counted(one.points, "point");
    let Some(verified) = &one.verified else {
        let what = match one.action {
            Action::Create => "would be made",
            Action::Resume => "would be gone on with",
            Action::Done => "is done already, and would be counted",
            Action::Append => "is there and would be added to",
            Action::Replace => "is there and would be replaced",
            Action::Sync => "is there and would be made equal",
        };
        let tail = if dry_run {
            "; nothing was written (--dry-run)"
        } else {
            ""
        };
        return format!("{name}: {points}, {what}{tail}");
    };
    let deleted = match one.deleted {
        0 => String::new(),
        deleted => format!(", {} deleted", table::count(deleted)),
    };
    let verdict = if verified.is_sound() && verified.compared == 0 && verified.source_points > 0 {
        "counted, and no points compared".to_owned()
    } else if verified.is_sound() {
        format!("{} compared, all the same", table::count(verified.compared))
    } else {
        format!(
            "{} at the source, {} at the target; of {} compared {} missing, {} extra, {} different",
            table::count(verified.source_points),
            table::count(verified.target_points),
            table::count(verified.compared),
            table::count(verified.missing),
            table::count(verified.extra),
            table::count(verified.differing)
        )
    };
    if one.action == Action::Done {
        return format!("{name}: {points}, done already; {verdict}");
    }
    format!(
        "{name}: {} copied{deleted} in {:.2} s; {verdict}",
        table::counted(one.copied, "point"),
        one.seconds
    )
}
