//! The kinds of queries.

use vdb_storage::PointId;

use crate::filter::Datetime;
use crate::formula::Formula;
use crate::point::{OrderValue, SparseVector, Vector};
use crate::score::Fusion;

/// A vector as a query gives it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum VectorInput {
    /// The vector itself.
    Vector(Vector),
    /// The vector of a point. The point itself is not among the results, unless it is of another collection.
    Id(PointId),
}

impl From<Vector> for VectorInput {
    fn from(vector: Vector) -> Self {
        VectorInput::Vector(vector)
    }
}

impl From<Vec<f32>> for VectorInput {
    fn from(vector: Vec<f32>) -> Self {
        Vector::from(vector).into()
    }
}

impl<const N: usize> From<[f32; N]> for VectorInput {
    fn from(vector: [f32; N]) -> Self {
        Vector::from(vector).into()
    }
}

impl From<SparseVector> for VectorInput {
    fn from(vector: SparseVector) -> Self {
        Vector::from(vector).into()
    }
}

impl From<Vec<Vec<f32>>> for VectorInput {
    fn from(vector: Vec<Vec<f32>>) -> Self {
        Vector::from(vector).into()
    }
}

impl From<PointId> for VectorInput {
    fn from(id: PointId) -> Self {
        VectorInput::Id(id)
    }
}

impl From<u64> for VectorInput {
    fn from(id: u64) -> Self {
        VectorInput::Id(id.into())
    }
}

/// What is asked for, of all points that match or of what prefetches have found.
///
/// Similarities here are larger for nearer points: what [`ScoredPoint::score`](crate::ScoredPoint::score) says for Cosine and
/// Dot, minus the squared distance for Euclid, minus the distance for Manhattan. `g(x)` is `(x / (1 + |x|) + 1) / 2`. Where
/// scores are equal, the smaller id comes first.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Query {
    /// The points nearest to a vector. Scores are those of a [search](crate::Collection::search).
    Nearest(VectorInput),
    /// The points nearest to a vector, chosen so that they differ: the first is the nearest, each next one has the greatest
    /// `(1 - diversity) * (similarity to the vector) - diversity * (greatest similarity to one chosen before)`. They come in
    /// the order in which they are chosen, with the scores of a search. The offset is cut from a list of the limit's length. How rare
    /// dimensions of a sparse vector are ([`Modifier::Idf`](crate::Modifier::Idf)) decides on the candidates and not on the choice.
    Mmr {
        /// The vector to be near to.
        target: VectorInput,
        /// 0 to 1; 0.5 is usual.
        diversity: f32,
        /// How many of the nearest points are chosen from, at most [`MAX_MMR_CANDIDATES`](crate::MAX_MMR_CANDIDATES); as many
        /// as the limit by default.
        candidates: Option<usize>,
    },
    /// Points like some examples and unlike others.
    Recommend {
        /// Examples to be near to.
        positive: Vec<VectorInput>,
        /// Examples to be far from.
        negative: Vec<VectorInput>,
        /// How the examples make one score.
        strategy: RecommendStrategy,
    },
    /// Points on the right side of every pair, and of those the ones near to a target. The score is the number of pairs
    /// whose positive is nearer, minus that of those whose negative is, plus `g` of the similarity to the target.
    Discover {
        /// The vector to be near to.
        target: VectorInput,
        /// What divides the space.
        context: Vec<ContextPair>,
    },
    /// Points on the right side of every pair. The score is 0 there, and elsewhere the sum of `x / (1 + |x|)` over the pairs
    /// of which the negative is nearer by `-x`.
    Context(Vec<ContextPair>),
    /// The points nearest to a target, corrected by what a user said of earlier results (naive relevance feedback): the score
    /// is `a * (similarity to the target)`, plus for each two examples of which one was scored higher by `d`
    /// `d^b * c * (similarity to that one - similarity to the other)`.
    Feedback {
        /// The vector to be near to.
        target: VectorInput,
        /// Earlier results, and how good they were.
        examples: Vec<FeedbackExample>,
        /// Weight of the target.
        a: f32,
        /// How much larger differences count more; at least 0.
        b: f32,
        /// Weight of the feedback.
        c: f32,
    },
    /// Points in the order of a payload value. Each has the score 1.
    OrderBy(OrderBy),
    /// So many points at random. Each has the score 1.
    Sample {
        /// The same seed gives the same points as long as the same ones match, and an offset those that come behind them;
        /// without, every call gives others, and only a sample of prefetches takes an offset.
        seed: Option<u64>,
    },
    /// The points whose texts say most of what a text says, by BM25 over all points of the collection: exact, and only those with
    /// one of its tokens. `using` names the payload path of the texts, which has an index of the kind
    /// [text](crate::PayloadIndexKind::Text); its options say what a token is. Of a token that `df` of the `n` points with
    /// tokens have, a point that has it `tf` times among `len` tokens (`avg` on average) has
    /// `ln(1 + (n - df + 0.5) / (df + 0.5)) * tf (k1 + 1) / (tf + k1 (1 - b + b len / avg))`; the score is their sum.
    Text {
        /// What is looked for; a token that is there twice counts once.
        text: String,
        /// How much a token counts that a point has again, from 0 (nothing) to 1,000,000 (as much as the first time); 1.2 is
        /// usual.
        k1: f64,
        /// How much a long text is held against a point, from 0 (not at all) to 1; 0.75 is usual.
        b: f64,
    },
    /// What the prefetches found, as one list. Scores are those of the [`Fusion`]; a threshold keeps what reaches it.
    Fusion(Fusion),
    /// What the prefetches found, by the score that a formula gives; a threshold keeps what reaches it.
    Formula(Formula),
}

