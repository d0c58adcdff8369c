//! Figures about answers, over each wire.

use super::super::collections::hidden;
use super::super::exposition::{Exposition, Kind};
use super::MetricsParams;
use crate::tally::{BOUNDS, Routes, Statuses, Tallies, Tally};

/// A route, of all collections or of one, and how it was answered.
pub(super) struct Counted {
    collection: Option<String>,
    route: String,
    statuses: Statuses,
}

/// Successes count for their collection. What fails may name none that there is, and counts for all together.
pub(super) fn counted(
    tallies: &Tallies,
    is_success: fn(u16) -> bool,
    params: &MetricsParams,
) -> Vec<Counted> {
    let of = |collection: Option<String>, routes: Routes| {
        routes.into_iter().map(move |(route, statuses)| Counted {
            collection: collection.clone(),
            route,
            statuses,
        })
    };
    if !params.per_collection {
        return of(None, tallies.all()).collect();
    }
    let hide = |name: String| {
        if params.anonymize { hidden(&name) } else { name }
    };
    let named = tallies.by_collection();
    let mut others = tallies.all();
    others.retain(|route, statuses| {
        if named.values().any(|routes| routes.contains_key(route)) {
            statuses.retain(|&status, _| !is_success(status));
        }
        !statuses.is_empty()
    });
    let named = named.into_iter();
    let named = named.flat_map(|(name, routes)| of(Some(hide(name)), routes));
    named.chain(of(None, others)).collect()
}

impl Counted {
    /// What tells it from others. Routes of gRPC are calls, those of REST a method and a path.
    fn labels<'a>(&'a self, status: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
        let mut labels = match self.route.split_once(' ') {
            Some((method, endpoint)) => vec![("method", method), ("endpoint", endpoint)],
            None => vec![("endpoint", &*self.route)],
        };
        labels.extend(status.map(|status| ("status", status)));
        labels.extend(self.collection.as_deref().map(|name| ("collection", name)));
        labels
    }
}

/// Writes what one tally says, under a name and with its labels.
type Telling<'a> = &'a dyn Fn(&mut Exposition<'_>, &str, &[(&str, &str)], &Tally);

/// Answers over one wire.
pub(super) fn of_wire(text: &mut Exposition<'_>, wire: &str, counted: &[Counted]) {
    let each = |text: &mut Exposition<'_>, name: &str, of: Telling<'_>| {
        for one in counted {
            for (status, tally) in &one.statuses {
                let status = status.to_string();
                of(text, name, &one.labels(Some(&status)), tally);
            }
        }
    };
    let mut figure = |name: &str, kind: Kind, help: &str, of: &dyn Fn(&Tally) -> f64| {
        let name = format!("{wire}_{name}");
        text.head(&name, kind, help);
        each(text, &name, &|text, name, labels, tally| {
            text.line(name, labels, of(tally))
        });
    };
    figure(
        "responses_total",
        Kind::Counter,
        "total number of responses",
        &|tally| tally.count as f64,
    );
    figure(
        "responses_avg_duration_seconds",
        Kind::Gauge,
        "average response duration",
        &|tally| tally.mean,
    );
    figure(
        "responses_min_duration_seconds",
        Kind::Gauge,
        "minimum response duration",
        &|tally| tally.shortest.as_secs_f64(),
    );
    figure(
        "responses_max_duration_seconds",
        Kind::Gauge,
        "maximum response duration",
        &|tally| tally.longest.as_secs_f64(),
    );
    let failures = format!("{wire}_responses_fail_total");
    text.head(&failures, Kind::Counter, "total number of failed responses");
    let fails = |status: u16| {
        if wire == "rest" {
            status >= 500
        } else {
            is_failure(status)
        }
    };
    for one in counted {
        let failed = one.statuses.iter().filter(|(status, _)| fails(**status));
        let failed: u64 = failed.map(|(_, tally)| tally.count).sum();
        text.line(&failures, &one.labels(None), failed);
    }
    let name = format!("{wire}_responses_duration_seconds");
    text.head(&name, Kind::Histogram, "response duration histogram");
    each(text, &name, &|text, name, labels, tally| {
        histogram(text, name, labels, tally)
    });
}

/// Whether a status of gRPC is a failure of the server: unknown, unimplemented, internal, unavailable, data loss.
fn is_failure(code: u16) -> bool {
    [2, 12, 13, 14, 15].contains(&code)
}

fn histogram(text: &mut Exposition<'_>, name: &str, labels: &[(&str, &str)], tally: &Tally) {
    let bucket = format!("{name}_bucket");
    let mut below = 0;
    for (bound, count) in BOUNDS.iter().zip(&tally.buckets) {
        below += count;
        let bound = bound.to_string();
        let labels: Vec<_> = labels.iter().copied().chain([("le", &*bound)]).collect();
        text.line(&bucket, &labels, below);
    }
    let all: Vec<_> = labels.iter().copied().chain([("le", "+Inf")]).collect();
    text.line(&bucket, &all, tally.count);
    text.line(&format!("{name}_sum"), labels, tally.total.as_secs_f64());
    text.line(&format!("{name}_count"), labels, tally.count);
}
