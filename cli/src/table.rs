//! Tables for people: one line a row, cut to the width of the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Row, Table};
use serde_json::Value;
use vdb::{Payload, PointId, Record, ScoredPoint, Vector, Vectors};

use crate::out::is_unseen;

/// Width of a table that goes to a file or a pipe.
const WIDTH: u16 = 120;
/// No column needs to be wider than this to be of use.
const ENOUGH: usize = 48;
/// Blanks beside a column.
const PADDING: usize = 2;

/// A table with these headings.
pub(crate) fn with_header(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    // A terminal that does not know its width says 0.
    let width = table.width().filter(|width| *width > 0).unwrap_or(WIDTH);
    table.set_width(width);
    table.set_header(
        header
            .iter()
            .map(|name| Cell::new(*name).add_attribute(comfy_table::Attribute::Bold)),
    );
    table
}

/// Adds a line of cells.
pub(crate) fn push(table: &mut Table, cells: impl IntoIterator<Item = Cell>) {
    let mut row = Row::from(cells.into_iter().collect::<Vec<_>>());
    row.max_height(1);
    table.add_row(row);
}

/// A number, aligned as numbers are.
pub(crate) fn number(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}

/// A point of a table, whatever it came from.
pub(crate) struct Line<'a> {
    id: PointId,
    score: Option<f32>,
    payload: Option<&'a Payload>,
    vectors: Option<&'a Vectors>,
}

impl<'a> From<&'a ScoredPoint> for Line<'a> {
    fn from(point: &'a ScoredPoint) -> Self {
        Line {
            id: point.id,
            score: Some(point.score),
            payload: point.payload.as_ref(),
            vectors: point.vectors.as_ref(),
        }
    }
}

impl<'a> From<&'a Record> for Line<'a> {
    fn from(record: &'a Record) -> Self {
        Line {
            id: record.id,
            score: None,
            payload: record.payload.as_ref(),
            vectors: record.vectors.as_ref(),
        }
    }
}

/// Points with as many columns of their payloads as fit, in the order of the payloads' keys. A last line names the
/// keys that did not fit.
pub(crate) fn points<'a, T>(points: &'a [T]) -> String
where
    Line<'a>: From<&'a T>,
{
    let lines: Vec<Line<'a>> = points.iter().map(Line::from).collect();
    if lines.is_empty() {
        return "no points".to_owned();
    }
    let scored = lines.iter().any(|line| line.score.is_some());
    let vectors = lines.iter().any(|line| line.vectors.is_some());
    let mut header = vec!["id"];
    header.extend(scored.then_some("score"));
    header.extend(vectors.then_some("vector"));

    let mut room = usize::from(with_header(&[]).width().unwrap_or(WIDTH));
    let ids = lines
        .iter()
        .map(|line| line.id.to_string().len())
        .max()
        .unwrap_or(0);
    room = room.saturating_sub(ids + PADDING + if scored { 8 + PADDING } else { 0 });
    room = room.saturating_sub(if vectors { ENOUGH + PADDING } else { 0 });
    let (shown, left_out) = columns(&lines, room);
    let names: Vec<String> = shown.iter().map(|key| plain(key)).collect();
    header.extend(names.iter().map(String::as_str));

    let mut table = with_header(&header);
    for line in &lines {
        let mut cells = vec![number(line.id)];
        if scored {
            cells.push(number(
                line.score.map(|score| format!("{score:.4}")).unwrap_or_default(),
            ));
        }
        if vectors {
            cells.push(Cell::new(line.vectors.map(abridged).unwrap_or_default()));
        }
        for key in &shown {
            let value = line.payload.and_then(|payload| payload.get(*key));
            let cell = value.map(readable).unwrap_or_default();
            let numeric = value.is_some_and(Value::is_number);
            cells.push(if numeric { number(cell) } else { Cell::new(cell) });
        }
        push(&mut table, cells);
    }
    let mut text = table.trim_fmt();
    if !left_out.is_empty() {
        text.push_str(&format!(
            "\n(more fields with --json: {})",
            plain(&left_out.join(", "))
        ));
    }
    text
}

/// The payload keys that fit, and those that do not.
fn columns<'a>(lines: &[Line<'a>], mut room: usize) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut keys: Vec<(&str, usize)> = Vec::new();
    for (key, value) in lines.iter().filter_map(|line| line.payload).flatten() {
        let width = readable(value).chars().count();
        match keys.iter_mut().find(|(known, _)| *known == key.as_str()) {
            Some((_, widest)) => *widest = width.max(*widest),
            None => keys.push((key, width.max(key.chars().count()))),
        }
    }
    let (mut shown, mut left_out) = (Vec::new(), Vec::new());
    for (key, widest) in keys {
        let need = widest.min(ENOUGH) + PADDING;
        if need <= room && left_out.is_empty() {
            room -= need;
            shown.push(key);
        } else {
            left_out.push(key);
        }
    }
    (shown, left_out)
}

/// A payload value in a cell: text without quotes, lists with commas. Control characters could move the cursor or
/// worse, and become blanks.
fn readable(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(readable).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    plain(&text)
}

/// A name or other text of others on one line.
pub(crate) fn plain(text: &str) -> String {
    text.replace(is_unseen, " ")
}

/// Numbers of a vector that are shown.
const SHOWN: usize = 3;

/// The first numbers of each vector.
fn abridged(vectors: &Vectors) -> String {
    let shown = |(name, vector): (&String, &Vector)| {
        let mut text = if name.is_empty() {
            String::new()
        } else {
            format!("{}: ", plain(name))
        };
        let few = |numbers: &[f32]| {
            let first = numbers.iter().take(SHOWN);
            first.map(|number| format!("{number:.3}")).collect::<Vec<_>>()
        };
        let (first, len) = match vector {
            Vector::Dense(numbers) => (few(numbers), numbers.len()),
            Vector::Sparse(vector) => {
                let values = few(&vector.values).into_iter();
                let pairs = vector.indices.iter().zip(values);
                let pairs = pairs.map(|(index, value)| format!("{index}={value}"));
                (pairs.collect(), vector.values.len())
            }
            Vector::Multi(rows) => {
                let first = rows.first().map(|row| few(row)).unwrap_or_default();
                (first, rows.iter().map(Vec::len).sum())
            }
        };
        text.push_str(&first.join(" "));
        if len > SHOWN {
            text.push_str(&format!(" .. ({len})"));
        }
        text
    };
    vectors.0.iter().map(shown).collect::<Vec<_>>().join("; ")
}

/// A table, and below it what does not fit a cell: which collection is damaged, and how.
pub(crate) fn with_damage(table: &Table, damage: &[String]) -> String {
    let mut text = table.trim_fmt();
    for line in damage {
        text.push_str(&format!("\n- {line}"));
    }
    if !damage.is_empty() {
        text.push_str("\n`vdb verify` lists all damage");
    }
    text
}

/// Bytes as people read them.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}

/// A count of things: `1 row`, `2,000 rows`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

/// A count with separators.
pub(crate) fn count(count: u64) -> String {
    indicatif::HumanCount(count).to_string()
}

#[cfg(test)]
mod tests;
