//! Rows are loaded as `vdb load` does it.

use serde_json::json;

use super::answer::answer;
use super::trial::may_be;
use super::{Args, find, source};
use crate::cmd::load;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::table;

/// Loads them, or only checks them.
pub(super) fn rows(args: &Args, found: find::Rows, out: &mut Out) -> Outcome {
    let find::Rows {
        collection,
        files,
        format,
    } = found;
    let given = [("--all", args.all), ("--id-key", args.id_key.is_some())];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!(
            "{option} is for collections that other programs keep; {} has rows, for which `vdb load` has options, too",
            args.source.display()
        )));
    }
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
        return load::run(&load, out);
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
        return load::run(&load, out);
    }
    source::tell(&collection, found.rows, &found.config, &found.notes, out);
    let one = json!({
        "name": collection, "points": found.rows, "with_vectors": found.with_vectors, "created": null, "warnings": found.notes,
    });
    answer(args, "rows", vec![one], &[], None, out)
}

/// Refuses a source of which `missing` points have no vector.
pub(super) fn without_vectors(name: &str, missing: u64, points: u64) -> Failure {
    Failure::failed(format!(
        "{name}: {} of its {} have no vector, and --require-vectors asks for them; nothing was imported",
        table::count(missing),
        table::counted(points, "point"),
    ))
}
