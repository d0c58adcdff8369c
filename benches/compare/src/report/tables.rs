//! Tables of what was measured, as Markdown.

use vdb_measure::Line;

use super::Report;
use crate::curve::{LEVELS, Speed};

impl Report<'_> {
    /// All tables.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let sections = [
            ("Searches", self.searches()),
            ("Ours over theirs", self.ratios()),
            ("Filtered searches", self.filters()),
            ("Several threads at once", self.threads()),
            ("A part of the files in memory", self.cold()),
            ("Growth with the number of rows", self.growth()),
            ("Over connections", self.connections()),
            ("Counts", self.counts()),
            ("Texts by sparse vectors", self.sparse()),
            ("Dense vectors and texts together", self.hybrid()),
            ("Writes", self.writes()),
        ];
        for (title, table) in sections {
            if let Some(table) = table {
                text += &format!("## {title}\n\n{table}\n");
            }
        }
        if !self.failures.is_empty() {
            text += "## Not measured\n\n";
            text.extend(self.failures.iter().map(|failure| format!("- {failure}\n")));
        }
        text
    }

    fn searches(&self) -> Option<String> {
        let mut table = Table::new(&[
            "system",
            "build s",
            "load s",
            "anonymous MB",
            "resident MB",
            "disk MB",
            "q/s @ .95",
            "@ .98",
            "@ .99",
            "best recall",
            "p50 us @ .98",
            "p99 us @ .98",
        ]);
        for entry in &self.plain {
            let at = |level| speed(entry.curve.at(level));
            let time = |what: fn(&Line) -> Option<f64>| number(entry.reaching(LEVELS[1]).and_then(what), 1);
            table.row([
                entry.system.to_owned(),
                number(entry.known(|line| line.build_s), 1),
                number(entry.known(|line| line.load_s), 2),
                number(entry.known(|line| line.rss_anon_mb), 0),
                number(entry.known(|line| line.rss_mb), 0),
                number(entry.known(|line| line.disk_mb), 0),
                at(LEVELS[0]),
                at(LEVELS[1]),
                at(LEVELS[2]),
                number(entry.curve.best_recall(), 4),
                time(|line| line.p50_us),
                time(|line| line.p99_us),
            ]);
        }
        table.text()
    }

    fn ratios(&self) -> Option<String> {
        let mut table = Table::new(&[
            "ours",
            "peer",
            "q/s @ .95",
            "@ .98",
            "@ .99",
            "build time",
            "anonymous memory",
            "resident memory",
            "disk",
        ]);
        // Builds of ours that differ are systems of their own.
        for ours in self.plain.iter().filter(|entry| entry.is_ours()) {
            for peer in self.plain.iter().filter(|entry| !entry.is_ours()) {
                let at = |level| ratio(ours.curve.at(level), peer.curve.at(level));
                let of = |what: fn(&Line) -> Option<f64>| match (ours.known(what), peer.known(what)) {
                    (Some(ours), Some(theirs)) if theirs > 0.0 => format!("{:.2}", ours / theirs),
                    _ => "-".to_owned(),
                };
                table.row([
                    ours.system.to_owned(),
                    peer.system.to_owned(),
                    at(LEVELS[0]),
                    at(LEVELS[1]),
                    at(LEVELS[2]),
                    of(|line| line.build_s),
                    of(|line| line.rss_anon_mb),
                    of(|line| line.rss_mb),
                    of(|line| line.disk_mb),
                ]);
            }
        }
        table.text()
    }

    fn filters(&self) -> Option<String> {
        let mut table = Table::new(&[
            "filter",
            "share",
            "system",
            "q/s @ .95",
            "@ .98",
            "best recall",
            "p99 us @ .95",
            "ours over it @ .95",
            "@ .98",
        ]);
        for (name, share, entries) in &self.filtered {
            let ours = entries.iter().find(|entry| entry.is_ours());
            for entry in entries {
                let at = |level| match ours {
                    Some(ours) if !entry.is_ours() => ratio(ours.curve.at(level), entry.curve.at(level)),
                    Some(_) | None => String::new(),
                };
                table.row([
                    (*name).to_owned(),
                    format!("{:.2} %", share * 100.0),
                    entry.system.to_owned(),
                    speed(entry.curve.at(LEVELS[0])),
                    speed(entry.curve.at(LEVELS[1])),
                    number(entry.curve.best_recall(), 4),
                    number(entry.reaching(LEVELS[0]).and_then(|line| line.p99_us), 1),
                    at(LEVELS[0]),
                    at(LEVELS[1]),
                ]);
            }
        }
        table.text()
    }

    fn threads(&self) -> Option<String> {
        let mut table = Table::new(&[
            "system",
            "setting",
            "threads",
            "q/s of all",
            "over one",
            "recall",
            "p50 us",
            "p99 us",
        ]);
        for line in &self.together {
            table.row([
                line.system.clone(),
                line.setting_name(),
                number(line.clients.map(|clients| clients as f64), 0),
                grouped(line.qps),
                number(line.over_one, 2),
                number(Some(line.recall), 4),
                number(line.p50_us, 1),
                number(line.p99_us, 1),
            ]);
        }
        table.text()
    }

    fn cold(&self) -> Option<String> {
        let mut table = Table::new(&[
            "system",
            "setting",
            "share in memory",
            "held by",
            "of MB",
            "q/s",
            "p50 us",
            "p99 us",
            "recall",
            "KB read a query",
        ]);
        for line in &self.cold {
            table.row([
                line.system.clone(),
                line.setting_name(),
                format!("{:.0} %", line.cached.unwrap_or_default() * 100.0),
                line.cached_by.clone().unwrap_or_default(),
                number(line.mapped_mb, 1),
                grouped(line.qps),
                number(line.p50_us, 1),
                number(line.p99_us, 1),
                number(Some(line.recall), 4),
                number(line.read_kb, 2),
            ]);
        }
        table.text()
    }

    fn connections(&self) -> Option<String> {
        let mut table = Table::new(&[
            "system",
            "transport",
            "filter",
            "setting",
            "connections",
            "q/s",
            "p50 us",
            "p95 us",
            "p99 us",
            "recall",
        ]);
        for line in &self.served {
            table.row([
                line.system.clone(),
                line.transport.clone().unwrap_or_default(),
                line.filter.clone().unwrap_or_default(),
                line.setting_name(),
                number(line.connections.map(|connections| connections as f64), 0),
                grouped(line.qps),
                number(line.p50_us, 1),
                number(line.p95_us, 1),
                number(line.p99_us, 1),
                number(Some(line.recall), 4),
            ]);
        }
        table.text()
    }
}

/// Ours over theirs.
fn ratio(ours: Option<Speed>, theirs: Option<Speed>) -> String {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => format!("{:.2}", ours.qps / theirs.qps),
        (Some(_), None) => "only ours".to_owned(),
        (None, Some(_)) => "only theirs".to_owned(),
        (None, None) => "-".to_owned(),
    }
}

pub(super) fn speed(speed: Option<Speed>) -> String {
    match speed {
        Some(Speed { qps, at_least: true }) => format!("\u{2265} {}", grouped(qps)),
        Some(Speed { qps, .. }) => grouped(qps),
        None => "-".to_owned(),
    }
}

pub(super) fn number(number: Option<f64>, digits: usize) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}"))
}

/// A whole number with a comma before every three digits.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A Markdown table that is built row by row.
pub(super) struct Table {
    text: String,
    rows: usize,
}

impl Table {
    pub(super) fn new(columns: &[&str]) -> Table {
        let text = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
        Table { text, rows: 0 }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.text += &format!("| {} |\n", cells.join(" | "));
        self.rows += 1;
    }

    pub(super) fn text(self) -> Option<String> {
        (self.rows > 0).then_some(self.text)
    }
}
