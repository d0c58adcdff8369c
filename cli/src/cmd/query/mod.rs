//! `vdb query`: the points nearest to a vector, to each vector of a file, or to a point; by what their texts say; or by both.

mod texts;

use std::path::PathBuf;

use vdb::{
    Collection, Control, Filter, PointId, Query, QueryRequest, ScoredPoint, ScrollRequest, SearchRequest,
    Select, Vector,
};
use vdb_interop::{Format, ReadOptions, RowError, RowSource};

use crate::args::{Filtering, InCollection, Patience, Selection, id};
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::parse;
use crate::points::PointsJson;
use crate::table;

/// Queries of a file that are answered together, in parallel.
const TOGETHER: usize = 256;

const AFTER: &str = "\
With --json the answer is {\"points\": [{\"id\": .., \"score\": .., \"payload\": ..}]}; with --vectors one such object \
a line, in the order of the file. Scores: Cosine and Dot, larger is nearer; Euclid and Manhattan, smaller is nearer. \
With --id and --match the point that is searched by, and those of --unlike, are left out of the answer. \
With --text, points are ranked by BM25, larger is better; the field needs an index of the kind text (`vdb index`). So they are \
with --bm25, over a sparse vector that was made of texts. Together with a vector or a point, both searches give their best \
four times as many as asked for, 50 at least, and scores are those of reciprocal rank fusion.

