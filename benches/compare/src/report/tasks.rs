//! What systems were asked besides the nearest vectors: counts, sparse and hybrid searches.

use std::collections::BTreeMap;

use vdb_measure::Line;

use super::tables::{Table, grouped, number};
use super::{OURS, Report};

/// Lines of one kind that were asked the same stand together.
type Asked<'a> = BTreeMap<&'a str, Vec<&'a Line>>;

fn is_ours(line: &&&Line) -> bool {
    line.system.starts_with(OURS)
}

/// How much faster ours is than the line's system, by the medians.
fn over(ours: Option<&Line>, line: &Line) -> Option<f64> {
    Some(line.p50_us? / ours?.p50_us?)
}

impl Report<'_> {
    fn asked(&self, task: &str, by: fn(&Line) -> &str) -> Asked<'_> {
        let mut asked: Asked<'_> = BTreeMap::new();
        for line in self
            .tasks
            .iter()
            .filter(|line| line.task.as_deref() == Some(task))
        {
            asked.entry(by(line)).or_default().push(line);
        }
        asked
    }

    /// Slowest of ours first.
    pub(super) fn counts(&self) -> Option<String> {
        let mut table = Table::new(&[
            "condition",
            "matching",
            "system",
            "p50 us of all counts",
            "p99 us",
            "same count",
            "ours over it",
        ]);
        let asked = self.asked("counts", |line| line.filter.as_deref().unwrap_or_default());
        let time = |lines: &[&Line]| lines.iter().find(is_ours).and_then(|line| line.p50_us);
        let mut asked: Vec<(&str, Vec<&Line>)> = asked.into_iter().collect();
        let slow = |lines: &[&Line]| time(lines).unwrap_or_default();
        asked.sort_by(|a, b| slow(&b.1).total_cmp(&slow(&a.1)).then(a.0.cmp(b.0)));
        for (condition, lines) in &asked {
            let ours = lines.iter().find(is_ours).copied();
            for line in lines {
                table.row([
                    (*condition).to_owned(),
                    line.share
                        .map_or_else(String::new, |share| format!("{:.2} %", share * 100.0)),
                    line.system.clone(),
                    number(line.p50_us, 1),
                    number(line.p99_us, 1),
                    if line.recall >= 1.0 { "yes" } else { "NO" }.to_owned(),
                    number(over(ours, line), 2),
                ]);
            }
        }
        table.text()
    }

    pub(super) fn sparse(&self) -> Option<String> {
        let mut table = Table::new(&[
            "questions",
            "system",
            "q/s",
            "p50 us",
            "p99 us",
            "recall of the exact ten",
            "ours over it",
        ]);
        for (questions, lines) in &self.asked("sparse", |line| &line.setting) {
            let ours = lines.iter().find(is_ours).copied();
            for line in lines {
                table.row([
                    (*questions).to_owned(),
                    line.system.clone(),
                    grouped(line.qps),
                    number(line.p50_us, 1),
                    number(line.p99_us, 1),
                    number(Some(line.recall), 4),
                    number(over(ours, line), 2),
                ]);
            }
        }
        table.text()
    }

    /// Each against the dense vectors alone of the same system, by the mean.
    pub(super) fn hybrid(&self) -> Option<String> {
        let mut table = Table::new(&[
            "system",
            "asked",
            "q/s",
            "p50 us",
            "p99 us",
            "recall",
            "time over dense alone",
            "ours over it",
        ]);
        let asked = self.asked("hybrid", |line| &line.setting);
        let systems = self.asked("hybrid", |line| &line.system);
        for lines in systems.values() {
            let dense = lines
                .iter()
                .find(|line| line.setting == "dense")
                .map(|line| line.qps);
            for line in lines {
                let same = asked.get(line.setting.as_str()).into_iter().flatten();
                let ours = same.copied().find(|line| line.system.starts_with(OURS));
                table.row([
                    line.system.clone(),
                    line.setting.clone(),
                    grouped(line.qps),
                    number(line.p50_us, 1),
                    number(line.p99_us, 1),
                    number(Some(line.recall), 4),
                    number(dense.map(|dense| dense / line.qps), 2),
                    number(over(ours, line), 2),
                ]);
            }
        }
        table.text()
    }
}