impl Query {
    /// The points nearest to a vector, or to a point.
    pub fn nearest(target: impl Into<VectorInput>) -> Self {
        Query::Nearest(target.into())
    }

    /// Points like some examples and unlike others, by the mean of both.
    pub fn recommend<V: Into<VectorInput>>(
        positive: impl IntoIterator<Item = V>,
        negative: impl IntoIterator<Item = V>,
    ) -> Self {
        Query::Recommend {
            positive: positive.into_iter().map(Into::into).collect(),
            negative: negative.into_iter().map(Into::into).collect(),
            strategy: RecommendStrategy::AverageVector,
        }
    }

    /// The points whose texts say most of what `text` says, with the usual parameters.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
    /// use vdb::{Fusion, PayloadIndexKind, Prefetch, Query, QueryRequest};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let birds = db.create_collection("birds", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// # let bird = |id: u64, text: &str| Point::new(id, [1.0]).payload(serde_json::json!({"text": text}));
    /// # birds.upsert(vec![bird(1, "a big owl")?, bird(2, "an owl hunts at night")?, bird(3, "a wren")?])?;
    /// birds.create_payload_index("text", PayloadIndexKind::Text)?;
    /// let hits = birds.query(&QueryRequest::new(Query::text("owl at night")).using("text"))?;
    /// assert_eq!(hits[0].id, 2.into());
    /// // Together with nearness of vectors: hybrid search.
    /// let hybrid = QueryRequest::new(Query::Fusion(Fusion::rrf()))
    ///     .prefetch(Prefetch::new(Query::text("owl at night")).using("text").limit(50))
    ///     .prefetch(Prefetch::new(Query::nearest([1.0])).limit(50));
    /// assert_eq!(birds.query(&hybrid)?.len(), 3);
    /// # Ok::<_, vdb::Error>(())
    /// ```
    pub fn text(text: impl Into<String>) -> Self {
        Query::Text {
            text: text.into(),
            k1: 1.2,
            b: 0.75,
        }
    }

    /// True when it compares points with vectors.
    pub(crate) fn is_about_vectors(&self) -> bool {
        match self {
            Query::Nearest(_)
            | Query::Mmr { .. }
            | Query::Recommend { .. }
            | Query::Discover { .. }
            | Query::Context(_)
            | Query::Feedback { .. } => true,
            Query::OrderBy(_)
            | Query::Sample { .. }
            | Query::Text { .. }
            | Query::Fusion(_)
            | Query::Formula(_) => false,
        }
    }

    /// True when it makes one vector of its examples, to look for as it would be given.
    pub(super) fn is_by_average(&self) -> bool {
        let average = RecommendStrategy::AverageVector;
        matches!(self, Query::Recommend { strategy, .. } if *strategy == average)
    }