Conditions of a filter, each under must, should or must_not:
  {\"key\": \"pos\", \"match\": {\"value\": \"verb\"}}          text, integer or boolean
  {\"key\": \"pos\", \"match\": {\"any\": [\"verb\", \"noun\"]}}  or {\"except\": [..]}
  {\"key\": \"gloss\", \"match\": {\"text\": \"bird\"}}          contains this (tokens, if indexed as text); text_any, phrase, prefix, substring
  {\"key\": \"n\", \"range\": {\"gte\": 3, \"lt\": 7.5}}         numbers, or dates such as \"2024-05-01T12:00:00Z\"
  {\"key\": \"tags\", \"values_count\": {\"gte\": 2}}
  {\"is_empty\": {\"key\": \"tags\"}}, {\"is_null\": {\"key\": \"tags\"}}
  {\"key\": \"place\", \"geo_radius\": {\"center\": {\"lon\": 13.4, \"lat\": 52.5}, \"radius\": 5000}}
      metres; or geo_bounding_box {top_left, bottom_right}, geo_polygon {exterior: {points: [..]}, interiors}
  {\"has_id\": [7, 8]}, {\"has_vector\": \"title\"}, {\"slice\": {\"total\": 10, \"index\": 3}}
  {\"nested\": {\"key\": \"authors\", \"filter\": {\"must\": [..]}}}
  {\"must\": [..]}                                       a filter in a filter
A key may be a path: author.name, tags[], authors[].name. min_should is {\"conditions\": [..], \"min_count\": N}.

Examples:
  vdb query my.db words --match words=owl --limit 5
  vdb query my.db words --id 127 --filter '{\"must\": [{\"key\": \"pos\", \"match\": {\"value\": \"verb\"}}]}'
  vdb query my.db words --id 127 --unlike 63 --unlike 12
  vdb query my.db words --vector '[0.1, 0.2, 0.3]' --ef 200 --json
  vdb query my.db words --vector '{\"indices\": [7, 12], \"values\": [0.5, 1]}' --using sparse
  vdb query my.db pages --vector '[[0.1, 0.2], [0.3, 0.4]]' --using tokens
  vdb query my.db words --text 'bird of prey' --field gloss
  vdb query my.db words --id 127 --text 'bird of prey'
  vdb query my.db words --vector @q.json --using dense --bm25 'bird of prey' --field words
  vdb query my.db words --vectors queries.npy --limit 100 --no-payload --json > answers.jsonl";

/// Find the nearest points
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
#[command(group = clap::ArgGroup::new("near").args(["vector", "vectors", "id", "matching"]))]
#[command(group = clap::ArgGroup::new("by").required(true).multiple(true).args(["vector", "vectors", "id", "matching", "text", "bm25"]))]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Search by this vector: a JSON array, for a multivector an array of arrays, for a sparse vector {"indices": [..],
    /// "values": [..]}; @FILE or - read it from a file or from standard input
    #[arg(long, value_name = "JSON", value_parser = parse::brief(parse::vector))]
    vector: Option<Vector>,

    /// Search by every vector of a file (.npy, .fvecs, .bvecs, .csv, .jsonl); - for standard input
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,

    /// Format of --vectors, where its name does not say; standard input is jsonl unless told otherwise
    #[arg(long, requires = "vectors", value_parser = parse::format())]
    format: Option<Format>,

    /// Search by the vector of this point
    #[arg(long, value_name = "ID", group = "to_point", allow_negative_numbers = true, value_parser = id)]
    id: Option<PointId>,

    /// Away from the vector of this point; may be given several times
    #[arg(long, value_name = "ID", requires = "to_point", allow_negative_numbers = true, value_parser = id)]
    unlike: Vec<PointId>,

    /// Search by the vector of the first point whose payload has this value (text, number, true, false, null)
    #[arg(long = "match", value_name = "KEY=VALUE", group = "to_point", value_parser = parse::key_value)]
    matching: Option<(String, String)>,

    #[command(flatten)]
    texts: texts::Texts,

    /// Most points to return
    #[arg(long, short = 'k', value_name = "N", default_value_t = 10)]
    #[arg(allow_negative_numbers = true, value_parser = parse::limit)]
    limit: usize,

    /// Points to skip before the first one returned
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = parse::offset)]
    offset: usize,

    #[command(flatten)]
    filtering: Filtering,

    /// Width of the beam: more is slower and finds more
    #[arg(long, value_name = "N", conflicts_with = "exact", allow_negative_numbers = true, value_parser = parse::ef)]
    ef: Option<usize>,

    /// Compare with every point instead of walking a graph
    #[arg(long)]
    exact: bool,

    /// Only points with a score better than this
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = parse::score)]
    threshold: Option<f32>,

    /// Compare with the vector of this name; with --text or --bm25 alone the same as --field
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    using: String,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    patience: Patience,
}

impl Args {
    fn request(&self, vector: impl Into<Vector>) -> SearchRequest {
        let mut request = SearchRequest::new(vector).using(&self.using).limit(self.limit);
        request.offset = self.offset;
        request.ef = self.ef;
        request.exact = self.exact;
        request.score_threshold = self.threshold;
        request.filter = self.filtering.filter.clone();
        request.select = self.selection.select();
        request
    }
}

pub(crate) fn run(args: Args, out: &mut Out) -> Outcome {
    let (_db, collection) = args.place.read()?;
    let control = args.patience.control();
    if let Some(file) = &args.vectors {
        let options = ReadOptions {
            vector_name: args.using.clone(),
            format: args.format,
            ..ReadOptions::default()
        };
        let source = vdb_interop::open(file, &options).map_err(in_vectors)?;
        return by_file(&args, &collection, source, &control, out);
    }
    args.texts.check()?;
    let found = if let Some(vector) = &args.vector {
        by_vector(&args, &collection, vector, &control)?
    } else if args.texts.is_given() && args.id.is_none() && args.matching.is_none() {
        collection.query_with(&args.texts.alone(&args, &collection)?, &control)?
    } else {
        let id = match (&args.id, &args.matching) {
            (Some(id), _) => *id,
            (None, Some((key, value))) => first_match(&collection, key, value, &control)?,
            (None, None) => return Err(Failure::usage("say what to search by")),
        };
        by_point(&args, &collection, id, &control)?
    };
    print(&found, out)
}

fn print(found: &[ScoredPoint], out: &mut Out) -> Outcome {
    out.answer(&PointsJson::of(found), || table::points(found))
}

fn first_match(collection: &Collection, key: &str, value: &str, control: &Control<'_>) -> Outcome<PointId> {
    let filter: Filter = parse::matching(key, value);
    let request = ScrollRequest::new()
        .limit(1)
        .filter(filter)
        .select(Select::default());
    let page = collection.scroll_with(&request, control)?;
    let point = page.points.first().ok_or_else(|| {
        Failure::failed(format!(
            "no point has {value:?} in its payload at {key:?}; look with `vdb scroll`"
        ))
    })?;
    Ok(point.id)
}

/// The neighbours of a point, and not of others; none of these are in the answer.
fn by_point(
    args: &Args,
    collection: &Collection,
    id: PointId,
    control: &Control<'_>,
) -> Outcome<Vec<ScoredPoint>> {
    let near = Query::recommend([id], args.unlike.iter().copied());
    let request = if args.texts.is_given() {
        args.texts.together(args, collection, near)?
    } else {
        QueryRequest {
            query: Some(near),
            ..args.request(Vec::<f32>::new()).into()
        }
    };
    collection.query_with(&request, control).map_err(|error| {
        if matches!(error, vdb::Error::PointWithoutVector { .. }) {
            return Failure::failed(format!("{error}; choose another with --using"));
        }
        error.into()
    })
}

/// The points nearest to a vector, alone or together with texts.
fn by_vector(
    args: &Args,
    collection: &Collection,
    vector: &Vector,
    control: &Control<'_>,
) -> Outcome<Vec<ScoredPoint>> {
    if !args.texts.is_given() {
        return collection
            .search_with(&args.request(vector.clone()), control)
            .map_err(in_vector);
    }
    let request = args
        .texts
        .together(args, collection, Query::nearest(vector.clone()))?;
    collection.query_with(&request, control).map_err(in_vector)
}

/// An error of a search by `--vector`.
fn in_vector(error: vdb::Error) -> Failure {
    if matches!(error, vdb::Error::WrongDimension { .. }) {
        return Failure::failed(format!(
            "--vector: {error}; give as many as that, or name another vector with --using (`vdb info` lists them)"
        ));
    }
    error.into()
}

/// An error of the file with the queries.
fn in_vectors(error: RowError) -> Failure {
    Failure::failed(format!("--vectors: {error}"))
}

fn by_file(
    args: &Args,
    collection: &Collection,
    mut source: Box<dyn RowSource>,
    control: &Control<'_>,
    out: &mut Out,
) -> Outcome {
    let mut number = 0_u64;
    loop {
        let (mut requests, mut places) = (Vec::new(), Vec::new());
        while requests.len() < TOGETHER {
            let Some(row) = source.next() else { break };
            let mut row = row.map_err(in_vectors)?;
            let vector = row.vectors.0.remove(&args.using).ok_or_else(|| {
                Failure::failed(format!(
                    "--vectors: {}: the row has no vector {:?} to search by; --using names the one that is meant",
                    row.place, args.using
                ))
            })?;
            requests.push(args.request(vector));
            places.push(row.place);
        }
        if requests.is_empty() {
            return Ok(());
        }
        let answers = collection.search_batch_with(&requests, control).map_err(|e| {
            let range = places.first().map(ToString::to_string).unwrap_or_default();
            let queries = match requests.len() {
                1 => format!("the query at {range}"),
                more => format!("the {more} queries from {range} on"),
            };
            Failure::from(e).within(&format!("--vectors: in {queries}"))
        })?;
        for found in &answers {
            if !out.json {
                out.line(format_args!("query {number}"))?;
            }
            print(found, out)?;
            number += 1;
        }
    }
}
