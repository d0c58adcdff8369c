//! Searches, queries, pages and counts.

use std::time::Duration;

use super::filters::For;
use super::{Strict, at_most, refused, take};
use crate::compose::aggregate::AggregateRequest;
use crate::compose::facet::FacetRequest;
use crate::compose::groups::GroupRequest;
use crate::compose::kind::Query;
use crate::compose::matrix::MatrixRequest;
use crate::compose::request::{QueryRequest, Stage};
use crate::compose::sort::SortRequest;
use crate::error::Result;
use crate::filter::Filter;
use crate::limits::MAX_PREFETCH_DEPTH;
use crate::query::scroll::ScrollRequest;
use crate::query::search::{Idf, QueryParams, SearchRequest};

impl Strict<'_> {
    /// Takes the tokens of so many requests that read.
    pub(crate) fn reads(&self, requests: usize) -> Result<()> {
        let most = self.limits.read_rate_limit;
        take("read_rate_limit", &self.core.rates.reads, most, requests)
    }

    fn limit(&self, found: usize) -> Result<()> {
        at_most("max_query_limit", self.limits.max_query_limit, "limit", found)
    }

    /// How long a request says that it may take.
    pub(crate) fn timeout(&self, asked: Option<Duration>) -> Result<()> {
        let Some((asked, most)) = asked.zip(self.limits.max_timeout) else {
            return Ok(());
        };
        if asked <= Duration::from_secs(most) {
            return Ok(());
        }
        Err(refused(
            "max_timeout",
            format!("Limit exceeded {} > {most} for \"timeout\"", asked.as_secs_f64()),
            format!("Reduce the \"timeout\" parameter to or below {most}."),
        ))
    }

    /// Something that is asked to be exact.
    pub(crate) fn exact(&self) -> Result<()> {
        if self.limits.search_allow_exact != Some(false) {
            return Ok(());
        }
        Err(refused(
            "search_allow_exact",
            "Exact search disabled!".to_owned(),
            "Set exact=false.",
        ))
    }

    fn params(&self, params: &QueryParams) -> Result<()> {
        let most = self.limits.search_max_hnsw_ef;
        at_most("search_max_hnsw_ef", most, "hnsw_ef", params.ef.unwrap_or(0))?;
        if params.exact {
            self.exact()?;
        }
        let asked = params.quantization.oversampling;
        if let Some((asked, most)) = asked.zip(self.limits.search_max_oversampling)
            && asked > most
        {
            return Err(refused(
                "search_max_oversampling",
                format!("Limit exceeded {asked} > {most} for \"oversampling\""),
                format!("Reduce the \"oversampling\" parameter to or below {most}."),
            ));
        }
        match &params.idf {
            Some(Idf::Corpus(filter)) => self.filter(filter, For::Read),
            Some(Idf::Global) | None => Ok(()),
        }
    }

    /// A filter of a read.
    pub(crate) fn read_filter(&self, filter: Option<&Filter>) -> Result<()> {
        filter.map_or(Ok(()), |filter| self.filter(filter, For::Read))
    }

    /// A count, an estimate, an explanation.
    pub(crate) fn count(&self, filter: Option<&Filter>) -> Result<()> {
        self.read_filter(filter)?;
        self.reads(1)
    }

    /// Searches of one batch.
    pub(crate) fn searches(&self, requests: &[SearchRequest]) -> Result<()> {
        self.batch(requests.len())?;
        for request in requests {
            self.limit(request.limit)?;
            self.timeout(request.timeout)?;
            self.params(&request.query_params())?;
            self.read_filter(request.filter.as_ref())?;
        }
        self.reads(requests.len())
    }

    /// Queries of one batch.
    pub(crate) fn queries(&self, requests: &[&QueryRequest]) -> Result<()> {
        self.batch(requests.len())?;
        for request in requests {
            self.timeout(request.timeout)?;
            self.limit(request.limit)?;
            self.stage(&request.stage(), 0)?;
        }
        self.reads(requests.len())
    }

    fn batch(&self, requests: usize) -> Result<()> {
        let most = self.limits.search_max_batchsize;
        at_most("search_max_batchsize", most, "search batch size", requests)
    }

    /// A query or a prefetch, and those below it.
    fn stage(&self, stage: &Stage<'_>, depth: usize) -> Result<()> {
        // No deeper one is run.
        if depth > MAX_PREFETCH_DEPTH {
            return Ok(());
        }
        self.params(stage.params)?;
        if depth > 0 || stage.prefetch.is_empty() {
            self.scan(stage)?;
        }
        self.read_filter(stage.filter)?;
        match stage.query {
            Some(Query::OrderBy(order)) => self.ordered(&order.path)?,
            Some(Query::Formula(formula)) => self.formula(formula)?,
            Some(
                Query::Nearest(_)
                | Query::Mmr { .. }
                | Query::Recommend { .. }
                | Query::Discover { .. }
                | Query::Context(_)
                | Query::Feedback { .. }
                | Query::Sample { .. }
                | Query::Text { .. }
                | Query::Fusion(_),
            )
            | None => {}
        }
        for prefetch in stage.prefetch {
            self.limit(prefetch.limit)?;
            self.stage(&prefetch.stage(), depth + 1)?;
        }
        Ok(())
    }

    /// A query in groups.
    pub(crate) fn groups(&self, request: &GroupRequest) -> Result<()> {
        self.grouped(&request.group_by)?;
        self.limit(request.query.limit.saturating_mul(request.group_size))?;
        self.queries(&[&request.query])
    }

    /// A page.
    pub(crate) fn scroll(&self, request: &ScrollRequest) -> Result<()> {
        self.limit(request.limit)?;
        self.timeout(request.timeout)?;
        self.read_filter(request.filter.as_ref())?;
        self.reads(1)
    }

    /// A page in the order of payload values.
    pub(crate) fn sort(&self, request: &SortRequest) -> Result<()> {
        self.limit(request.limit)?;
        self.timeout(request.timeout)?;
        request.keys.iter().try_for_each(|key| self.sorted(key))?;
        self.read_filter(request.filter.as_ref())?;
        self.reads(1)
    }

    /// What values come to, in groups perhaps.
    pub(crate) fn aggregate(&self, request: &AggregateRequest) -> Result<()> {
        if let Some(by) = &request.group_by {
            self.grouped(by)?;
            self.limit(request.limit)?;
        }
        self.timeout(request.timeout)?;
        self.read_filter(request.filter.as_ref())?;
        self.reads(1)
    }

    /// Counts of values.
    pub(crate) fn facet(&self, request: &FacetRequest) -> Result<()> {
        self.limit(request.limit)?;
        self.timeout(request.timeout)?;
        self.read_filter(request.filter.as_ref())?;
        self.reads(1)
    }

    /// A distance matrix.
    pub(crate) fn matrix(&self, request: &MatrixRequest) -> Result<()> {
        self.limit(request.limit.saturating_mul(request.sample))?;
        self.timeout(request.timeout)?;
        self.read_filter(request.filter.as_ref())?;
        self.reads(1)
    }
}
