//! `vdb aggregate`: what the values of a payload field come to.

use comfy_table::Cell;
use serde_json::{Map, Value, json};
use vdb::{AggregateRequest, Aggregates, FacetValue, Histogram, Sum, ValueKind};

use crate::args::{Filtering, InCollection, Patience};
use crate::failure::Outcome;
use crate::out::Out;
use crate::{parse, table};

const AFTER: &str = "\
Every value of a point counts, also one that it has twice. Sums of integers are exact, other sums are rounded once. Bucket edges \
of datetimes are seconds since 1970 UTC; a bucket takes what is at its lower edge and not what is at its upper one.

With --json the answer is {\"total\": {\"points\", \"values\", \"min\", \"max\", \"sum\", \"avg\", \"distinct\", \"histogram\": \
[{\"from\", \"to\", \"count\"}]}, \"groups\": [{\"value\", ..}]}; what there is not is null, or left out if it was not asked for. A \
sum beyond 64 bits is a string.

Examples:
  vdb aggregate my.db sales price --by shop
  vdb aggregate my.db sales price --width 10 --filter '{\"must\": [{\"key\": \"shop\", \"match\": {\"value\": \"s1\"}}]}'
  vdb aggregate my.db logs at --kind datetimes --width 86400
  vdb aggregate my.db words pos --kind strings --distinct";

/// Count, sum and spread the values of a payload field
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Payload field, as a path: price, author.age, parts[].weight
    field: String,

    /// Which values count
    #[arg(long, default_value = "numbers", value_parser = parse::value_kind())]
    kind: ValueKind,

    /// Do so for each value of this field, too
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,

    /// Most groups of --by, those with the most points
    #[arg(long, value_name = "N", default_value_t = 10, requires = "by")]
    #[arg(allow_negative_numbers = true, value_parser = parse::limit)]
    limit: usize,

    /// Count how many values differ
    #[arg(long)]
    distinct: bool,

    /// Count values in buckets of this width
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    width: Option<f64>,

    /// An edge of the buckets of --width
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.0,
        requires = "width",
        allow_negative_numbers = true
    )]
    offset: f64,

    /// Count values in buckets between these edges
    #[arg(long, value_name = "X,..", value_delimiter = ',', conflicts_with = "width")]
    #[arg(allow_negative_numbers = true)]
    edges: Vec<f64>,

    #[command(flatten)]
    filtering: Filtering,

    #[command(flatten)]
    patience: Patience,
}

impl Args {
    fn histogram(&self) -> Option<Histogram> {
        let offset = self.offset;
        match self.width {
            Some(width) => Some(Histogram::Width { width, offset }),
            None => (!self.edges.is_empty()).then(|| Histogram::Edges(self.edges.clone())),
        }
    }
}

fn sum(sum: Sum) -> Value {
    match sum {
        Sum::Float(float) => json!(float),
        Sum::Integer(integer) => match (i64::try_from(integer), u64::try_from(integer)) {
            (Ok(integer), _) => json!(integer),
            (Err(_), Ok(integer)) => json!(integer),
            (Err(_), Err(_)) => json!(integer.to_string()),
        },
    }
}

fn as_json(aggregates: &Aggregates) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("points", json!(aggregates.points));
    put("values", json!(aggregates.values));
    put("min", json!(aggregates.min));
    put("max", json!(aggregates.max));
    put("sum", aggregates.sum.map_or(Value::Null, sum));
    put("avg", json!(aggregates.avg));
    if let Some(distinct) = aggregates.distinct {
        put("distinct", json!(distinct));
    }
    if let Some(histogram) = &aggregates.histogram {
        let bucket =
            |bucket: &vdb::Bucket| json!({"from": bucket.from, "to": bucket.to, "count": bucket.count});
        put("histogram", histogram.iter().map(bucket).collect());
    }
    out
}

fn value(value: &FacetValue) -> Value {
    match value {
        FacetValue::Bool(truth) => json!(truth),
        FacetValue::Integer(integer) => json!(integer),
        FacetValue::String(text) => json!(text),
    }
}

/// A value as a cell has it.
fn cell(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::new(""),
        Some(Value::String(text)) => Cell::new(table::plain(text)),
        Some(other) => table::number(other),
    }
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let (_db, collection) = args.place.read()?;
    let mut request = AggregateRequest::new(&args.field)
        .kind(args.kind)
        .limit(args.limit);
    request.distinct = args.distinct;
    request.histogram = args.histogram();
    request.group_by.clone_from(&args.by);
    request.filter.clone_from(&args.filtering.filter);
    let answer = collection.aggregate_with(&request, &args.patience.control())?;

    let total = as_json(&answer.total);
    let groups: Vec<(Value, Map<String, Value>)> = answer
        .groups
        .iter()
        .map(|group| (value(&group.value), as_json(&group.aggregates)))
        .collect();
    if out.json {
        let with_value = |(value, mut aggregates): (Value, Map<String, Value>)| {
            aggregates.insert("value".to_owned(), value);
            Value::Object(aggregates)
        };
        let groups: Vec<Value> = groups.into_iter().map(with_value).collect();
        return out.value(&json!({"total": total, "groups": groups}));
    }

    let columns: Vec<&str> = total
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "histogram")
        .collect();
    let mut header = vec!["group"];
    header.extend(&columns);
    let mut lines = table::with_header(&header);
    for (of, aggregates) in std::iter::once((json!("(all)"), total.clone())).chain(groups) {
        let cells = columns.iter().map(|name| cell(aggregates.get(*name)));
        table::push(&mut lines, std::iter::once(cell(Some(&of))).chain(cells));
    }
    out.line(lines.trim_fmt())?;
    if let Some(histogram) = &answer.total.histogram {
        let mut lines = table::with_header(&["from", "to", "values"]);
        for bucket in histogram {
            let cells = [
                table::number(bucket.from),
                table::number(bucket.to),
                table::number(table::count(bucket.count)),
            ];
            table::push(&mut lines, cells);
        }
        out.line(lines.trim_fmt())?;
    }
    Ok(())
}