    /// The vectors that it gives.
    pub(crate) fn inputs(&self) -> Vec<&VectorInput> {
        match self {
            Query::Nearest(target) | Query::Mmr { target, .. } => vec![target],
            Query::Recommend {
                positive, negative, ..
            } => positive.iter().chain(negative).collect(),
            Query::Discover { target, context } => std::iter::once(target).chain(sides(context)).collect(),
            Query::Context(pairs) => sides(pairs).collect(),
            Query::Feedback { target, examples, .. } => {
                let examples = examples.iter().map(|one| &one.example);
                std::iter::once(target).chain(examples).collect()
            }
            Query::OrderBy(_)
            | Query::Sample { .. }
            | Query::Text { .. }
            | Query::Fusion(_)
            | Query::Formula(_) => Vec::new(),
        }
    }
}

/// The examples of pairs, each positive one before its negative one.
pub(super) fn sides(pairs: &[ContextPair]) -> impl Iterator<Item = &VectorInput> {
    pairs.iter().flat_map(|pair| [&pair.positive, &pair.negative])
}

/// How examples make one score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecommendStrategy {
    /// Nearness to the mean of the positive examples, or to twice that minus the mean of the negative ones. Scores are those
    /// of a search. Needs a positive example.
    #[default]
    AverageVector,
    /// `g` of the similarity to the nearest positive example, or minus `g` of that to the nearest negative one if that is not
    /// smaller.
    BestScore,
    /// The similarities to the positive examples minus those to the negative ones, added up.
    SumScores,
}

/// Two examples; a point should be nearer to the first.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextPair {
    /// To be near to.
    pub positive: VectorInput,
    /// To be far from.
    pub negative: VectorInput,
}

/// An earlier result, and how good it was.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackExample {
    /// The result.
    pub example: VectorInput,
    /// How good: more is better, on any scale.
    pub score: f32,
}

/// An order by a payload value. Numbers and datetimes count, other values do not; points without one are left out, and a
/// point with several comes once for each. Integers beyond `i64` count as the nearest `f64`, as
/// [`OrderValue::Float`], and so not where there is an index for integers.
///
/// No index is needed: every payload that matches is read. With an index on the path for integers or for datetimes only such
/// values count, with one for floats only numbers, and only points that come first are read, or of few those that match; other
/// indexes make no difference.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::{OrderBy, Query, QueryRequest};
/// # let db = Database::builder().open_in_memory()?;
/// # let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
/// # let year = |id: u64| Point::new(id, [1.0]).payload(serde_json::json!({"year": 1900 + id % 3}));
/// # c.upsert((0..7).map(year).collect::<Result<_, _>>()?)?;
/// let mut order = OrderBy::new("year").descending();
/// let mut seen = 0;
/// loop {
///     let page = c.query(&QueryRequest::new(Query::OrderBy(order.clone())).limit(2))?;
///     let Some(last) = page.last() else { break };
///     seen += page.len();
///     order = order.after_point(last);
/// }
/// assert_eq!(seen, 7);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// The payload path.
    pub path: String,
    /// Largest first. Smaller ids are first among equal values both ways.
    pub descending: bool,
    /// The first value that counts, itself included.
    pub start_from: Option<OrderValue>,
    /// The place in the order that the results come after: a value, and the point that had it.
    pub after: Option<(OrderValue, PointId)>,
}

impl OrderBy {
    /// Smallest first.
    pub fn new(path: impl Into<String>) -> Self {
        OrderBy {
            path: path.into(),
            descending: false,
            start_from: None,
            after: None,
        }
    }

    /// Largest first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// The first value that counts, itself included.
    #[must_use]
    pub fn start_from(mut self, value: impl Into<OrderValue>) -> Self {
        self.start_from = Some(value.into());
        self
    }

    /// What comes after a point of an earlier answer: the next page. A point that has no place in an order, because
    /// another kind of query found it, changes nothing.
    #[must_use]
    pub fn after_point(mut self, last: &crate::point::ScoredPoint) -> Self {
        self.after = last.order.map(|value| (value, last.id)).or(self.after);
        self
    }
}

impl From<i64> for OrderValue {
    fn from(number: i64) -> Self {
        OrderValue::Integer(number)
    }
}

impl From<f64> for OrderValue {
    fn from(number: f64) -> Self {
        OrderValue::Float(number)
    }
}

impl From<Datetime> for OrderValue {
    fn from(at: Datetime) -> Self {
        OrderValue::Datetime(at)
    }
}
