//! The page that is returned; several queries together.

use std::time::Duration;

use vdb_storage::PointId;

use super::check;
use super::examples::Lookups;
use super::request::QueryRequest;
use super::run::{Found, Run};
use crate::error::{Result, within};
use crate::limits::MAX_BATCH_REQUESTS;
use crate::point::{ScoredPoint, Select};
use crate::query::allowance::Allowance;
use crate::query::fetch;
use crate::query::workers::{self, Workers};
use crate::tables::View;

/// What a query is answered with.
pub(crate) struct Asked<'a> {
    pub(crate) view: &'a View,
    pub(crate) lookups: &'a Lookups,
    pub(crate) threads: &'a Workers,
}

impl Asked<'_> {
    /// Answers one query.
    pub(crate) fn query(
        &self,
        request: &QueryRequest,
        allowance: &Allowance<'_>,
    ) -> Result<Vec<ScoredPoint>> {
        let found = self.find(request, allowance)?;
        let held = found.len() * size_of::<Found>();
        let page = found.iter().skip(request.offset).take(request.limit);
        let answer = page
            .map(|found| self.point(&request.select, found, allowance))
            .collect();
        allowance.give(held);
        answer
    }

    /// Answers several. Requests that say nothing of their time have that of `default`.
    pub(crate) fn batch(
        &self,
        requests: &[QueryRequest],
        default: Option<Duration>,
        allowance: &Allowance<'_>,
    ) -> Result<Vec<Vec<ScoredPoint>>> {
        within("requests in one batch", MAX_BATCH_REQUESTS, requests.len())?;
        let control = *allowance.control();
        // All times begin now.
        let timed: Vec<_> = requests
            .iter()
            .map(|request| {
                let limit = request.timeout.or(default);
                (request, limit.map_or(control, |limit| control.timeout(limit)))
            })
            .collect();
        if let [(request, control)] = timed.as_slice() {
            return Ok(vec![self.query(request, &allowance.part(*control))?]);
        }
        self.threads.run(|several| {
            workers::map(several, &timed, |(request, control)| {
                self.query(request, &allowance.part(*control))
            })
        })
    }

    /// What a request finds, with what its offset skips.
    pub(super) fn find(&self, request: &QueryRequest, allowance: &Allowance<'_>) -> Result<Vec<Found>> {
        check::request(request)?;
        fetch::check(&self.view.tables.schema, &request.select)?;
        allowance.check()?;
        let without: Vec<PointId> = self.lookups.own_examples(request)?;
        let run = Run {
            view: self.view,
            lookups: self.lookups,
            without: &without,
            threads: self.threads,
            allowance,
        };
        run.stage(request.stage(), &[])
    }

    /// A point as it is returned.
    pub(super) fn point(
        &self,
        select: &Select,
        found: &Found,
        allowance: &Allowance<'_>,
    ) -> Result<ScoredPoint> {
        let (point, scored) = ((found.id, &found.at), (found.score, found.order));
        fetch::hit(&self.view.tables.schema, select, point, scored, allowance)
    }
}
