//! What an import says at its end.

use serde_json::{Value, json};

use super::Args;
use super::source::Checked;
use crate::failure::Outcome;
use crate::out::Out;
use crate::table;

/// A collection of which nothing was written yet.
pub(super) fn told(part: &Checked) -> Value {
    json!({
        "name": part.name, "points": part.points(), "with_vectors": part.with_vectors(), "created": null,
        "warnings": part.described().warnings,
    })
}

/// The same, once it is written: whether it is new.
pub(super) fn with_created(mut told: Value, created: bool) -> Value {
    if let Some(fields) = told.as_object_mut() {
        fields.insert("created".to_owned(), created.into());
    }
    told
}

/// Tells of all collections; `times` are the seconds of the import and of the index, none for a dry run.
pub(super) fn answer(
    args: &Args,
    format: &str,
    collections: Vec<Value>,
    aliases: &[String],
    times: Option<(f64, Option<f64>)>,
    out: &mut Out,
) -> Outcome {
    let points: u64 = collections.iter().filter_map(|one| one["points"].as_u64()).sum();
    let count = collections.len() as u64;
    let value = json!({
        "source": args.source.display().to_string(), "format": format, "dry_run": args.dry_run,
        "collections": collections, "aliases": aliases,
        "import_s": times.map(|(import_s, _)| import_s), "index_s": times.and_then(|(_, index_s)| index_s),
    });
    out.answer(&value, || {
        let what = format!(
            "{} in {}",
            table::counted(points, "point"),
            table::counted(count, "collection")
        );
        let named = if aliases.is_empty() {
            String::new()
        } else {
            format!("; aliases: {}", aliases.join(", "))
        };
        match times {
            None => format!("{what} could be imported{named}; nothing was written (--dry-run)"),
            Some((import_s, index_s)) => {
                let indexed = index_s.map_or_else(String::new, |s| format!(", indexed in {s:.2} s"));
                format!(
                    "imported {what} into {} in {import_s:.2} s{indexed}{named}",
                    args.db.display()
                )
            }
        }
    })
}
