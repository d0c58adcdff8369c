//! The best points of each value of a payload field.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use vdb_storage::PointId;
use vdb_storage::payload::{ObjectRef, ValueRef};

use super::answer::Asked;
use super::kind::Query;
use super::narrow::narrow;
use super::request::{Prefetch, QueryRequest};
use super::run::Found;
use super::sample;
use super::value::Gathered;
use crate::error::{Error, Result, within};
use crate::filter::{Condition, Filter, PayloadPath, TextFields};
use crate::limits::{MAX_LIMIT, MAX_MMR_CANDIDATES};
use crate::point::ScoredPoint;
use crate::query::allowance::Allowance;

/// What a group takes in memory beside its points and its value, about.
const ENTRY: usize = 128;

/// What it takes to know a point of a group again, about: sets have room to spare.
const SEEN: usize = 2 * size_of::<(usize, PointId)>();

/// How many times as many points are looked at when those that were are not enough.
const WIDER: usize = 4;

/// A query whose results are put into groups by a payload value.
///
/// Groups are those of the best points, each with its best, however far down they are: exactly where all points are compared,
/// as with [`exact`](QueryRequest::exact), else as well as a walk of the graph finds them. Where groups have fewer points than
/// are wanted, all that match are looked at; an index on the field makes that cheap.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::{GroupRequest, Query, QueryRequest};
/// # let db = Database::builder().open_in_memory()?;
/// # let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
/// # let pages = db.create_collection("pages", config)?;
/// # let page = |id: u64| Point::new(id, [id as f32]).payload(serde_json::json!({"book": id % 3}));
/// # pages.upsert((0..30).map(page).collect::<Result<_, _>>()?)?;
/// let nearest = QueryRequest::new(Query::nearest([1.0])).limit(2);
/// let groups = pages.query_groups(&GroupRequest::new(nearest, "book").group_size(5))?;
/// assert_eq!(groups.len(), 2);
/// assert_eq!((&groups[0].id, groups[0].hits.len()), (&2.into(), 5));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRequest {
    /// What is asked for. Its limit is that of the groups; it cannot have an offset.
    pub query: QueryRequest,
    /// The payload path. Strings and integers make groups; a point with several is in several, one with none in none.
    pub group_by: String,
    /// Most points of a group, at least 1.
    pub group_size: usize,
}

impl GroupRequest {
    /// Groups of three points.
    pub fn new(query: QueryRequest, group_by: impl Into<String>) -> Self {
        GroupRequest {
            query,
            group_by: group_by.into(),
            group_size: 3,
        }
    }

    /// Most points of a group.
    #[must_use]
    pub fn group_size(mut self, size: usize) -> Self {
        self.group_size = size;
        self
    }
}

/// What the points of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupId {
    /// An integer.
    Integer(i64),
    /// An integer beyond `i64`.
    Unsigned(u64),
    /// A string.
    String(String),
}

impl GroupId {
    /// Bytes beside the value itself.
    fn heap(&self) -> usize {
        match self {
            GroupId::Integer(_) | GroupId::Unsigned(_) => 0,
            GroupId::String(text) => text.len(),
        }
    }
}

impl From<i64> for GroupId {
    fn from(number: i64) -> Self {
        GroupId::Integer(number)
    }
}

impl From<&str> for GroupId {
    fn from(text: &str) -> Self {
        GroupId::String(text.to_owned())
    }
}

/// Points with one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The value.
    pub id: GroupId,
    /// The points, best first.
    pub hits: Vec<ScoredPoint>,
}

/// The values of a point that make groups, each once, in the order in which it has them.
fn values<'a>(
    found: &Found,
    path: &PayloadPath,
    allowance: &'a Allowance<'a>,
) -> Result<Gathered<'a, (GroupId, usize)>> {
    let payload = ObjectRef::from_payload(found.at.payload()?)?;
    let mut places = 0_usize..;
    let mut gathered = Gathered::read(payload, path, allowance, |value| {
        let id = match value {
            ValueRef::I64(number) => GroupId::Integer(number),
            ValueRef::U64(number) => {
                i64::try_from(number).map_or(GroupId::Unsigned(number), GroupId::Integer)
            }
            ValueRef::Str(text) => GroupId::String(text.to_owned()),
            ValueRef::F64(_)
            | ValueRef::Null
            | ValueRef::Bool(_)
            | ValueRef::Array(_)
            | ValueRef::Object(_) => return None,
        };
        let heap = id.heap();
        Some(((id, places.next()?), heap))
    })?;
    let ids = gathered.values();
    ids.sort_unstable();
    ids.dedup_by(|next, kept| next.0 == kept.0);
    ids.sort_unstable_by_key(|&(_, place)| place);
    Ok(gathered)
}

