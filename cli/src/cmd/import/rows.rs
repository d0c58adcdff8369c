//! Rows are loaded as `vdb load` does it.

use serde_json::{Value, json};

use super::answer::answer;
use super::trial::may_be;
use super::{Args, found, source};
use crate::cmd::load;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::table;

/// Loads the rows of each collection, or only checks them.
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
    let mut told = Vec::with_capacity(found.len());
    for one in found {
        told.extend(rows(args, one, out)?);
    }
    if args.dry_run {
        return answer(args, "rows", told, &[], None, out);
    }
    Ok(())
}

/// Loads the rows of a collection; of a dry run, what was found.
fn rows(args: &Args, found: found::Rows, out: &mut Out) -> Outcome<Option<Value>> {
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
    let are_files = files.iter().all(|file| file.is_file());
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
    if !args.dry_run && !args.require_vectors {
        return load::run(&load, out).map(|()| None);
    }
    if !args.dry_run && !are_files {
        return Err(Failure::usage(format!(
            "--require-vectors reads the rows twice, and {} is no regular file: save it in one first",
            args.source.display()
        )));
    }
    let found = load::check(&load, out)?;
    may_be(&collection, &found.config, &[])?;
    let missing = found.rows - found.with_vectors;
    if args.require_vectors && missing > 0 {
        return Err(without_vectors(&collection, missing, found.rows));
    }
    if !args.dry_run {
        return load::run(&load, out).map(|()| None);
    }
    let counts = (found.rows, found.with_vectors);
    source::tell(&collection, counts, &found.config, &found.notes, out);
    Ok(Some(json!({
        "name": collection, "points": found.rows, "with_vectors": found.with_vectors, "created": null, "warnings": found.notes,
    })))
}

/// Refuses a source of which `missing` points have no vector.
pub(super) fn without_vectors(name: &str, missing: u64, points: u64) -> Failure {
    Failure::failed(format!(
        "{name}: {} of its {} have no vector, and --require-vectors asks for them; nothing was imported",
        table::count(missing),
        table::counted(points, "point"),
    ))
}
