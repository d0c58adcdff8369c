//! `vdb index`: graphs for search, indexes on payload fields.

use std::time::Instant;

use serde_json::json;
use vdb::PayloadIndexKind;

use super::optimize::optimize;
use crate::args::InCollection;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::{parse, table};

const AFTER: &str = "\
Without a field, segments are merged and the graphs of vectors are built: what `vdb load` does at its end unless \
told otherwise. With a field, filters on it no longer read payloads.

Examples:
  vdb index my.db words
  vdb index my.db words pos --kind keyword
  vdb index my.db words lemmas --kind integer
  vdb index my.db words pos --drop";

/// Build the graphs of a collection, or an index on a payload field
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Payload field, as a path: pos, author.name, tags[]
    field: Option<String>,

    /// What kind of values the field holds
    #[arg(long, default_value = "keyword", value_parser = parse::index_kind(), requires = "field")]
    kind: PayloadIndexKind,

    /// Drop the index of the field
    #[arg(long, requires = "field", conflicts_with = "kind")]
    drop: bool,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let (db, collection) = args.place.open()?;
    let started = Instant::now();
    let (answer, text) = match &args.field {
        Some(field) if args.drop => {
            if !collection.drop_payload_index(field)? {
                let known = collection.info()?.payload_indexes;
                let known: Vec<String> = known.into_iter().map(|(path, _)| path).collect();
                return Err(Failure::failed(format!(
                    "there is no index on {field:?}; indexed fields: {}",
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                )));
            }
            (
                json!({ "dropped": field }),
                format!("dropped the index on {field}"),
            )
        }
        Some(field) => {
            collection.create_payload_index(field, args.kind)?;
            let kind = parse::index_kind_name(args.kind);
            let seconds = started.elapsed().as_secs_f64();
            (
                json!({"field": field, "kind": kind, "seconds": seconds}),
                format!("indexed {field} as {kind} in {seconds:.2} s"),
            )
        }
        None => {
            let seconds = optimize(&collection, out)?.as_secs_f64();
            let vectors = collection.info()?.indexed_vectors;
            (
                json!({"indexed_vectors": vectors, "seconds": seconds}),
                format!(
                    "{} vectors are in graphs, after {seconds:.2} s",
                    table::count(vectors)
                ),
            )
        }
    };
    drop(collection);
    db.close()?;
    out.answer(&answer, || text)
}
