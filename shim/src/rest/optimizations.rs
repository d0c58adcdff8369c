//! What the background does with a collection.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use vdb::{CollectionInfo, FinishedJob, Progress, SegmentInfo, Status};

use super::App;
use super::envelope::{Failure, Part, answer};
use super::extract::{At, Params};

/// Finished jobs that are told of, where nobody says how many.
const COMPLETED: usize = 16;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/collections/{collection_name}/optimizations", get(optimizations))
}

#[derive(Deserialize)]
struct Asked {
    /// Lists that are told beside what is always told, with commas between them.
    #[serde(default)]
    with: String,
    completed_limit: Option<usize>,
}

/// Lists that there are.
const LISTS: [&str; 3] = ["queued", "completed", "idle_segments"];

impl Asked {
    fn lists(&self) -> impl Iterator<Item = &str> {
        self.with
            .split(',')
            .map(str::trim)
            .filter(|list| !list.is_empty())
    }

    fn has(&self, list: &str) -> bool {
        self.lists().any(|asked| asked == list)
    }

    /// Refuses lists that there are not.
    fn check(&self) -> Result<(), Failure> {
        let Some(unknown) = self.lists().find(|list| !LISTS.contains(list)) else {
            return Ok(());
        };
        let unknown: String = unknown.chars().take(64).collect();
        Err(Failure::format(
            Part::Query,
            format_args!("with: there is no list {unknown:?}, only {}", LISTS.join(", ")),
        ))
    }
}

async fn optimizations(
    State(app): State<App>,
    At(name): At<String>,
    Params(asked): Params<Asked>,
) -> Response {
    answer(async move {
        asked.check()?;
        let info = app.service.engine_info(&name).await?;
        let (queued, idle) = queue(&info);
        let points = |segments: &[&SegmentInfo]| segments.iter().map(|s| live(s)).sum::<u64>();
        let mut told = json!({
            "summary": {
                "queued_optimizations": u64::from(!queued.is_empty()),
                "queued_segments": queued.len(),
                "queued_points": points(&queued),
                "idle_segments": idle.len(),
            },
            "running": info.progress.iter().map(running).collect::<Vec<_>>(),
        });
        let mut add = |list: &str, entries: &dyn Fn() -> Vec<Value>| {
            if let Some(told) = told.as_object_mut().filter(|_| asked.has(list)) {
                told.insert(list.to_owned(), entries().into());
            }
        };
        let listed = |segments: &[&SegmentInfo]| segments.iter().map(|s| segment(s)).collect::<Vec<_>>();
        add("queued", &|| {
            let job = json!({ "optimizer": "indexing", "segments": listed(&queued) });
            (!queued.is_empty()).then_some(job).into_iter().collect()
        });
        let now = Timestamp::now();
        let most = asked.completed_limit.unwrap_or(COMPLETED);
        add("completed", &|| {
            let jobs = info.finished.iter().take(most);
            jobs.map(|job| completed(job, now, app.service.peer_id()))
                .collect()
        });
        add("idle_segments", &|| listed(&idle));
        Ok(told)
    })
    .await
}

/// Segments that work is due for, and the others. Which the next job takes is only known when it begins: while something is due
/// and nothing under way, it is taken for those that lack an index.
fn queue(info: &CollectionInfo) -> (Vec<&SegmentInfo>, Vec<&SegmentInfo>) {
    let due = info.progress.is_none() && info.status != Status::Ready;
    let lacks = |segment: &&SegmentInfo| due && segment.indexed_vectors < segment.vectors;
    info.segments.iter().partition(lacks)
}

fn live(segment: &SegmentInfo) -> u64 {
    segment.rows.saturating_sub(segment.dead_rows).into()
}

fn segment(segment: &SegmentInfo) -> Value {
    let id = Uuid::from_u64_pair(0, segment.id).to_string();
    json!({ "uuid": id, "points_count": live(segment) })
}

/// What Qdrant's part for such a job is called.
fn optimizer(job: &str) -> &'static str {
    if job.starts_with("merging") {
        "merge"
    } else {
        "indexing"
    }
}

/// The job that is under way. Which segments it takes, the engine does not tell.
fn running(job: &Progress) -> Value {
    let mut progress = json!({ "name": job.job, "done": job.done });
    if let Some(progress) = progress.as_object_mut().filter(|_| job.total > 0) {
        progress.insert("total".to_owned(), job.total.into());
    }
    json!({
        "uuid": Uuid::nil().to_string(),
        "optimizer": optimizer(job.job),
        "status": "optimizing",
        "segments": [],
        "progress": progress,
    })
}

fn completed(job: &FinishedJob, now: Timestamp, peer: u64) -> Value {
    let before = |time: Duration| now.saturating_sub(time).unwrap_or(Timestamp::MIN);
    let finished = before(job.ago);
    let started = before(job.ago.saturating_add(job.took));
    json!({
        "uuid": Uuid::from_u64_pair(peer, job.number).to_string(),
        "optimizer": optimizer(job.job),
        "status": "done",
        "segments": [],
        "progress": {
            "name": job.job,
            "started_at": started.to_string(),
            "finished_at": finished.to_string(),
            "duration_sec": job.took.as_secs_f64(),
        },
    })
}
