//! What a write that waits for the disk costs: a table and a plot.

use std::collections::BTreeMap;
use std::path::Path;

use vdb_benches::Result;
use vdb_measure::IngestLine;

use super::tables::{Table, grouped, number};
use super::{OURS, Report};
use crate::plot::{self, Series, Titles};

/// Ours when it is acknowledged as others do: by the system, before the disk.
const BUFFERED: &str = "buffered";

impl Report<'_> {
    /// Lines of one batch size and number of threads stand together.
    fn loads(&self) -> BTreeMap<(usize, usize), Vec<&IngestLine>> {
        let mut loads: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for line in self.ingests {
            loads.entry((line.batch, line.writers)).or_default().push(line);
        }
        loads
    }

    pub(super) fn writes(&self) -> Option<String> {
        let mut table = Table::new(&[
            "rows a write",
            "threads",
            "system",
            "acknowledged",
            "a power cut takes",
            "rows",
            "vectors/s",
            "p50 us",
            "p99 us",
            "ours, synced, over it",
            "ours, buffered, over it",
        ]);
        for ((batch, writers), lines) in self.loads() {
            let ours = |is_it: fn(&IngestLine) -> bool| {
                let mut ours = lines.iter().filter(|line| line.system.starts_with(OURS));
                ours.find(|line| is_it(line)).map(|line| line.vectors_per_s)
            };
            let synced = ours(|line| line.synced);
            let buffered = ours(|line| line.durability == BUFFERED);
            for line in &lines {
                let over = |ours: Option<f64>| {
                    let ratio = ours.filter(|_| line.vectors_per_s > 0.0);
                    number(ratio.map(|ours| ours / line.vectors_per_s), 2)
                };
                table.row([
                    batch.to_string(),
                    writers.to_string(),
                    line.system.clone(),
                    line.durability.clone(),
                    if line.synced { "nothing" } else { "the last writes" }.to_owned(),
                    grouped(line.rows as f64),
                    grouped(line.vectors_per_s),
                    number(Some(line.p50_us), 1),
                    number(Some(line.p99_us), 1),
                    over(synced),
                    over(buffered),
                ]);
            }
        }
        table.text()
    }

    pub(super) fn plot_writes(&self, dir: &Path) -> Result<()> {
        let loads = self.loads();
        let label = |(batch, writers): &(usize, usize)| {
            let plural = |number: &usize| if *number == 1 { "" } else { "s" };
            let (rows, threads) = (plural(batch), plural(writers));
            format!("{batch} row{rows}, {writers} thread{threads}")
        };
        let labels: Vec<String> = loads.keys().map(label).collect();
        let mut series: Vec<Series> = Vec::new();
        for (group, lines) in (0_u32..).zip(loads.values()) {
            for line in lines {
                let name = format!("{}: {}", line.system, line.durability);
                let point = (f64::from(group), line.vectors_per_s);
                Series::add(&mut series, &name, point);
            }
        }
        let titles = Titles {
            title: "Writes that wait for their acknowledgement",
            x: "vectors a second",
            y: "",
        };
        plot::bars(&dir.join("ingest.svg"), titles, &labels, &series)
    }
}