/// The groups as far as they are known.
struct Groups<'a> {
    limit: usize,
    size: usize,
    /// In the order of their best points.
    all: Vec<(GroupId, Vec<Found>)>,
    places: BTreeMap<GroupId, usize>,
    /// Who is where, of points that may come again for another value that they are ordered by.
    seen: HashSet<(usize, PointId)>,
    /// Bytes of all of it that are counted with the memory of the answer.
    held: usize,
    allowance: &'a Allowance<'a>,
}

impl<'a> Groups<'a> {
    fn new(limit: usize, size: usize, allowance: &'a Allowance<'a>) -> Self {
        Groups {
            limit,
            size,
            all: Vec::new(),
            places: BTreeMap::new(),
            seen: HashSet::new(),
            held: 0,
            allowance,
        }
    }

    fn take(&mut self, bytes: usize) -> Result<()> {
        self.held += bytes;
        self.allowance.take(bytes)
    }

    fn add(&mut self, id: GroupId, found: &Found) -> Result<()> {
        let place = match self.places.get(&id) {
            Some(&place) => place,
            None if self.all.len() < self.limit => {
                self.take(ENTRY + 2 * id.heap())?;
                self.places.insert(id.clone(), self.all.len());
                self.all.push((id, Vec::new()));
                self.all.len() - 1
            }
            None => return Ok(()),
        };
        let (_, members) = &mut self.all[place];
        // A point that comes twice counts once.
        if members.len() < self.size && (found.order.is_none() || self.seen.insert((place, found.id))) {
            members.push(found.clone());
            let seen = if found.order.is_some() { SEEN } else { 0 };
            self.take(size_of::<Found>() + seen)?;
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.all.clear();
        self.places.clear();
        self.seen = HashSet::new();
        self.allowance.give(std::mem::take(&mut self.held));
    }

    /// Takes the points out of groups that are not full, as the next round begins with them again; with their places.
    fn take_lacking(&mut self) -> Vec<(usize, Vec<Found>)> {
        let seen = std::mem::take(&mut self.seen).len() * SEEN;
        self.held = self.held.saturating_sub(seen);
        self.allowance.give(seen);
        let size = self.size;
        let lacking = self.all.iter_mut().enumerate();
        let lacking = lacking.filter(|(_, (_, members))| members.len() < size);
        lacking
            .map(|(place, (_, members))| (place, std::mem::take(members)))
            .collect()
    }

    /// Puts points back that a walk has missed this time.
    fn put_back(&mut self, earlier: Vec<(usize, Vec<Found>)>, order: impl Fn(&Found, &Found) -> Ordering) {
        let mut gone = 0;
        for (place, earlier) in earlier {
            let (_, members) = &mut self.all[place];
            gone += members.len() + earlier.len();
            let known: HashSet<PointId> = members.iter().map(|member| member.id).collect();
            // No walk looks for the first of an order.
            let missed = earlier
                .into_iter()
                .filter(|one| one.order.is_none() && !known.contains(&one.id));
            members.extend(missed);
            members.sort_by(&order);
            members.truncate(self.size);
            gone -= members.len();
        }
        let gone = gone * size_of::<Found>();
        self.held = self.held.saturating_sub(gone);
        self.allowance.give(gone);
    }

    fn is_full(&self, members: &[Found]) -> bool {
        members.len() >= self.size
    }

    fn are_all_full(&self) -> bool {
        self.all.len() == self.limit && self.all.iter().all(|(_, members)| self.is_full(members))
    }

    /// Once all groups are known: those that lack points, as a condition.
    fn lacking(&self, path: &str) -> Option<Condition> {
        if self.all.len() < self.limit {
            return None;
        }
        let (mut integers, mut strings) = (Vec::new(), Vec::new());
        let size = self.size;
        for (id, _) in self.all.iter().filter(|(_, members)| members.len() < size) {
            match id {
                GroupId::Integer(number) => integers.push(*number),
                GroupId::String(text) => strings.push(text.clone()),
                GroupId::Unsigned(_) => return None,
            }
        }
        let any = [
            Condition::matches_any(path, integers),
            Condition::matches_any(path, strings),
        ];
        Some(Condition::Filter(Box::new(Filter {
            should: Some(any.to_vec()),
            ..Filter::default()
        })))
    }
}

/// A filter for points of these groups only; `None` where there is no more room in it.
fn focused(filter: Option<&Filter>, groups: Condition, texts: &dyn TextFields) -> Option<Filter> {
    let mut focused = filter.cloned().unwrap_or_default();
    focused.must.push(groups);
    // An order has a condition of its own besides.
    let spare = Filter::must([Condition::range("spare", ..)]);
    narrow(&[&focused, &spare], &[], texts).is_ok().then_some(focused)
}

/// Best first, ties by id; what has another order than its score stays as it comes.
fn order(asked: &Asked<'_>, query: &QueryRequest) -> Result<impl Fn(&Found, &Found) -> Ordering> {
    let is_search = |kind: &Query| matches!(kind, Query::Nearest(_)) || kind.is_by_average();
    let larger_first = if query.query.as_ref().is_some_and(is_search) {
        let schema = &asked.view.tables.schema;
        schema.require(&query.using)?.1.distance().larger_is_nearer()
    } else {
        true
    };
    Ok(move |a: &Found, b: &Found| {
        if a.order.is_some() {
            return Ordering::Equal;
        }
        let order = a.score.total_cmp(&b.score);
        let order = if larger_first { order.reverse() } else { order };
        order.then(a.id.cmp(&b.id))
    })
}

pub(crate) fn groups(
    asked: &Asked<'_>,
    request: &GroupRequest,
    allowance: &Allowance<'_>,
) -> Result<Vec<Group>> {
    if request.group_size == 0 {
        return Err(Error::InvalidRequest(
            "the size of groups must be at least 1".into(),
        ));
    }
    within("size of a group", MAX_LIMIT, request.group_size)?;
    within("limit of a search", MAX_LIMIT, request.query.limit)?;
    if request.query.offset != 0 {
        return Err(Error::InvalidRequest(
            "groups cannot be skipped: a query for groups has no offset".into(),
        ));
    }
    let path = PayloadPath::parse(&request.group_by)?;
    let text = path.to_string();
    let mut groups = Groups::new(request.query.limit, request.group_size, allowance);
    let mut query = request.query.clone();
    widen_prefetches(&mut query.prefetch, request.group_size);
    if let Some(Query::Sample { seed }) = &mut query.query {
        // Each round draws the points of the last one, and more.
        seed.get_or_insert_with(sample::any_seed);
    }
    // Only what every point is scored by alone stays the same when fewer points are looked at.
    let can_focus = query.prefetch.is_empty()
        && !matches!(query.query, None | Some(Query::Mmr { .. } | Query::Sample { .. }));
    let candidates = match request.query.query {
        Some(Query::Mmr { candidates, .. }) => candidates,
        Some(_) | None => None,
    };
    let mut is_focused = false;
    let mut earlier = Vec::new();
    let first_want = request.query.limit.saturating_mul(request.group_size);
    let texts = &*asked.view.tables.schema;
    let first_want = first_want.min(MAX_LIMIT);
    let mut want = first_want;
    loop {
        query.limit = want;
        if matches!(query.query, Some(Query::Mmr { .. })) {
            // No more can be chosen than there are candidates.
            query.limit = want.min(candidates.unwrap_or(MAX_MMR_CANDIDATES));
        }
        let found = asked.find(&query, allowance)?;
        for one in &found {
            for (id, _) in values(one, &path, allowance)?.values().drain(..) {
                groups.add(id, one)?;
            }
        }
        if is_focused {
            groups.put_back(std::mem::take(&mut earlier), order(asked, &query)?);
        }
        let is_end = found.len() < query.limit || query.limit < want || want >= MAX_LIMIT;
        allowance.give(found.len() * size_of::<Found>());
        if is_end || groups.are_all_full() {
            break;
        }
        want = want.saturating_mul(WIDER).min(MAX_LIMIT);
        let lacking = || groups.lacking(&text).filter(|_| can_focus);
        if is_focused {
            earlier = groups.take_lacking();
        } else if let Some(filter) =
            lacking().and_then(|groups| focused(query.filter.as_ref(), groups, texts))
        {
            // Only points of these groups, from the best on.
            query.filter = Some(filter);
            earlier = groups.take_lacking();
            is_focused = true;
            want = first_want;
        } else {
            groups.clear();
        }
    }
    if is_focused {
        // Where a walk found more than the one before, the best of a group may be another now.
        let order = order(asked, &query)?;
        let best_first = |a: &[Found], b: &[Found]| a.first().zip(b.first()).map(|(a, b)| order(a, b));
        groups
            .all
            .sort_by(|(_, a), (_, b)| best_first(a, b).unwrap_or(Ordering::Equal));
    }
    let select = &request.query.select;
    let answers = groups.all.iter().map(|(id, members)| {
        let hits = members.iter().map(|found| asked.point(select, found, allowance));
        Ok(Group {
            id: id.clone(),
            hits: hits.collect::<Result<_>>()?,
        })
    });
    answers.collect()
}

/// So many times as many points of every prefetch.
fn widen_prefetches(prefetches: &mut [Prefetch], times: usize) {
    for prefetch in prefetches {
        prefetch.limit = prefetch.limit.saturating_mul(times).min(MAX_LIMIT);
        if let Some(Query::Mmr { candidates: None, .. }) = prefetch.query {
            prefetch.limit = prefetch.limit.min(MAX_MMR_CANDIDATES);
        }
        widen_prefetches(&mut prefetch.prefetch, times);
    }
}

#[cfg(test)]
mod tests;
