//! What a program asks of the engine, as lines of JSON: one request a line on standard input, one answer a line on standard
//! output, `{"ok": ..}` or `{"error": ".."}`. `differential.py` plays the same operations through this and through another
//! implementation of Qdrant's semantics. Requests have the shapes of Qdrant's REST calls.
//!
//! | file | what |
//! |---|---|
//! | `main.rs` | requests in, answers out |
//! | `read.rs` | JSON to queries and operations |
//! | `formula.rs` | JSON to formulas |
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a few kinds of JSON values matter, the others do not"
)]

mod formula;
mod read;

use std::io::{BufRead, Write};

use serde_json::{Map, Value, json};
use vdb::{
    Collection, Control, Database, FacetRequest, FacetValue, GroupId, GroupRequest, Operation, OrderValue,
    PayloadIndexKind, Record, ScoredPoint, ScrollRequest, Vector, Vectors,
};

/// Why a request has no answer: in words, for whoever reads the failure of a test.
type Answer = Result<Value, Box<dyn std::error::Error>>;

/// The part of a request that goes by this name; null where there is none.
fn part<'a>(request: &'a Value, name: &str) -> &'a Value {
    request.get(name).unwrap_or(&Value::Null)
}

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, Box<dyn std::error::Error>> {
    part(request, name)
        .as_str()
        .ok_or_else(|| format!("{name} must be a string: {request}").into())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Database::builder().open_in_memory()?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|request: Value| answer(&db, &request))
        {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(db: &Database, request: &Value) -> Answer {
    let (name, call) = (text(request, "collection")?, text(request, "call")?);
    if call == "create" {
        db.create_collection(name, read::config(part(request, "vectors"))?)?;
        return Ok(Value::Null);
    }
    let c = db.collection(name)?;
    let filter = read::filter(part(request, "filter"))?;
    match call {
        "flush" => c.flush()?,
        "optimize" => c.optimize(&Control::none())?,
        "index" => c.create_payload_index(text(request, "field")?, kind(text(request, "kind")?)?)?,
        "create_vector" => {
            let params = read::vector_params(part(request, "params"))?;
            return Ok(c.create_vector(text(request, "vector")?, params)?.into());
        }
        "delete_vector" => return Ok(c.delete_vector(text(request, "vector")?)?.into()),
        "drop_index" => drop(c.drop_payload_index(text(request, "field")?)?),
        "retrieve" => {
            let records = c.get(&read::ids(part(request, "ids"))?, &read::select(request)?)?;
            return Ok(records.iter().map(record).collect());
        }
        "count" => return Ok(c.count(filter.as_ref())?.into()),
        "scroll" => {
            let offset = part(request, "offset");
            let page = c.scroll(&ScrollRequest {
                offset: (!offset.is_null()).then(|| read::id(offset)).transpose()?,
                limit: read::size(request, "limit", 10),
                filter,
                select: read::select(request)?,
                timeout: None,
            })?;
            let points: Value = page.points.iter().map(record).collect();
            return Ok(json!({"points": points, "next": page.next_offset}));
        }
        "query" => {
            let found = c.query(&read::query_request(request)?)?;
            return Ok(found.iter().map(scored).collect());
        }
        "query_groups" => {
            let groups = GroupRequest::new(read::query_request(request)?, text(request, "group_by")?)
                .group_size(read::size(request, "group_size", 3));
            let group = |group: &vdb::Group| {
                let hits: Value = group.hits.iter().map(scored).collect();
                json!({"id": group_id(&group.id), "hits": hits})
            };
            return Ok(c.query_groups(&groups)?.iter().map(group).collect());
        }
        "facet" => {
            let mut facet = FacetRequest::new(text(request, "key")?).limit(read::size(request, "limit", 10));
            facet.filter = filter;
            let hit = |hit: &vdb::FacetHit| json!([facet_value(&hit.value), hit.count]);
            return Ok(c.facet(&facet)?.iter().map(hit).collect());
        }
        _ => return write(&c, &read::operation(call, request)?),
    }
    Ok(Value::Null)
}

fn write(c: &Collection, operation: &Operation) -> Answer {
    Ok(c.apply(operation.clone())?.sequence().into())
}

fn kind(name: &str) -> Result<PayloadIndexKind, String> {
    Ok(match name {
        "keyword" => PayloadIndexKind::Keyword,
        "integer" => PayloadIndexKind::Integer,
        "float" => PayloadIndexKind::Float,
        "bool" => PayloadIndexKind::Bool,
        "datetime" => PayloadIndexKind::Datetime,
        "geo" => PayloadIndexKind::Geo,
        "uuid" => PayloadIndexKind::Uuid,
        other => return Err(format!("unknown kind of index {other:?}")),
    })
}

fn vectors(vectors: Option<&Vectors>) -> Value {
    let named = |vectors: &Vectors| {
        vectors
            .0
            .iter()
            .map(|(name, of)| (name.clone(), vector(of)))
            .collect()
    };
    vectors.map_or(Value::Null, |vectors| Value::Object(named(vectors)))
}

fn vector(vector: &Vector) -> Value {
    match vector {
        Vector::Dense(numbers) => json!(numbers),
        Vector::Multi(rows) => json!(rows),
        Vector::Sparse(sparse) => json!({"indices": sparse.indices, "values": sparse.values}),
    }
}

fn record(record: &Record) -> Value {
    json!({"id": record.id, "payload": record.payload, "vector": vectors(record.vectors.as_ref())})
}

fn scored(point: &ScoredPoint) -> Value {
    let mut out = Map::new();
    out.insert("id".into(), json!(point.id));
    out.insert("score".into(), json!(point.score));
    out.insert("payload".into(), json!(point.payload));
    out.insert("vector".into(), vectors(point.vectors.as_ref()));
    let order = point.order.map(|value| match value {
        OrderValue::Integer(integer) => json!(integer),
        OrderValue::Float(float) => json!(float),
        OrderValue::Datetime(at) => json!(at.micros()),
    });
    out.insert("order_value".into(), order.unwrap_or_default());
    Value::Object(out)
}

fn group_id(id: &GroupId) -> Value {
    match id {
        GroupId::Integer(integer) => json!(integer),
        GroupId::Unsigned(integer) => json!(integer),
        GroupId::String(text) => json!(text),
    }
}

fn facet_value(value: &FacetValue) -> Value {
    match value {
        FacetValue::Bool(truth) => json!(truth),
        FacetValue::Integer(integer) => json!(integer),
        FacetValue::String(text) => json!(text),
    }
}
