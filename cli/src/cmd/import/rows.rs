//! Rows are loaded as `vdb load` does it.

use serde_json::{Value, json};

use super::answer::answer;
use super::trial::may_be;
use super::{Args, found, source};
use crate::cmd::load;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::table;

/// Loads the rows of each collection, or only checks them. Those of several collections are all checked before the first
/// is loaded.
pub(super) fn all(args: &Args, found: Vec<found::Rows>, out: &mut Out) -> Outcome {
    let given = [
        ("--all", args.all && !args.source.is_dir()),
        ("--rename", !args.rename.is_empty()),
        ("--id-key", args.id_key.is_some()),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!(
            "{option} is for collections that other programs keep; {} has rows, for which `vdb load` has options, too",
            args.source.display()
        )));
    }
    let are_files = found.iter().flat_map(|one| &one.files).all(|file| file.is_file());
    if args.require_vectors && !args.dry_run && !are_files {
        return Err(Failure::usage(format!(
            "--require-vectors reads the rows twice, and {} is no regular file: save it in one first",
            args.source.display()
        )));
    }
    let are_together = found.iter().any(|one| one.files.len() > 1);
    let is_checked = args.dry_run || args.require_vectors || found.len() > 1;
    let loads: Vec<(String, load::Args)> = found.into_iter().map(|one| request(args, one)).collect();
    if is_checked {
        let mut told = Vec::with_capacity(loads.len());
        for (collection, load) in &loads {
            told.push(check(args, collection, load, out)?);
        }
        if args.dry_run {
            return answer(args, "rows", told, &[], None, out);
        }
    }
    let mut done = Vec::with_capacity(loads.len());
    for (collection, load) in &loads {
        let outcome = load::into_collection(load, out);
        let replacing = outcome.map_err(|failure| after(failure, &done))?;
        if replacing > 0 && !args.resume {
            out.warn(format_args!(
                "{collection}: {} had the ids of others, or of points that were there, and took their places{}",
                table::counted(replacing, "row"),
                if are_together {
                    "; with --all each file of the directory is a collection of its own"
                } else {
                    ""
                }
            ));
        }
        done.push(collection.as_str());
    }
    Ok(())
}

/// What is to be added to what ended a load: the collections that were complete before it.
fn after(failure: Failure, done: &[&str]) -> Failure {
    if done.is_empty() {
        return failure;
    }
    failure.and(&format!(
        "complete before it: {}; once the cause is mended, the same command with --resume completes the others",
        done.join(", ")
    ))
}

/// How `vdb load` is asked for the rows of a collection.
fn request(args: &Args, found: found::Rows) -> (String, load::Args) {
    let found::Rows {
        collection,
        files,
        format,
    } = found;
    let mut reading = args.reading.clone();
    if let Some(format) = format {
        reading = reading.of_format(format);
    }
    if args.resume {
        // Rows without ids take the places that they had the first time.
        reading.start_id = reading.start_id.or(Some(0));
    }
    let load = load::Args::from(load::Request {
        db: args.db.clone(),
        collection: collection.clone(),
        files,
        distance: args.distance,
        element: args.element,
        reading,
        durability: args.durability,
        no_index: args.no_index,
    });
    (collection, load)
}

/// Checks the rows of a collection, and writes nothing; what was found, which only a dry run tells.
fn check(args: &Args, collection: &str, load: &load::Args, out: &Out) -> Outcome<Value> {
    let found = load::check(load, out)?;
    may_be(collection, &found.config, &[])?;
    let missing = found.rows - found.with_vectors;
    if args.require_vectors && missing > 0 {
        return Err(without_vectors(collection, missing, found.rows));
    }
    if args.dry_run {
        let counts = (found.rows, found.with_vectors);
        source::tell(collection, counts, &found.config, &found.notes, out);
    }
    Ok(json!({
        "name": collection, "points": found.rows, "with_vectors": found.with_vectors, "created": null, "warnings": found.notes,
    }))
}

/// Refuses a source of which `missing` points have no vector.
pub(super) fn without_vectors(name: &str, missing: u64, points: u64) -> Failure {
    Failure::failed(format!(
        "{name}: {} of its {} have no vector, and --require-vectors asks for them; nothing was imported",
        table::count(missing),
        table::counted(points, "point"),
    ))
}
