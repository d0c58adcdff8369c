//! How costs grow with the number of rows: tables and plots.

use std::path::Path;

use vdb_benches::Result;

use super::tables::{Table, grouped, number, speed};
use super::{Entry, OURS, Report};
use crate::curve::{LEVELS, Speed};
use crate::plot::{self, Series, Titles};

/// A system that was measured at several numbers of rows, and what it came to at each, the fewest first.
struct Growing<'a> {
    system: &'a str,
    sizes: Vec<(u64, &'a Entry<'a>)>,
}

impl Report<'_> {
    /// All systems at all numbers of rows, and how many times as much they take there as at the fewest.
    pub(super) fn growth(&self) -> Option<String> {
        let mut table = Table::new(&[
            "rows",
            "system",
            "q/s @ .95",
            "@ .98",
            "@ .99",
            "build s",
            "anonymous MB",
            "resident MB",
            "disk MB",
            "open ms",
        ]);
        for (rows, entries) in &self.sizes {
            for entry in entries {
                table.row([
                    grouped(*rows as f64),
                    entry.system.to_owned(),
                    speed(entry.curve.at(LEVELS[0])),
                    speed(entry.curve.at(LEVELS[1])),
                    speed(entry.curve.at(LEVELS[2])),
                    number(entry.known(|line| line.build_s), 1),
                    number(entry.known(|line| line.rss_anon_mb), 1),
                    number(entry.known(|line| line.rss_mb), 1),
                    number(entry.known(|line| line.disk_mb), 1),
                    number(entry.known(|line| line.open_ms), 1),
                ]);
            }
        }
        let mut text = table.text()?;
        if let Some(times) = self.times_as_long() {
            text += "\nHow many times as long a query and a build take as with the fewest rows that the system was measured with, \
                     beside how many times as large log N and N log N are:\n\n";
            text += &times;
        }
        Some(text)
    }

    fn times_as_long(&self) -> Option<String> {
        let mut table = Table::new(&[
            "system",
            "from rows",
            "to rows",
            "log N",
            "query @ .95",
            "@ .98",
            "@ .99",
            "N log N",
            "build",
        ]);
        for Growing { system, sizes } in self.growing() {
            let Some(((few, least), more)) = sizes.split_first() else {
                continue;
            };
            for (many, entry) in more {
                let (few, many) = (*few as f64, *many as f64);
                let log = (few > 1.0).then(|| many.ln() / few.ln());
                let at = |level| times(least.curve.at(level), entry.curve.at(level));
                let seconds = |entry: &Entry<'_>| entry.known(|line| line.build_s).filter(|s| *s > 0.0);
                let build = seconds(least).zip(seconds(entry)).map(|(then, now)| now / then);
                table.row([
                    system.to_owned(),
                    grouped(few),
                    grouped(many),
                    number(log, 2),
                    at(LEVELS[0]),
                    at(LEVELS[1]),
                    at(LEVELS[2]),
                    number(log.map(|log| log * many / few), 1),
                    number(build, 1),
                ]);
            }
        }
        table.text()
    }

    /// Ours first.
    fn growing(&self) -> Vec<Growing<'_>> {
        let mut systems: Vec<Growing<'_>> = Vec::new();
        for (rows, entries) in &self.sizes {
            for entry in entries {
                match systems.iter_mut().find(|one| one.system == entry.system) {
                    Some(one) => one.sizes.push((*rows, entry)),
                    None => systems.push(Growing {
                        system: entry.system,
                        sizes: vec![(*rows, entry)],
                    }),
                }
            }
        }
        systems.retain(|one| one.sizes.len() > 1);
        systems.sort_by_key(|one| !one.system.starts_with(OURS));
        systems
    }

    /// A line a system; one that was measured at a single number of rows has none.
    pub(super) fn plot_growth(&self, dir: &Path) -> Result<()> {
        type Figure = (&'static str, &'static str, fn(&Entry<'_>) -> Option<f64>);
        let figures: [Figure; 5] = [
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
            ("growth-open", "milliseconds to open", |entry| {
                entry.known(|line| line.open_ms).filter(|ms| *ms > 0.0)
            }),
        ];
        for (file, y, of) in figures {
            let series = self.growing().into_iter().map(|one| {
                let points = one
                    .sizes
                    .iter()
                    .filter_map(|(rows, entry)| Some((*rows as f64, of(entry)?)));
                Series {
                    name: one.system.to_owned(),
                    points: points.collect(),
                }
            });
            let series: Vec<Series> = series.filter(|one| !one.points.is_empty()).collect();
            let titles = Titles {
                title: "Growth with the number of rows",
                x: "rows",
                y,
            };
            plot::lines(&dir.join(file).with_extension("svg"), titles, &series, true)?;
        }
        Ok(())
    }
}

/// How many times as long a query takes `now` as `then`. One of the speeds may be higher than what was measured; if both
/// may, nothing is known.
fn times(then: Option<Speed>, now: Option<Speed>) -> String {
    let (Some(then), Some(now)) = (then, now) else {
        return "-".to_owned();
    };
    let times = then.qps / now.qps;
    match (then.at_least, now.at_least) {
        (false, false) => format!("{times:.2}"),
        (true, false) => format!("\u{2265} {times:.2}"),
        (false, true) => format!("\u{2264} {times:.2}"),
        (true, true) => "-".to_owned(),
    }
}
