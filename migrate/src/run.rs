//! All of it, in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vdb_qdrant::Qdrant;

use crate::copy::copy;
use crate::distinct::prove;
use crate::endpoint::Endpoint;
use crate::error::{MigrateError, Result};
use crate::journal::{Entry, Journal, Stage};
use crate::options::{Options, Verification};
use crate::plan::{Part, Plan};
use crate::report::{Action, CollectionReport, Report};
use crate::sides::Sides;
use crate::store::Store;
use crate::target::{complete, make_aliases, prepare};
use crate::verify::{sync, verify};
use crate::watch::Watch;

/// Opens both sides and migrates, on a runtime of its own: not to be called from within another. `timeout` is that of one call to
/// a server.
///
/// # Errors
/// As [`migrate`], and when a side cannot be opened.
pub fn run(
    from: &Endpoint,
    to: &Endpoint,
    state: impl Into<std::path::PathBuf>,
    options: Options,
    timeout: Duration,
    watch: Watch,
) -> Result<Report> {
    if from.is(to) {
        return Err(MigrateError::Usage(format!("{from} is both source and target")));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("vdb-migrate")
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| MigrateError::Open {
        place: from.to_string(),
        problem: format!("the system has no thread for it: {error}"),
    })?;
    let outcome = runtime.block_on(async {
        let journal = Journal::open(state, from.to_string(), to.to_string())?;
        let connections = options.parallel.max(1) as usize;
        let source = from.source(timeout, connections).await?;
        let target = if options.dry_run {
            to.plan_target(timeout, connections).await?
        } else {
            to.target(timeout, connections).await?
        };
        let outcome = migrate(source.clone(), target.clone(), &journal, options, watch).await;
        let closed = [source, target].map(close);
        let mut report = outcome?;
        closed.into_iter().collect::<Result<()>>()?;
        (report.from, report.to) = (from.to_string(), to.to_string());
        Ok(report)
    });
    runtime.shutdown_timeout(timeout);
    outcome
}

/// Closes what is in this process, and says what failed.
fn close(client: Qdrant) -> Result<()> {
    let Some(database) = client.database().cloned() else {
        return Ok(());
    };
    database.close().map_err(|error| MigrateError::Open {
        place: client.back_end().to_string(),
        problem: format!("closing it failed: {error}"),
    })
}

/// Migrates from one place to another: what `journal` says to be done is not done again. A report that finds differences is not an
/// error; the journal then stays, and otherwise goes.
///
/// # Errors
/// When a call fails for good, when the sides do not fit each other, or when `watch` says that it is to end. What was begun is
/// then finished and in the journal.
pub async fn migrate<S: Store, T: Store>(
    source: S,
    target: T,
    journal: &Journal,
    options: Options,
    watch: Watch,
) -> Result<Report> {
    let sides = Sides::of(Arc::new(source), Arc::new(target), options, watch).await?;
    let plan = Plan::make(&sides, journal).await?;
    prove(&sides, &plan).await?;
    let mut report = Report {
        from: sides.source.shown(),
        to: sides.target.shown(),
        dry_run: sides.options.dry_run,
        collections: Vec::with_capacity(plan.parts.len()),
        aliases: Vec::new(),
        aliases_missing: Vec::new(),
        warnings: Vec::new(),
    };
    if sides.options.dry_run {
        report.collections = plan.parts.iter().map(planned).collect();
        report.aliases = plan.aliases.into_iter().map(|(alias, _)| alias).collect();
        return Ok(report);
    }
    for part in plan.parts.clone() {
        sides.go_on()?;
        let done = one(&sides, journal, part).await?;
        report.collections.push(done);
    }
    let is_done = |target: &str| {
        let of = report.collections.iter().find(|one| one.target == target);
        of.is_some_and(CollectionReport::is_sound)
    };
    let aliases = make_aliases(&sides, &plan, is_done).await?;
    (report.aliases, report.aliases_missing) = (aliases.made, aliases.missing);
    report.warnings = aliases.warnings;
    if report.is_sound() {
        journal.finish()?;
    }
    Ok(report)
}

fn planned(part: &Part) -> CollectionReport {
    CollectionReport {
        name: part.name.clone(),
        target: part.target.clone(),
        action: part.action,
        points: part.points,
        copied: 0,
        deleted: 0,
        verified: None,
        warnings: part.warnings.clone(),
        seconds: 0.0,
    }
}

/// One collection, from its making to the comparison of its points.
async fn one<S: Store, T: Store>(
    sides: &Sides<S, T>,
    journal: &Journal,
    mut part: Part,
) -> Result<CollectionReport> {
    let started = Instant::now();
    if part.action == Action::Done {
        if let Some(mut report) = look_again(sides, journal, &part).await? {
            report.seconds = started.elapsed().as_secs_f64();
            return Ok(report);
        }
        part.action = Action::Resume;
    }
    let entry = prepare(sides, journal, &mut part).await?;
    let mut report = planned(&part);
    if part.action == Action::Sync {
        let repaired = sync(sides, &part).await?;
        (report.copied, report.deleted) = (repaired.copied, repaired.deleted);
        journal.change(&part.name, true, |entry| {
            entry.stage = Stage::Copied;
            if let Some(slice) = entry.slices.first_mut() {
                slice.rounded = repaired.rounded;
            }
        })?;
    } else {
        report.copied = copy(sides, journal, &part, &entry).await?;
    }
    let entry = journal.entry(&part.name).unwrap_or(entry);
    report.warnings.extend(rounded(&entry));
    let verified = verify(sides, &part, &entry, sides.options.verification).await?;
    complete(sides, &part, &entry).await?;
    journal.change(&part.name, true, |entry| {
        if verified.is_sound() {
            entry.stage = Stage::Done;
        } else if entry.added_to {
            // It cannot be made equal without a loss of what was there before: the next run copies again.
            entry.begin_again();
        }
    })?;
    report.verified = Some(verified);
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Looks whether what an earlier run has done is still there; none where the target has fewer points than the source, and all are
/// to be copied again.
async fn look_again<S: Store, T: Store>(
    sides: &Sides<S, T>,
    journal: &Journal,
    part: &Part,
) -> Result<Option<CollectionReport>> {
    let Some(entry) = journal.entry(&part.name) else {
        return Ok(None);
    };
    let verification = match sides.options.verification {
        Verification::Full => Verification::Full,
        Verification::None | Verification::Sample(_) => Verification::None,
    };
    let verified = verify(sides, part, &entry, verification).await?;
    if verified.target_points < verified.source_points {
        sides.watch.remark(format!(
            "{} of {} was done, and has {} points for {}: all are copied again",
            part.target,
            sides.target.shown(),
            verified.target_points,
            verified.source_points
        ));
        journal.change(&part.name, true, Entry::begin_again)?;
        return Ok(None);
    }
    if !verified.is_sound() {
        journal.change(&part.name, true, |entry| {
            if entry.added_to {
                entry.begin_again();
            } else {
                entry.stage = Stage::Copied;
            }
        })?;
    }
    let mut report = planned(part);
    report.warnings.extend(rounded(&entry));
    report.verified = Some(verified);
    Ok(Some(report))
}

/// What to say of numbers that were rounded.
fn rounded(entry: &Entry) -> Option<String> {
    let points = entry.rounded();
    (points > 0).then(|| {
        format!(
            "{points} points have numbers between 2^63 and 2^64, which travel as floating point: integers among them are \
             rounded"
        )
    })
}
