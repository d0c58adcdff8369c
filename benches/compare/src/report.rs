//! Tables of everything that was measured, as Markdown, and the plots beside them.

use std::collections::BTreeMap;
use std::path::Path;

use vdb_benches::{Error, Result};
use vdb_measure::Line;

use crate::curve::{Curve, LEVELS, Speed};
use crate::plot::{self, Series, Titles};

/// Which system all others are compared with: the one whose name starts with this.
pub(crate) const OURS: &str = "vdb";

/// Lines of one system under one condition.
struct Entry<'a> {
    system: &'a str,
    lines: Vec<&'a Line>,
    curve: Curve,
}

impl Entry<'_> {
    fn is_ours(&self) -> bool {
        self.system.starts_with(OURS)
    }

    /// The first line that knows something.
    fn known(&self, what: impl Fn(&Line) -> Option<f64>) -> Option<f64> {
        self.lines.iter().find_map(|line| what(line))
    }

    /// The fastest line that reaches a level.
    fn reaching(&self, level: f64) -> Option<&Line> {
        let reaching = self.lines.iter().filter(|line| line.recall >= level);
        reaching.copied().max_by(|a, b| a.qps.total_cmp(&b.qps))
    }
}

/// The systems among some lines, ours first, then by their speed at the first level that they reach.
fn entries<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Vec<Entry<'a>> {
    let mut groups: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        groups.entry(&line.system).or_default().push(line);
    }
    let mut entries: Vec<Entry<'_>> = groups
        .into_iter()
        .map(|(system, lines)| Entry {
            system,
            curve: Curve::of(lines.iter().copied()),
            lines,
        })
        .collect();
    let speed = |entry: &Entry<'_>| entry.curve.at(LEVELS[0]).map_or(0.0, |speed| speed.qps);
    entries.sort_by(|a, b| {
        let ours_first = b.is_ours().cmp(&a.is_ours());
        ours_first.then(speed(b).total_cmp(&speed(a)))
    });
    entries
}

/// What was measured, by kind.
pub(crate) struct Report<'a> {
    /// Searches without a filter in one process, of the largest number of rows.
    plain: Vec<Entry<'a>>,
    /// The same of every number of rows, if there are several.
    sizes: BTreeMap<u64, Vec<Entry<'a>>>,
    /// Searches with each filter, from the one that most rows match.
    filtered: Vec<(&'a str, f64, Vec<Entry<'a>>)>,
    /// Searches over connections.
    served: Vec<&'a Line>,
    failures: &'a [String],
}

impl<'a> Report<'a> {
    /// Sorts lines into their kinds. A line that does not say of how many rows it is belongs to the largest number.
    pub(crate) fn new(lines: &'a [Line], failures: &'a [String]) -> Report<'a> {
        let served = |line: &&Line| line.connections.is_some();
        let unfiltered = || lines.iter().filter(|line| !served(line) && line.filter.is_none());
        let most = unfiltered().filter_map(|line| line.rows).max();
        let mut sizes: BTreeMap<u64, Vec<&Line>> = BTreeMap::new();
        for line in unfiltered() {
            sizes
                .entry(line.rows.or(most).unwrap_or(0))
                .or_default()
                .push(line);
        }
        let mut filters: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        for line in lines.iter().filter(|line| !served(line)) {
            if let Some(filter) = &line.filter {
                filters.entry(filter).or_default().push(line);
            }
        }
        let mut filtered: Vec<(&str, f64, Vec<Entry<'_>>)> = filters
            .into_iter()
            .map(|(name, lines)| {
                let share = lines.iter().find_map(|line| line.share).unwrap_or(f64::NAN);
                (name, share, entries(lines))
            })
            .collect();
        filtered.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        Report {
            plain: entries(unfiltered().filter(|line| line.rows.is_none() || line.rows == most)),
            sizes: match sizes.len() {
                0 | 1 => BTreeMap::new(),
                _ => sizes
                    .into_iter()
                    .map(|(rows, lines)| (rows, entries(lines)))
                    .collect(),
            },
            filtered,
            served: lines.iter().filter(served).collect(),
            failures,
        }
    }

