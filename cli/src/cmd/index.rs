//! `vdb index`: graphs for search, indexes on payload fields.

use std::time::Instant;

use serde_json::{Map, Value, json};
use vdb::text::{Language, Tokenizer};
use vdb::{Collection, Condition, Control, Filter, GeoPoint, PayloadIndexKind, PayloadIndexParams};

use super::optimize::optimize;
use crate::args::InCollection;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, parse, table};

const AFTER: &str = "\
Without a field, segments are merged and the graphs of vectors are built: what `vdb load` does at its end unless \
told otherwise. With a field, filters on it no longer read payloads. Interrupted (Ctrl-C), what was finished stays, \
and the same command goes on from there.

An index of the kind text files the tokens of texts: conditions text, text_any and phrase on the field then go by tokens, \
not by what a string contains, and `vdb query --text` ranks by them. --options takes every option of an index as JSON; of \
texts tokenizer, min_token_len, max_token_len, lowercase, ascii_folding, stopwords (a language, or {\"languages\": [..], \
\"custom\": [..]}), stemmer ({\"type\": \"snowball\", \"language\": ..}), phrase_matching.

With --json the answer is {\"indexed_vectors\": N, \"seconds\": X}; with a field {\"field\", \"kind\", \"points\", \
\"held\" (points with such a value), \"seconds\"}, with --drop {\"dropped\": FIELD}.

Examples:
  vdb index my.db words
  vdb index my.db words pos --kind keyword
  vdb index my.db words lemmas --kind integer
  vdb index my.db places location --kind geo
  vdb index my.db words gloss --kind text --language english --phrases
  vdb index my.db words gloss --kind text --tokenizer prefix --options '{\"min_token_len\": 2}'
  vdb index my.db words pos --drop";

/// Build the graphs of a collection, or an index on a payload field
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Payload field, as a path: pos, author.name, tags[]
    field: Option<String>,

    /// What kind of values the field holds [default: the type of --options, or keyword]
    #[arg(long, value_parser = parse::index_kind(), requires = "field")]
    kind: Option<PayloadIndexKind>,

    /// Leave out the stop words of this language and compare stems (kind text)
    #[arg(long, value_name = "NAME", requires = "field", value_parser = parse::language)]
    language: Option<Language>,

    /// How texts are cut: word, whitespace, prefix or multilingual (kind text)
    #[arg(long, value_name = "NAME", requires = "field", value_parser = parse::tokenizer)]
    tokenizer: Option<Tokenizer>,

    /// Say that phrases are asked for: it is kept with the index, which finds them anyway (kind text)
    #[arg(long, requires = "field")]
    phrases: bool,

    /// Options of the index, a JSON object; @FILE or - read it from a file or from standard input
    #[arg(long, value_name = "JSON", requires = "field", value_parser = parse::brief(parse::object))]
    options: Option<Map<String, Value>>,

    /// Put the index in the place of one of another kind
    #[arg(long, requires = "field")]
    replace: bool,

    /// Drop the index of the field
    #[arg(long, requires = "field", conflicts_with_all = ["kind", "replace", "language", "tokenizer", "phrases", "options"])]
    drop: bool,
}

/// The index that the arguments ask for. What two of them say must be the same.
fn params(args: &Args) -> Outcome<PayloadIndexParams> {
    let mut options = args.options.clone().unwrap_or_default();
    // What is null is not said.
    options.retain(|_, said| !said.is_null());
    let mut say = |option: &str, key: &str, value: Value| {
        if let Some(said) = options.get(key).filter(|said| **said != value) {
            return Err(Failure::usage(format!(
                "--options says {key:?}: {said}, and {option} says {value}: leave one of them out"
            )));
        }
        options.insert(key.to_owned(), value);
        Ok(())
    };
    if let Some(language) = args.language {
        let name = language.name();
        if language.stopwords().is_some() {
            say("--language", "stopwords", name.into())?;
        }
        if language.has_stemmer() {
            say(
                "--language",
                "stemmer",
                json!({"type": "snowball", "language": name}),
            )?;
        }
    }
    if let Some(tokenizer) = args.tokenizer {
        say("--tokenizer", "tokenizer", tokenizer.name().into())?;
    }
    if args.phrases {
        say("--phrases", "phrase_matching", true.into())?;
    }
    if let Some(kind) = args.kind {
        say("--kind", "type", kind.name().into())?;
    }
    let is_kind_alone = options.keys().all(|key| key == "type");
    let kind = options
        .entry("type")
        .or_insert_with(|| PayloadIndexKind::Keyword.name().into());
    if is_kind_alone && kind.is_string() {
        return Ok(PayloadIndexParams::from_json(kind)?);
    }
    Ok(PayloadIndexParams::from_json(&options.into())?)
}

/// Indexes a payload field; says how many points have a value of the kind there.
fn index_field(args: &Args, field: &str, collection: &Collection, out: &Out) -> Outcome<(Value, String)> {
    let params = params(args)?;
    let wanted = params.kind;
    let kind = wanted.name();
    let indexes = collection.info()?.payload_indexes;
    let other = indexes
        .iter()
        .find(|(path, known)| path == field && known.kind != wanted);
    if let (Some((_, known)), false) = (other, args.replace) {
        return Err(Failure::failed(format!(
            "{field:?} is indexed as {} already; --replace puts an index of kind {kind} in its place, --drop removes it",
            known.kind.name()
        )));
    }
    let started = Instant::now();
    build(collection, field, params, out)?;
    let seconds = started.elapsed().as_secs_f64();
    let (of_kind, a_value) = match wanted {
        PayloadIndexKind::Keyword | PayloadIndexKind::Text => (Condition::prefix(field, ""), "text"),
        PayloadIndexKind::Integer | PayloadIndexKind::Float => {
            (Condition::range(field, f64::MIN..), "a number")
        }
        PayloadIndexKind::Bool => {
            let either = [true, false].map(|truth| Condition::matches(field, truth));
            (Filter::should(either).into(), "true or false")
        }
        PayloadIndexKind::Datetime => (datetimes(field)?, "a date"),
        PayloadIndexKind::Uuid => (Condition::prefix(field, ""), "text"),
        PayloadIndexKind::Geo => {
            // Every circle leaves its own edge out, and the other side of the Earth is 20,015 km away.
            let origin = GeoPoint { lon: 0.0, lat: 0.0 };
            (Condition::geo_radius(field, origin, 1e8), "a position")
        }
    };
    let held = collection.count(Some(&Filter::must([of_kind])))?;
    let points = collection.count(None)?;
    let mut text = format!(
        "indexed {field} as {kind} in {seconds:.2} s: {} of {} {a_value} there",
        table::count(held),
        match points {
            1 => "1 point has".to_owned(),
            more => format!("{} points have", table::count(more)),
        }
    );
    if held == 0 && points > 0 {
        text.push_str("; is the field or the --kind another?");
    }
    let answer = json!({"field": field, "kind": kind, "points": points, "held": held, "seconds": seconds});
    Ok((answer, text))
}

/// Builds the index of a field with a progress bar.
fn build(collection: &Collection, field: &str, params: PayloadIndexParams, out: &Out) -> Outcome {
    interrupt::watch();
    let bar = progress::bar(out, "indexing", None, Unit::Rows);
    let report = |done: u64, total: u64| progress::report(&bar, Unit::Rows, done, total);
    let control = Control::new(&interrupt::asked_to_stop, &report);
    let outcome = collection.create_payload_index_with(field, params, &control);
    bar.finish_and_clear();
    outcome.map_err(|error| {
        let stopped = matches!(error, vdb::Error::Cancelled);
        let failure = Failure::from(error);
        if stopped {
            failure.and("nothing is lost: what was finished stays, and the same command goes on from there")
        } else {
            failure
        }
    })
}

/// Every date there is.
fn datetimes(field: &str) -> Outcome<Condition> {
    let all = json!({"must": [{"key": field, "range": {"gte": "0001-01-01T00:00:00Z"}}]});
    let filter = Filter::from_json(&all).map_err(vdb::Error::from)?;
    Ok(filter.into())
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let (db, collection) = args.place.open()?;
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
        Some(field) => index_field(args, field, &collection, out)?,
        None => {
            let seconds = optimize(&collection, out)
                .map_err(|failure| {
                    failure
                        .and("nothing is lost: what was finished stays, and `vdb index` goes on from there")
                })?
                .as_secs_f64();
            let vectors = collection.info()?.indexed_vectors;
            (
                json!({"indexed_vectors": vectors, "seconds": seconds}),
                format!(
                    "{} in graphs, after {seconds:.2} s",
                    table::counted(vectors, "vector")
                ),
            )
        }
    };
    drop(collection);
    db.close()?;
    out.answer(&answer, || text)
}
