//! What is read through a handle. Every read comes in two forms: with the limits of its request and of the database, and
//! `.._with` a [`Control`] that may stop it.

use std::time::Duration;

use vdb_index::Control;
use vdb_index::postings::Estimate;
use vdb_storage::PointId;

use super::Collection;
use crate::compose::aggregate::{self, AggregateAnswer, AggregateRequest};
use crate::compose::answer::Asked;
use crate::compose::facet::{self, FacetHit, FacetRequest};
use crate::compose::groups::{self, Group, GroupRequest};
use crate::compose::matrix::{self, DistanceMatrix, MatrixRequest};
use crate::compose::request::QueryRequest;
use crate::compose::sort::{self, SortPage, SortRequest};
use crate::compose::{Lookup, Lookups};
use crate::error::Result;
use crate::filter::{Condition, Filter};
use crate::point::{Record, ScoredPoint, Select};
use crate::query::allowance::Allowance;
use crate::query::explain::{self, Explanation};
use crate::query::scroll::{Direction, ScrollPage, ScrollRequest};
use crate::query::search::SearchRequest;
use crate::query::{fetch, matching, nearest, scroll};
use crate::tables::View;

/// In collections of up to so many points those with a value at a path are counted; beyond, they are estimated.
const COUNTED: u64 = 100_000;

impl Collection {
    /// Answers a read that is `doing` this, within the time of its request, or of the database, and of its caller.
    fn answer<T>(
        &self,
        doing: &'static str,
        control: &Control<'_>,
        timeout: Option<Duration>,
        answer: impl FnOnce(&View, &Allowance<'_>) -> Result<T>,
    ) -> Result<T> {
        let limit = timeout.or(self.shared().options.read_timeout);
        let control = limit.map_or(*control, |limit| control.timeout(limit));
        self.answer_within(doing, control, answer)
    }

    /// As [`answer`](Self::answer), with no limit but that of the caller.
    fn answer_within<T>(
        &self,
        doing: &'static str,
        control: Control<'_>,
        answer: impl FnOnce(&View, &Allowance<'_>) -> Result<T>,
    ) -> Result<T> {
        let allowance = Allowance::new(control, doing, self.shared().options.answer_bytes);
        self.read(|view| answer(view, &allowance))
    }

    /// Points by id, in the order asked for; those that do not exist are left out, and repeated ids come once.
    ///
    /// # Errors
    /// When a selector names a vector that the collection does not have, when data is damaged,
    /// [`Error::Timeout`](crate::Error::Timeout), or [`Error::Limit`](crate::Error::Limit) when the answer would be too
    /// large.
    pub fn get(&self, ids: &[PointId], select: &Select) -> Result<Vec<Record>> {
        self.get_with(ids, select, &Control::none())
    }

    /// As [`get`](Self::get); `control` may stop it.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn get_with(&self, ids: &[PointId], select: &Select, control: &Control<'_>) -> Result<Vec<Record>> {
        self.admit(|strict| strict.reads(1))?;
        self.answer("fetching points", control, None, |view, allowance| {
            fetch::get(view, ids, select, allowance)
        })
    }

    /// One page of points in the order of their ids.
    ///
    /// # Errors
    /// When the request is not valid, when data is damaged, [`Error::Timeout`](crate::Error::Timeout), or
    /// [`Error::Limit`](crate::Error::Limit) when the page would be too large.
    pub fn scroll(&self, request: &ScrollRequest) -> Result<ScrollPage> {
        self.scroll_with(request, &Control::none())
    }

    /// As [`scroll`](Self::scroll); `control` may stop it.
    ///
    /// # Errors
    /// As [`scroll`](Self::scroll), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn scroll_with(&self, request: &ScrollRequest, control: &Control<'_>) -> Result<ScrollPage> {
        self.admit(|strict| strict.scroll(request))?;
        self.answer("scrolling", control, request.timeout, |view, allowance| {
            scroll::scroll(view, request, Direction::Forward, allowance)
        })
    }