    /// All tables.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let sections = [
            ("Searches", self.searches()),
            ("Ours over theirs", self.ratios()),
            ("Filtered searches", self.filters()),
            ("Growth with the number of rows", self.growth()),
            ("Over connections", self.connections()),
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
        let ours = self.plain.iter().find(|entry| entry.is_ours())?;
        let mut table = Table::new(&[
            "peer",
            "q/s @ .95",
            "@ .98",
            "@ .99",
            "build time",
            "anonymous memory",
            "resident memory",
            "disk",
        ]);
        for peer in self.plain.iter().filter(|entry| !entry.is_ours()) {
            let at = |level| ratio(ours.curve.at(level), peer.curve.at(level));
            let of = |what: fn(&Line) -> Option<f64>| match (ours.known(what), peer.known(what)) {
                (Some(ours), Some(theirs)) if theirs > 0.0 => format!("{:.2}", ours / theirs),
                _ => "-".to_owned(),
            };
            table.row([
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

    fn growth(&self) -> Option<String> {
        let mut table = Table::new(&[
            "rows",
            "system",
            "q/s @ .95",
            "@ .99",
            "build s",
            "anonymous MB",
            "resident MB",
            "disk MB",
        ]);
        for (rows, entries) in &self.sizes {
            for entry in entries {
                table.row([
                    grouped(*rows as f64),
                    entry.system.to_owned(),
                    speed(entry.curve.at(LEVELS[0])),
                    speed(entry.curve.at(LEVELS[2])),
                    number(entry.known(|line| line.build_s), 1),
                    number(entry.known(|line| line.rss_anon_mb), 1),
                    number(entry.known(|line| line.rss_mb), 1),
                    number(entry.known(|line| line.disk_mb), 1),
                ]);
            }
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

    /// Draws every plot that there is something for into `dir`.
    pub(crate) fn plots(&self, dir: &Path) -> Result<()> {
        std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
        self.plot_recall(dir)?;
        self.plot_latency(dir)?;
        self.plot_costs(dir)?;
        self.plot_filters(dir)?;
        self.plot_growth(dir)?;
        self.plot_connections(dir)
    }

    fn plot_recall(&self, dir: &Path) -> Result<()> {
        let titles = Titles {
            title: "Speed at a recall: one query a call, one thread",
            x: "recall@10",
            y: "queries a second",
        };
        let series: Vec<Series> = self
            .plain
            .iter()
            .map(|entry| Series {
                name: entry.system.to_owned(),
                points: visible(entry.curve.points()),
            })
            .collect();
        plot::lines(&dir.join("recall-qps.svg"), titles, &series, false)
    }

    fn plot_latency(&self, dir: &Path) -> Result<()> {
        let titles = Titles {
            title: "Time of a query: median and 99th percentile over the queries",
            x: "recall@10",
            y: "microseconds",
        };
        type Percentile = (&'static str, fn(&Line) -> Option<f64>);
        let percentiles: [Percentile; 2] = [("p50", |line| line.p50_us), ("p99", |line| line.p99_us)];
        let mut series = Vec::new();
        for entry in &self.plain {
            for (name, of) in percentiles {
                let points = entry
                    .lines
                    .iter()
                    .filter_map(|line| Some((line.recall, of(line)?)));
                let mut points: Vec<(f64, f64)> = points.collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                series.push(Series {
                    name: format!("{} {name}", entry.system),
                    points: visible(&points),
                });
            }
        }
        plot::lines(&dir.join("latency.svg"), titles, &series, false)
    }

    fn plot_costs(&self, dir: &Path) -> Result<()> {
        let labels: Vec<String> = self.plain.iter().map(|entry| entry.system.to_owned()).collect();
        let series = |name: &str, of: fn(&Line) -> Option<f64>| Series {
            name: name.to_owned(),
            points: (0_u32..)
                .zip(&self.plain)
                .filter_map(|(group, entry)| Some((f64::from(group), entry.known(of)?)))
                .collect(),
        };
        let titles = |title, x| Titles { title, x, y: "" };
        plot::bars(
            &dir.join("build.svg"),
            titles("Making the index", "seconds"),
            &labels,
            &[series("build", |line| line.build_s)],
        )?;
        plot::bars(
            &dir.join("memory.svg"),
            titles("Memory and disk", "megabytes"),
            &labels,
            &[
                series("anonymous", |line| line.rss_anon_mb),
                series("resident", |line| line.rss_mb),
                series("disk", |line| line.disk_mb),
            ],
        )
    }

    fn plot_filters(&self, dir: &Path) -> Result<()> {
        let label =
            |(name, share, _): &(&str, f64, Vec<Entry<'_>>)| format!("{name} ({:.2} %)", share * 100.0);
        let labels: Vec<String> = self.filtered.iter().map(label).collect();
        let mut series: Vec<Series> = Vec::new();
        for (group, (_, _, entries)) in (0_u32..).zip(&self.filtered) {
            for entry in entries {
                let Some(speed) = entry.curve.at(LEVELS[0]) else {
                    continue;
                };
                let point = (f64::from(group), speed.qps);
                match series.iter_mut().find(|one| one.name == entry.system) {
                    Some(one) => one.points.push(point),
                    None => series.push(Series {
                        name: entry.system.to_owned(),
                        points: vec![point],
                    }),
                }
            }
        }
        let titles = Titles {
            title: "Filtered searches at recall .95",
            x: "queries a second",
            y: "",
        };
        plot::bars(&dir.join("filtered.svg"), titles, &labels, &series)
    }

    fn plot_growth(&self, dir: &Path) -> Result<()> {
        type Figure = (&'static str, &'static str, fn(&Entry<'_>) -> Option<f64>);
        let figures: [Figure; 4] = [
            ("growth-qps", "queries a second at recall .95", |entry| {
                entry.curve.at(LEVELS[0]).map(|speed| speed.qps)
            }),
            ("growth-build", "seconds to make the index", |entry| {
                entry.known(|line| line.build_s).filter(|s| *s > 0.0)
            }),
            ("growth-memory", "resident megabytes", |entry| {
                entry.known(|line| line.rss_mb).filter(|mb| *mb > 0.0)
            }),
            ("growth-disk", "megabytes on disk", |entry| {
                entry.known(|line| line.disk_mb).filter(|mb| *mb > 0.0)
            }),
        ];
        for (file, y, of) in figures {
            let mut series: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
            for (rows, entries) in &self.sizes {
                for entry in entries {
                    if let Some(y) = of(entry) {
                        series.entry(entry.system).or_default().push((*rows as f64, y));
                    }
                }
            }
            let series: Vec<Series> = series
                .into_iter()
                .map(|(name, points)| Series {
                    name: name.to_owned(),
                    points,
                })
                .collect();
            let titles = Titles {
                title: "Growth with the number of rows",
                x: "rows",
                y,
            };
            plot::lines(&dir.join(file).with_extension("svg"), titles, &series, true)?;
        }
        Ok(())
    }

    fn plot_connections(&self, dir: &Path) -> Result<()> {
        let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for line in self.served.iter().filter(|line| line.filter.is_none()) {
            let transport = line.transport.as_deref().unwrap_or_default();
            let name = format!("{} {transport} {}", line.system, line.setting_name());
            let connections = line.connections.unwrap_or_default() as f64;
            series.entry(name).or_default().push((connections, line.qps));
        }
        let series: Vec<Series> = series
            .into_iter()
            .map(|(name, points)| Series { name, points })
            .collect();
        let titles = Titles {
            title: "A server, asked over several connections",
            x: "connections",
            y: "queries a second",
        };
        plot::lines(&dir.join("connections.svg"), titles, &series, true)
    }
}

/// Recalls below this say little about systems that are compared at .95 and more.
const LEAST_RECALL: f64 = 0.85;

fn visible(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let seen = |(recall, _): &&(f64, f64)| *recall >= LEAST_RECALL;
    points.iter().filter(seen).copied().collect()
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

fn speed(speed: Option<Speed>) -> String {
    match speed {
        Some(Speed { qps, at_least: true }) => format!("\u{2265} {}", grouped(qps)),
        Some(Speed { qps, .. }) => grouped(qps),
        None => "-".to_owned(),
    }
}

fn number(number: Option<f64>, digits: usize) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}"))
}

/// A whole number with a comma before every three digits.
fn grouped(number: f64) -> String {
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
struct Table {
    text: String,
    rows: usize,
}

impl Table {
    fn new(columns: &[&str]) -> Table {
        let text = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
        Table { text, rows: 0 }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.text += &format!("| {} |\n", cells.join(" | "));
        self.rows += 1;
    }

    fn text(self) -> Option<String> {
        (self.rows > 0).then_some(self.text)
    }
}

#[cfg(test)]
mod tests;
