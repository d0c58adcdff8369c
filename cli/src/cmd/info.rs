//! `vdb info`: sizes, settings and state of a database or a collection.

use std::fmt::Write;
use std::path::PathBuf;

use comfy_table::Cell;
use serde_json::{Value, json};
use vdb::{CollectionInfo, Status};

use crate::failure::Outcome;
use crate::out::Out;
use crate::{open, parse, table};

const AFTER: &str = "\
With --json the answer of a collection is {\"name\", \"status\", \"points\", \"indexed_vectors\", \"last_sequence\", \
\"memtable_bytes\", \"disk_bytes\", \"vectors\": [{\"name\", \"size\", \"distance\", \"element\", \"multivector\", \"hnsw\"}], \
\"sparse_vectors\": [{\"name\", \"modifier\", \"element\"}], \
\"payload_indexes\": [{\"field\", \"kind\", \"params\"}], \"segments\": [..], \"last_failure\"}; status is ready, needs_index or \
failing. That of a database is {\"collections\": [..]}, where one that is damaged has \"name\" and \"error\" alone.

Examples:
  vdb info my.db
  vdb info my.db words --json";

/// Show sizes, settings and state of a database or a collection
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database
    db: PathBuf,

    /// Collection or alias; all of them when left out
    collection: Option<String>,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let db = open::read_only(&args.db)?;
    if let Some(name) = &args.collection {
        let info = open::collection(&db, name)?.info()?;
        return out.answer(&as_json(name, &info), || as_text(name, &info));
    }
    let mut text = table::with_header(&["collection", "points", "indexed", "segments", "disk", "status"]);
    let (mut answer, mut damage) = (Vec::new(), Vec::new());
    for name in db.collections() {
        let info = match db.collection(&name).and_then(|collection| collection.info()) {
            Ok(info) => info,
            // One damaged collection does not hide the others.
            Err(error) => {
                damage.push(format!("{}: {error}", table::plain(&name)));
                let cells = [table::plain(&name), "damaged".to_owned()];
                table::push(&mut text, cells.map(Cell::new));
                answer.push(json!({"name": name, "error": error.to_string()}));
                continue;
            }
        };
        table::push(
            &mut text,
            [
                Cell::new(table::plain(&name)),
                table::number(table::count(info.points)),
                table::number(table::count(info.indexed_vectors)),
                table::number(info.segments.len()),
                table::number(table::bytes(info.disk_bytes)),
                Cell::new(status(info.status)),
            ],
        );
        answer.push(as_json(&name, &info));
    }
    let empty = answer.is_empty();
    out.answer(&json!({ "collections": answer }), || {
        if empty {
            "no collections".to_owned()
        } else {
            table::with_damage(&text, &damage)
        }
    })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Ready => "ready",
        // This process does nothing in the background: what is due stays due until a command is told to do it.
        Status::Optimizing | Status::Waiting => "needs `vdb index`",
        Status::Failing => "failing",
    }
}

fn as_json(name: &str, info: &CollectionInfo) -> Value {
    let vectors = info.config.vectors.iter().map(|(name, params)| {
        json!({
            "name": name, "size": params.size, "distance": params.distance.name(),
            "element": parse::element_name(params.element), "multivector": params.multivector.is_some(),
            "hnsw": params.graph(&info.config).map(|graph| json!({
                "m": graph.m, "ef_construct": graph.ef_construct, "seed": graph.seed,
                "quantization": graph.quantization.name(),
            })),
        })
    });
    let sparse = info.config.sparse_vectors.iter().map(|(name, params)| {
        json!({
            "name": name, "modifier": params.modifier.name(), "element": parse::element_name(params.element),
        })
    });
    let segments = info.segments.iter().map(|s| {
        json!({
            "id": s.id, "rows": s.rows, "dead_rows": s.dead_rows,
            "indexed_vectors": s.indexed_vectors, "disk_bytes": s.disk_bytes,
        })
    });
    let indexes = info
        .payload_indexes
        .iter()
        .map(|(path, params)| json!({"field": path, "kind": params.kind.name(), "params": params.to_json()}));
    json!({
        "name": name,
        "status": match info.status {
            Status::Optimizing | Status::Waiting => "needs_index",
            Status::Ready | Status::Failing => status(info.status),
        },
        "points": info.points,
        "indexed_vectors": info.indexed_vectors,
        "last_sequence": info.last_sequence,
        "memtable_bytes": info.memtable_bytes,
        "disk_bytes": info.disk_bytes,
        "vectors": vectors.collect::<Vec<_>>(),
        "sparse_vectors": sparse.collect::<Vec<_>>(),
        "payload_indexes": indexes.collect::<Vec<_>>(),
        "ttl": info.config.ttl.as_ref().map(|ttl| &ttl.field),
        "segments": segments.collect::<Vec<_>>(),
        "last_failure": info.last_failure,
    })
}

/// Lines of a name and what it is; writing to a string cannot fail.
fn as_text(name: &str, info: &CollectionInfo) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<16}{value}");
    };
    line("collection", table::plain(name));
    line("status", status(info.status).to_owned());
    line("points", table::count(info.points));
    for (name, params) in &info.config.vectors {
        let name = if name.is_empty() {
            "(unnamed)".to_owned()
        } else {
            table::plain(name)
        };
        let element = parse::element_name(params.element);
        let kind = if params.multivector.is_some() {
            "multivector"
        } else {
            "vector"
        };
        line(
            kind,
            format!(
                "{name}: {} x {element}, {}, {}",
                params.size,
                params.distance,
                params.graph(&info.config).map_or_else(
                    || "no graph".to_owned(),
                    |graph| {
                        let (m, ef, codes) = (graph.m, graph.ef_construct, graph.quantization.name());
                        format!("graph m {m}, ef_construct {ef}, quantization {codes}")
                    }
                ),
            ),
        );
    }
    for (name, params) in &info.config.sparse_vectors {
        let modifier = params.modifier.name();
        line(
            "sparse vector",
            format!("{}: modifier {modifier}", table::plain(name)),
        );
    }
    line("in graphs", table::counted(info.indexed_vectors, "vector"));
    for (path, params) in &info.payload_indexes {
        line(
            "payload index",
            format!("{}: {}", table::plain(path), params.kind.name()),
        );
    }
    if let Some(ttl) = &info.config.ttl {
        line("points end by", table::plain(&ttl.field));
    }
    line("on disk", table::bytes(info.disk_bytes));
    line(
        "in memory",
        format!("{} not in segments yet", table::bytes(info.memtable_bytes as u64)),
    );
    for s in &info.segments {
        let rows = format!(
            "{} ({} dead)",
            table::counted(s.rows.into(), "row"),
            table::count(s.dead_rows.into())
        );
        let graph = format!("{} in graphs", table::counted(s.indexed_vectors, "vector"));
        line(
            "segment",
            format!("{}: {rows}, {graph}, {}", s.id, table::bytes(s.disk_bytes)),
        );
    }
    if let Some(why) = &info.last_failure {
        line("last failure", why.clone());
    }
    text.truncate(text.trim_end().len());
    text
}
