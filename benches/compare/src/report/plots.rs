//! Plots of what was measured.

use std::collections::BTreeMap;
use std::path::Path;

use vdb_benches::{Error, Result};
use vdb_measure::Line;

use super::{Entry, Report};
use crate::curve::LEVELS;
use crate::plot::{self, Series, Titles};

impl Report<'_> {
    /// Draws every plot that there is something for into `dir`.
    pub(crate) fn plots(&self, dir: &Path) -> Result<()> {
        std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
        self.plot_recall(dir)?;
        self.plot_latency(dir)?;
        self.plot_costs(dir)?;
        self.plot_builds(dir)?;
        self.plot_cold(dir)?;
        self.plot_filters(dir)?;
        self.plot_growth(dir)?;
        self.plot_connections(dir)?;
        self.plot_writes(dir)
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
        type Percentile = (&'static str, fn(&Line) -> Option<f64>);
        let mut percentiles: Vec<Percentile> =
            vec![(" p50", |line| line.p50_us), (" p99", |line| line.p99_us)];
        let mut title = "Time of a query: median and 99th percentile over the queries";
        // The median says about what queries a second do.
        if self.plain.len() * percentiles.len() > plot::APART {
            percentiles = vec![("", |line| line.p99_us)];
            title = "Time of a query: 99th percentile over the queries";
        }
        let titles = Titles {
            title,
            x: "recall@10",
            y: "microseconds",
        };
        let mut series = Vec::new();
        for entry in &self.plain {
            for (name, of) in &percentiles {
                let points = entry
                    .lines
                    .iter()
                    .filter_map(|line| Some((line.recall, of(line)?)));
                let mut points: Vec<(f64, f64)> = points.collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                series.push(Series {
                    name: format!("{}{name}", entry.system),
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

    fn plot_builds(&self, dir: &Path) -> Result<()> {
        let series = self.plain.iter().filter_map(|entry| {
            let seconds = entry.known(|line| line.build_s).filter(|s| *s > 0.0)?;
            let speed = entry.curve.at(LEVELS[0])?;
            Some(Series {
                name: entry.system.to_owned(),
                points: vec![(seconds, speed.qps)],
            })
        });
        let titles = Titles {
            title: "Speed at recall .95 against the time of the build",
            x: "seconds to make the index",
            y: "queries a second",
        };
        plot::lines(
            &dir.join("build-qps.svg"),
            titles,
            &series.collect::<Vec<_>>(),
            true,
        )
    }

    fn plot_cold(&self, dir: &Path) -> Result<()> {
        let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for line in &self.cold {
            let share = line.cached.unwrap_or_default() * 100.0;
            let name = format!("{} {}", line.system, line.setting_name());
            series.entry(name).or_default().push((share, line.qps));
        }
        let series: Vec<Series> = series
            .into_iter()
            .map(|(name, mut points)| {
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                Series { name, points }
            })
            .collect();
        let titles = Titles {
            title: "Speed with a part of the files in memory",
            x: "per cent of the files' bytes",
            y: "queries a second",
        };
        plot::lines(&dir.join("cold.svg"), titles, &series, false)
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
                Series::add(&mut series, entry.system, point);
            }
        }
        let titles = Titles {
            title: "Filtered searches at recall .95",
            x: "queries a second",
            y: "",
        };
        plot::bars(&dir.join("filtered.svg"), titles, &labels, &series)
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
