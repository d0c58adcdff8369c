//! `vdb config`: the settings of a collection, shown and changed.

use serde_json::{Map, Value, json};
use vdb::{CollectionConfig, CollectionUpdate};

use super::create;
use crate::args::InCollection;
use crate::failure::Outcome;
use crate::out::Out;

const AFTER: &str = "\
A change is a JSON object. What it gives replaces, the rest stays:
  hnsw_config           m (0: no graphs), ef_construct, ef_refine, alpha, seed, full_scan_threshold (kilobytes),
                        payload_m (0: no graphs of single payload values)
  quantization_config   {\"scalar\": {\"type\": \"int8\"}}, {\"product\": {\"compression\": \"x16\"}}, {\"binary\": {}},
                        {\"turbo\": {\"bits\": \"bits2\"}}, {\"codes\": \"int4\"}, or \"Disabled\"
  optimizers_config     indexing_threshold (kilobytes; 0: no more graphs) or index_min_rows, max_segment_size (kilobytes)
                        or max_segment_rows, deleted_threshold, vacuum_min_vector_number, merge_fan_in, ...
  vectors               {NAME: {hnsw_config, quantization_config}}: of one vector, before the collection's
  sparse_vectors        {NAME: {\"modifier\": \"idf\"}}, or \"none\"; `vdb info` tells it
  strict_mode_config    enabled, max_query_limit, search_allow_exact, read_rate_limit, ...; null takes a limit back
  metadata              your own keys; null removes one
  hints                 kept and told again; null removes, at any depth
Graphs that were built in another way serve until they are built again, which this command does not wait for: \
`vdb index` does it, or whichever process has the database open for long.

With --json the answer is {\"collection\", \"settings\"}; with --set of what they are after it.

Examples:
  vdb config my.db words
  vdb config my.db words --set '{\"hnsw_config\": {\"m\": 32}}'
  vdb config my.db words --set '{\"quantization_config\": {\"binary\": {}}, \"metadata\": {\"owner\": \"me\"}}'
  vdb config my.db words --set '{\"vectors\": {\"title\": {\"hnsw_config\": {\"m\": 8}}}}'
  vdb config my.db words --set '{\"strict_mode_config\": {\"enabled\": true, \"max_query_limit\": 100}}'";

/// Show the settings of a collection, or change them
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// A change of settings
    #[arg(long, value_name = "JSON", value_parser = create::settings)]
    set: Option<CollectionUpdate>,
}

fn answer(name: &str, config: &CollectionConfig, out: &mut Out) -> Outcome {
    let settings = config.settings_json();
    let told = json!({"collection": name, "settings": settings});
    out.answer(&told, || lines(&settings))
}

/// One setting a line, by its path.
fn lines(settings: &Map<String, Value>) -> String {
    fn tell(value: &Value, path: &str, lines: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    let path = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    tell(value, &path, lines);
                }
            }
            Value::Object(_) => {}
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                lines.push(format!("{path}: {value}"));
            }
        }
    }
    let mut told = Vec::new();
    tell(&Value::Object(settings.clone()), "", &mut told);
    told.join("\n")
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let Some(update) = &args.set else {
        let (_db, collection) = args.place.read()?;
        return answer(collection.name(), &collection.config(), out);
    };
    let (db, collection) = args.place.open()?;
    collection.update_config(update)?;
    answer(collection.name(), &collection.config(), out)?;
    db.close()?;
    Ok(())
}
