//! What was measured, for programs and for people.

use vdb_measure::Line;

use crate::failure::Outcome;
use crate::out::Out;
use crate::table;

/// A column of the table for people: its name, and what stands in it.
pub(super) type Column = (&'static str, fn(&Line) -> String);

fn number(number: Option<f64>) -> String {
    number.map_or_else(String::new, |number| format!("{number:.1}"))
}

const SETTING: Column = ("setting", |line| line.setting.clone());
const RECALL: Column = ("recall", |line| format!("{:.4}", line.recall));
const QPS: Column = ("queries/s", |line| format!("{:.1}", line.qps));
const P50: Column = ("p50 us", |line| number(line.p50_us));
const P99: Column = ("p99 us", |line| number(line.p99_us));

pub(super) const COLUMNS: [Column; 5] = [SETTING, RECALL, QPS, P50, P99];
pub(super) const CLIENT_COLUMNS: [Column; 7] = [
    SETTING,
    ("clients", |line| {
        line.clients.map(|n| n.to_string()).unwrap_or_default()
    }),
    RECALL,
    QPS,
    ("of one client", |line| {
        line.over_one
            .map(|times| format!("{times:.2} x"))
            .unwrap_or_default()
    }),
    P50,
    P99,
];
pub(super) const COLD_COLUMNS: [Column; 9] = [
    SETTING,
    ("cached %", |line| number(line.cached.map(|share| share * 100.0))),
    ("by", |line| line.cached_by.clone().unwrap_or_default()),
    ("most MB", |line| number(line.resident_mb)),
    RECALL,
    QPS,
    P50,
    P99,
    ("KB read a query", |line| number(line.read_kb)),
];

/// What was measured, as it comes: JSON at once, a table at the end.
pub(super) struct Lines {
    columns: &'static [Column],
    table: comfy_table::Table,
}

impl Lines {
    pub(super) fn new(columns: &'static [Column]) -> Lines {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        Lines {
            columns,
            table: table::with_header(&names),
        }
    }

    pub(super) fn add(&mut self, line: Line, out: &mut Out) -> Outcome {
        if out.json {
            out.value(&line)?;
            // A setting takes seconds: whoever reads along sees each when it is done.
            return out.flush();
        }
        let texts = self.columns.iter().map(|(_, text)| text(&line));
        let cells = texts.enumerate().map(|(at, text)| match at {
            0 => comfy_table::Cell::new(text),
            _ => table::number(text),
        });
        table::push(&mut self.table, cells);
        Ok(())
    }

    pub(super) fn end(&self, known: &Line, out: &mut Out) -> Outcome {
        if out.json {
            return Ok(());
        }
        out.line(format_args!(
            "{}: {} rows, {} queries",
            known.system,
            table::count(known.rows.unwrap_or_default()),
            known.queries.unwrap_or_default()
        ))?;
        if let (Some(load_s), Some(build_s)) = (known.load_s, known.build_s) {
            let disk = known.disk_mb.unwrap_or_default();
            out.line(format_args!(
                "loaded in {load_s:.2} s, graph built in {build_s:.2} s, {} on disk",
                table::bytes((disk * 1e6) as u64)
            ))?;
        }
        out.line(self.table.trim_fmt())
    }
}