    /// One page of points before an id, backward: the greatest id comes first. [`ScrollRequest::offset`] and
    /// [`ScrollPage::next_offset`] are what the page comes before, not its first point; without an offset it begins with the
    /// last point.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
    /// use vdb::ScrollRequest;
    /// # let db = Database::builder().open_in_memory()?;
    /// # let c = db.create_collection("p", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// # c.upsert((0u64..25).map(|i| Point::new(i, [1.0])).collect())?;
    /// let page = c.scroll(&ScrollRequest::new().limit(10).offset(20))?;
    /// // The page before this one.
    /// let back = c.scroll_back(&ScrollRequest::new().limit(10).offset(page.points[0].id))?;
    /// assert_eq!((back.points[0].id, back.points[9].id), (19.into(), 10.into()));
    /// assert_eq!(back.next_offset, Some(10.into()));
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`scroll`](Self::scroll).
    pub fn scroll_back(&self, request: &ScrollRequest) -> Result<ScrollPage> {
        self.scroll_back_with(request, &Control::none())
    }

    /// As [`scroll_back`](Self::scroll_back); `control` may stop it.
    ///
    /// # Errors
    /// As [`scroll`](Self::scroll), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn scroll_back_with(&self, request: &ScrollRequest, control: &Control<'_>) -> Result<ScrollPage> {
        self.admit(|strict| strict.scroll(request))?;
        self.answer("scrolling", control, request.timeout, |view, allowance| {
            scroll::scroll(view, request, Direction::Backward, allowance)
        })
    }

    /// One page of points in the order of payload values, forward or backward.
    ///
    /// # Errors
    /// When the request is not valid, when data is damaged, [`Error::Timeout`](crate::Error::Timeout), or
    /// [`Error::Limit`](crate::Error::Limit) when the page would be too large.
    pub fn sort(&self, request: &SortRequest) -> Result<SortPage> {
        self.sort_with(request, &Control::none())
    }

    /// As [`sort`](Self::sort); `control` may stop it.
    ///
    /// # Errors
    /// As [`sort`](Self::sort), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn sort_with(&self, request: &SortRequest, control: &Control<'_>) -> Result<SortPage> {
        self.admit(|strict| strict.sort(request))?;
        self.answer("sorting", control, request.timeout, |view, allowance| {
            sort::sort(view, request, allowance)
        })
    }

    /// How many points match a filter, or how many there are.
    ///
    /// # Errors
    /// When the filter is not valid, when data is damaged, or [`Error::Timeout`](crate::Error::Timeout).
    pub fn count(&self, filter: Option<&Filter>) -> Result<u64> {
        self.count_with(filter, &Control::none())
    }

    /// As [`count`](Self::count); `control` may stop it.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Condition, Database, Distance, VectorParams};
    /// use std::time::Duration;
    /// use vdb::{Control, Filter};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// let filter = Filter::must([Condition::text("body", "owl")]);
    /// let count = c.count_with(Some(&filter), &Control::none().timeout(Duration::from_millis(100)))?;
    /// # assert_eq!(count, 0);
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`count`](Self::count), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn count_with(&self, filter: Option<&Filter>, control: &Control<'_>) -> Result<u64> {
        self.admit(|strict| strict.count(filter))?;
        self.answer("counting", control, None, |view, allowance| {
            matching::count(view, filter, allowance)
        })
    }

    /// About how many points match a filter: bounds and a guess, from the payload indexes alone. Much cheaper than
    /// [`count`](Self::count) on large collections, and as good as the indexes.
    ///
    /// # Errors
    /// When the filter is not valid, or [`Error::Timeout`](crate::Error::Timeout).
    pub fn estimate(&self, filter: &Filter) -> Result<Estimate> {
        self.estimate_with(filter, &Control::none())
    }

    /// As [`estimate`](Self::estimate); `control` may stop it.
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn estimate_with(&self, filter: &Filter, control: &Control<'_>) -> Result<Estimate> {
        self.admit(|strict| strict.count(Some(filter)))?;
        self.answer("estimating", control, None, |view, allowance| {
            matching::estimate(view, filter, allowance)
        })
    }

    /// How many points have a value at a payload path; about how many, in a collection of more than 100,000. This is told of
    /// a collection, as its [`info`](Collection::info) is, and not subject to its limits.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use vdb::{CollectionConfig, Control, Database, Distance, Point, VectorParams};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let books = db.create_collection("books", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// let dated = Point::new(1, [0.5]).payload(json!({ "year": 1818 }))?;
    /// books.upsert(vec![dated, Point::new(2, [0.5])])?;
    /// assert_eq!(books.points_with("year", &Control::none())?, 1);
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the path is not valid, when data is damaged, [`Error::Timeout`](crate::Error::Timeout), and
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn points_with(&self, path: &str, control: &Control<'_>) -> Result<u64> {
        let filter = Filter::must_not([Condition::is_empty(path)]);
        self.answer("counting", control, None, |view, allowance| {
            if matching::count(view, None, allowance)? <= COUNTED {
                return matching::count(view, Some(&filter), allowance);
            }
            Ok(matching::estimate(view, &filter, allowance)?.expected)
        })
    }

    /// How the points of a filter would be found: which index serves which condition, and how many rows each is good
    /// for.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
    /// use vdb::{Condition, Filter, PayloadIndexKind};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let books = db.create_collection("books", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// # books.upsert(vec![Point::new(1, [0.5])])?;
    /// books.create_payload_index("year", PayloadIndexKind::Integer)?;
    /// books.flush()?;
    /// let plan = books.explain(&Filter::must([Condition::range("year", 1500.0..)]))?;
    /// println!("{plan}");
    /// # assert_eq!(plan.segments.len(), 1);
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the filter is not valid, or [`Error::Timeout`](crate::Error::Timeout).
    pub fn explain(&self, filter: &Filter) -> Result<Explanation> {
        self.explain_with(filter, &Control::none())
    }

    /// As [`explain`](Self::explain); `control` may stop it.
    ///
    /// # Errors
    /// As [`explain`](Self::explain), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn explain_with(&self, filter: &Filter, control: &Control<'_>) -> Result<Explanation> {
        self.admit(|strict| strict.reads(1))?;
        self.answer("explaining", control, None, |view, allowance| {
            explain::explain(view, filter, false, allowance)
        })
    }

    /// As [`explain`](Self::explain), and counts what matches.
    ///
    /// # Errors
    /// As [`count_with`](Self::count_with).
    pub fn explain_counted(&self, filter: &Filter, control: &Control<'_>) -> Result<Explanation> {
        self.admit(|strict| strict.count(Some(filter)))?;
        self.answer("explaining", control, None, |view, allowance| {
            explain::explain(view, filter, true, allowance)
        })
    }

    /// The points nearest to a vector, best first; equal scores in the order of ids. Scores are finite: one that is
    /// beyond what an `f32` holds comes as [`f32::MAX`].
    ///
    /// # Errors
    /// When the vector or the filter is not valid, when data is damaged, [`Error::Timeout`](crate::Error::Timeout), or
    /// [`Error::Limit`](crate::Error::Limit) when the answer would be too large.
    pub fn search(&self, request: &SearchRequest) -> Result<Vec<ScoredPoint>> {
        self.search_with(request, &Control::none())
    }

    /// As [`search`](Self::search); `control` may stop it.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Database, Distance, VectorParams};
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use vdb::{Control, Error, SearchRequest};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// let gone = AtomicBool::new(false); // set when nobody waits for the answer any more
    /// let probe = || gone.load(Ordering::Relaxed);
    /// # gone.store(true, Ordering::Relaxed);
    /// let outcome = c.search_with(&SearchRequest::new([0.5]), &Control::cancelled_by(&probe));
    /// assert!(matches!(outcome, Err(Error::Cancelled)));
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`search`](Self::search), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn search_with(&self, request: &SearchRequest, control: &Control<'_>) -> Result<Vec<ScoredPoint>> {
        self.admit(|strict| strict.searches(std::slice::from_ref(request)))?;
        self.answer("searching", control, request.timeout, |view, allowance| {
            nearest::search(view, request, &self.shared().searchers, allowance)
        })
    }

    /// Several searches on one snapshot, by all threads together. The results are those of [`search`](Self::search), in
    /// order. Exact searches without a filter read the vectors from memory once for many of them. Each request has its own
    /// timeout, which begins with the call. The bound on the bytes of an answer is for all answers together.
    ///
    /// # Errors
    /// As [`search`](Self::search), for a request that fails: then there are no answers to the others either.
    pub fn search_batch(&self, requests: &[SearchRequest]) -> Result<Vec<Vec<ScoredPoint>>> {
        self.search_batch_with(requests, &Control::none())
    }

    /// As [`search_batch`](Self::search_batch); `control` may stop it.
    ///
    /// # Errors
    /// As [`search_batch`](Self::search_batch), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn search_batch_with(
        &self,
        requests: &[SearchRequest],
        control: &Control<'_>,
    ) -> Result<Vec<Vec<ScoredPoint>>> {
        self.admit(|strict| strict.searches(requests))?;
        let shared = self.shared();
        self.answer_within("searching", *control, |view, allowance| {
            let default = shared.options.read_timeout;
            nearest::search_batch(view, requests, default, &shared.searchers, allowance)
        })
    }

    /// Answers a query: nearest points, recommendations, discovery, orders, samples, and what is made of their results. Best
    /// first; equal scores in the order of ids.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
    /// use vdb::{Expression, Formula, Prefetch, Query, QueryRequest, RecommendStrategy};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let config = CollectionConfig::new(VectorParams::new(2, Distance::Cosine));
    /// # let songs = db.create_collection("songs", config)?;
    /// # let song = |id: u64| Point::new(id, [id as f32, 1.0]).payload(serde_json::json!({"plays": id * 10}));
    /// # songs.upsert((1..9).map(song).collect::<Result<_, _>>()?)?;
    /// // Like songs 1 and 2, not like song 8; of the 5 best the most played first.
    /// let like = Query::Recommend {
    ///     positive: vec![1u64.into(), 2u64.into()],
    ///     negative: vec![8u64.into()],
    ///     strategy: RecommendStrategy::BestScore,
    /// };
    /// let request = QueryRequest::new(Query::Formula(Formula::new(Expression::variable("plays"))))
    ///     .prefetch(Prefetch::new(like).limit(5))
    ///     .limit(3);
    /// let hits = songs.query(&request)?;
    /// assert_eq!(hits[0].id, 7.into());
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the request is not valid, a point that is an example does not exist or has no such vector, a formula has no value
    /// for a point, data is damaged, [`Error::Timeout`](crate::Error::Timeout), or [`Error::Limit`](crate::Error::Limit) when
    /// the answer would be too large.
    pub fn query(&self, request: &QueryRequest) -> Result<Vec<ScoredPoint>> {
        self.query_with(request, &Control::none())
    }

    /// As [`query`](Self::query); `control` may stop it.
    ///
    /// # Errors
    /// As [`query`](Self::query), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn query_with(&self, request: &QueryRequest, control: &Control<'_>) -> Result<Vec<ScoredPoint>> {
        self.admit(|strict| strict.queries(&[request]))?;
        self.with_lookups(&[request], |lookups| {
            self.answer("searching", control, request.timeout, |view, allowance| {
                lookups.ask(view, || self.asked(view, lookups).query(request, allowance))
            })
        })
    }

    /// Several queries on one snapshot, by all threads together. The results are those of [`query`](Self::query), in order.
    /// Each request has its own timeout, which begins with the call. The bound on the bytes of an answer is for all answers
    /// together. Many plain searches for nearest points are answered faster by [`search_batch`](Self::search_batch), which
    /// reads vectors once for several.
    ///
    /// # Errors
    /// As [`query`](Self::query), for a request that fails: then there are no answers to the others either.
    pub fn query_batch(&self, requests: &[QueryRequest]) -> Result<Vec<Vec<ScoredPoint>>> {
        self.query_batch_with(requests, &Control::none())
    }

    /// As [`query_batch`](Self::query_batch); `control` may stop it.
    ///
    /// # Errors
    /// As [`query_batch`](Self::query_batch), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn query_batch_with(
        &self,
        requests: &[QueryRequest],
        control: &Control<'_>,
    ) -> Result<Vec<Vec<ScoredPoint>>> {
        let default = self.shared().options.read_timeout;
        let asked: Vec<&QueryRequest> = requests.iter().collect();
        self.admit(|strict| strict.queries(&asked))?;
        self.with_lookups(&asked, |lookups| {
            self.answer_within("searching", *control, |view, allowance| {
                lookups.ask(view, || {
                    self.asked(view, lookups).batch(requests, default, allowance)
                })
            })
        })
    }

    /// The best points of each value of a payload field, and the groups by their best points.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn query_groups(&self, request: &GroupRequest) -> Result<Vec<Group>> {
        self.query_groups_with(request, &Control::none())
    }

    /// As [`query_groups`](Self::query_groups); `control` may stop it.
    ///
    /// # Errors
    /// As [`query_groups`](Self::query_groups), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn query_groups_with(&self, request: &GroupRequest, control: &Control<'_>) -> Result<Vec<Group>> {
        self.admit(|strict| strict.groups(request))?;
        self.with_lookups(&[&request.query], |lookups| {
            self.answer("searching", control, request.query.timeout, |view, allowance| {
                lookups.ask(view, || {
                    groups::groups(&self.asked(view, lookups), request, allowance)
                })
            })
        })
    }

    /// How many points have which value at a payload path: the most frequent values first, equally frequent ones in their
    /// order. Counts are exact.
    ///
    /// # Errors
    /// When the request is not valid, when data is damaged, [`Error::Timeout`](crate::Error::Timeout), or
    /// [`Error::Limit`](crate::Error::Limit) when there are too many values.
    pub fn facet(&self, request: &FacetRequest) -> Result<Vec<FacetHit>> {
        self.facet_with(request, &Control::none())
    }

    /// As [`facet`](Self::facet); `control` may stop it.
    ///
    /// # Errors
    /// As [`facet`](Self::facet), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn facet_with(&self, request: &FacetRequest, control: &Control<'_>) -> Result<Vec<FacetHit>> {
        self.admit(|strict| strict.facet(request))?;
        self.answer("counting", control, request.timeout, |view, allowance| {
            facet::facet(view, request, allowance)
        })
    }

    /// What the values at a payload path come to: how many there are, the least and the greatest, their sum and mean, how many
    /// differ, how they are spread; of all points that match, and of each value of another path.
    ///
    /// # Errors
    /// When the request is not valid, when data is damaged, [`Error::Timeout`](crate::Error::Timeout), or
    /// [`Error::Limit`](crate::Error::Limit) when there are too many groups, buckets or distinct values.
    pub fn aggregate(&self, request: &AggregateRequest) -> Result<AggregateAnswer> {
        self.aggregate_with(request, &Control::none())
    }

    /// As [`aggregate`](Self::aggregate); `control` may stop it.
    ///
    /// # Errors
    /// As [`aggregate`](Self::aggregate), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn aggregate_with(
        &self,
        request: &AggregateRequest,
        control: &Control<'_>,
    ) -> Result<AggregateAnswer> {
        self.admit(|strict| strict.aggregate(request))?;
        self.answer("counting", control, request.timeout, |view, allowance| {
            aggregate::aggregate(view, request, allowance)
        })
    }

    /// Which points of a random sample are nearest to each of it.
    ///
    /// # Errors
    /// When the request is not valid, when data is damaged, [`Error::Timeout`](crate::Error::Timeout), or
    /// [`Error::Limit`](crate::Error::Limit) when the answer would be too large.
    pub fn distance_matrix(&self, request: &MatrixRequest) -> Result<DistanceMatrix> {
        self.distance_matrix_with(request, &Control::none())
    }

    /// As [`distance_matrix`](Self::distance_matrix); `control` may stop it.
    ///
    /// # Errors
    /// As [`distance_matrix`](Self::distance_matrix), and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn distance_matrix_with(
        &self,
        request: &MatrixRequest,
        control: &Control<'_>,
    ) -> Result<DistanceMatrix> {
        self.admit(|strict| strict.matrix(request))?;
        self.answer("searching", control, request.timeout, |view, allowance| {
            matrix::matrix(view, request, allowance)
        })
    }

    fn asked<'a>(&'a self, view: &'a View, lookups: &'a Lookups) -> Asked<'a> {
        Asked {
            view,
            lookups,
            threads: &self.shared().searchers,
        }
    }

    /// Asks with the collections that requests take vectors from: until all of them, and this one, were seen as of one point
    /// of the log, so that a batch over several is seen whole.
    fn with_lookups<T>(
        &self,
        requests: &[&QueryRequest],
        mut ask: impl FnMut(&Lookups) -> Result<Option<T>>,
    ) -> Result<T> {
        loop {
            let lookups = Lookups::new(requests, |name| {
                let core = self.shared().core(name)?;
                let is_own = core.id == self.core.id;
                let view = || Collection::new(self.handle.clone(), core, name).view();
                Ok(Lookup {
                    view: (!is_own).then(view).transpose()?,
                })
            })?;
            // Nothing was asked yet where it was in vain, which takes a microsecond.
            if let Some(answer) = ask(&lookups)? {
                return Ok(answer);
            }
        }
    }
}
