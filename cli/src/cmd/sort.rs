//! `vdb sort`: points in the order of payload values.

use serde::Serialize;
use serde_json::{Value, json};
use vdb::{SortCursor, SortFrom, SortKey, SortRequest, SortedPoint, ValueKind};

use crate::args::{Filtering, InCollection, Patience, Selection, id};
use crate::failure::Outcome;
use crate::out::Out;
use crate::points::PointJson;
use crate::{parse, table};

const AFTER: &str = "\
A key is PATH[:desc][:numbers|datetimes|strings]. Without a kind, booleans come before numbers and numbers before strings, and \
dates are compared as text. Points without a value of the first key are left out; those without one of a later key come after \
the others. Points that are equal in all keys come in the order of their ids.

With --json the answer is {\"points\": [{\"id\": .., \"values\": [..], ..}], \"previous\": CURSOR or null, \"next\": CURSOR or \
null}. A cursor is {\"values\": [..], \"id\": ..}, a place in the order: \"next\" is for --after, \"previous\" for --before.

Examples:
  vdb sort my.db words pos lemmas:desc:numbers --limit 20
  vdb sort my.db words pos --after '{\"values\": [\"noun\"], \"id\": 127}'
  vdb sort my.db logs at:desc:datetimes --no-payload --json";

/// Print points in the order of payload values, page by page
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Payload paths, the first one first
    #[arg(required = true, value_name = "KEY", value_parser = parse::brief(key))]
    keys: Vec<SortKey>,

    /// The page that begins after this place, a cursor of an earlier answer
    #[arg(long, value_name = "JSON", value_parser = parse::brief(cursor))]
    after: Option<SortCursor>,

    /// The page that ends before this place, a cursor of an earlier answer
    #[arg(long, value_name = "JSON", conflicts_with = "after", value_parser = parse::brief(cursor))]
    before: Option<SortCursor>,

    /// The last page
    #[arg(long, conflicts_with_all = ["after", "before"])]
    last: bool,

    /// Most points to print
    #[arg(long, short = 'k', value_name = "N", default_value_t = 10)]
    #[arg(allow_negative_numbers = true, value_parser = parse::limit)]
    limit: usize,

    #[command(flatten)]
    filtering: Filtering,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    patience: Patience,
}

#[derive(Serialize)]
struct Sorted<'a> {
    #[serde(flatten)]
    point: PointJson<'a>,
    values: &'a [Value],
}

impl<'a> From<&'a SortedPoint> for Sorted<'a> {
    fn from(point: &'a SortedPoint) -> Self {
        Sorted {
            point: PointJson::from(&point.record),
            values: &point.values,
        }
    }
}

fn key(text: &str) -> Result<SortKey, String> {
    let (mut path, mut key) = (text, SortKey::new(""));
    while let Some((before, word)) = path.rsplit_once(':') {
        key = match word {
            "asc" => key,
            "desc" => key.descending(),
            "numbers" => key.kind(ValueKind::Numbers),
            "datetimes" => key.kind(ValueKind::Datetimes),
            "strings" => key.kind(ValueKind::Strings),
            other => {
                return Err(format!(
                    "after a path may stand :desc, :numbers, :datetimes or :strings, not {other:?}"
                ));
            }
        };
        path = before;
    }
    if path.is_empty() {
        return Err("the path is missing".to_owned());
    }
    path.clone_into(&mut key.path);
    Ok(key)
}

fn cursor(text: &str) -> Result<SortCursor, String> {
    let shape = || "a cursor is {\"values\": [..], \"id\": ..}, as an earlier answer has it".to_owned();
    let value: Value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    let values = value.get("values").and_then(Value::as_array).ok_or_else(shape)?;
    let point = match value.get("id") {
        Some(Value::String(uuid)) => id(uuid)?,
        Some(number) => number.as_u64().ok_or_else(shape)?.into(),
        None => return Err(shape()),
    };
    Ok(SortCursor {
        values: values.clone(),
        id: point,
    })
}

fn cursor_json(cursor: Option<&SortCursor>) -> Value {
    cursor.map_or(
        Value::Null,
        |cursor| json!({"values": cursor.values, "id": cursor.id}),
    )
}

pub(crate) fn run(args: Args, out: &mut Out) -> Outcome {
    let (_db, collection) = args.place.read()?;
    let request = SortRequest {
        keys: args.keys,
        page: match (args.after, args.before) {
            (Some(after), _) => SortFrom::After(after),
            (None, Some(before)) => SortFrom::Before(before),
            (None, None) if args.last => SortFrom::End,
            (None, None) => SortFrom::Start,
        },
        limit: args.limit,
        filter: args.filtering.filter,
        select: args.selection.select(),
        timeout: None,
    };
    let page = collection.sort_with(&request, &args.patience.control())?;
    let (previous, next) = (
        cursor_json(page.previous.as_ref()),
        cursor_json(page.next.as_ref()),
    );
    let points: Vec<Sorted<'_>> = page.points.iter().map(Sorted::from).collect();
    let answer = json!({"points": points, "previous": previous, "next": next});
    out.answer(&answer, || table::points(&page.points))?;
    if !out.json {
        for (option, cursor) in [("--before", previous), ("--after", next)] {
            if !cursor.is_null() {
                out.note(format_args!("more with {option} '{cursor}'"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use vdb::{SortKey, ValueKind};

    use super::{cursor, key};

    #[test]
    fn keys_are_read_from_their_end() {
        assert_eq!(key("a.b").unwrap(), SortKey::new("a.b"));
        let both = SortKey::new("at").descending().kind(ValueKind::Datetimes);
        assert_eq!(key("at:desc:datetimes").unwrap(), both);
        assert_eq!(key("at:datetimes:desc").unwrap(), both);
        for wrong in ["", ":desc", "a:down"] {
            assert!(key(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn cursors_have_values_and_an_id() {
        let read = cursor(r#"{"values": ["a", null], "id": 7}"#).unwrap();
        assert_eq!((read.values.len(), read.id), (2, 7.into()));
        for wrong in [
            "",
            "[]",
            r#"{"values": []}"#,
            r#"{"values": 1, "id": 1}"#,
            r#"{"values": [], "id": -1}"#,
        ] {
            assert!(cursor(wrong).is_err(), "{wrong:?}");
        }
    }
}
