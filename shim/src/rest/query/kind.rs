//! What is asked for.

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::Value;
use vdb::{
    ContextPair, Datetime, FeedbackExample, Fusion, OrderBy, OrderValue, PointId, Query, RecommendStrategy,
    VectorInput,
};

use super::Reading;
use super::expression::read_formula;
use crate::inference::Role;
use crate::rest::envelope::{Failure, Part};
use crate::rest::reads::number;
use crate::rest::wire::{OneOrMany, WirePath, WireVector};
use crate::service::ServiceError;

/// A vector, or the id of a point that has it.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Id(PointId),
    Vector(WireVector),
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let read = match &value {
            Value::Number(_) | Value::String(_) => serde_json::from_value(value).map(Input::Id),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                serde_json::from_value(value).map(Input::Vector)
            }
        };
        read.map_err(de::Error::custom)
    }
}

impl Input {
    /// Whether it is a text that a model makes a vector of.
    pub(super) fn names_model(&self) -> bool {
        match self {
            Input::Id(_) => false,
            Input::Vector(vector) => vector.names_model(),
        }
    }

    pub(super) fn input(
        self,
        place: &str,
        reading: &mut Reading<'_, '_>,
    ) -> Result<VectorInput, ServiceError> {
        match self {
            Input::Id(id) => Ok(VectorInput::Id(id)),
            Input::Vector(vector) => {
                vector.check(place, &mut reading.problems);
                if vector.has_no_model() {
                    // It is told with the other problems.
                    return Ok(VectorInput::Vector(Vec::<f32>::new().into()));
                }
                vector
                    .vector(Role::Query, reading.models)
                    .map(VectorInput::Vector)
            }
        }
    }
}

pub(super) fn inputs(
    inputs: Vec<Input>,
    place: &str,
    reading: &mut Reading<'_, '_>,
) -> Result<Vec<VectorInput>, ServiceError> {
    inputs
        .into_iter()
        .map(|input| input.input(place, reading))
        .collect()
}

#[derive(Deserialize)]
struct Mmr {
    diversity: Option<f32>,
    candidates_limit: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Strategy {
    #[default]
    AverageVector,
    BestScore,
    SumScores,
}

impl From<Strategy> for RecommendStrategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::AverageVector => RecommendStrategy::AverageVector,
            Strategy::BestScore => RecommendStrategy::BestScore,
            Strategy::SumScores => RecommendStrategy::SumScores,
        }
    }
}

/// Examples of a recommendation.
#[derive(Debug, Deserialize)]
pub(super) struct Examples {
    pub(super) positive: Option<Vec<Input>>,
    pub(super) negative: Option<Vec<Input>>,
    pub(super) strategy: Option<Strategy>,
}

/// Whether a list has anything in it.
fn given(list: Option<&Vec<Input>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

impl Examples {
    /// What the strategy needs and has not.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let (positive, negative) = (given(self.positive.as_ref()), given(self.negative.as_ref()));
        match self.strategy.unwrap_or_default() {
            Strategy::AverageVector if !positive => {
                Some("At least one positive vector ID required with this strategy")
            }
            Strategy::BestScore | Strategy::SumScores if !positive && !negative => {
                Some("At least one positive or negative vector ID required with this strategy")
            }
            Strategy::AverageVector | Strategy::BestScore | Strategy::SumScores => None,
        }
    }

    pub(super) fn query(self, place: &str, reading: &mut Reading<'_, '_>) -> Result<Query, ServiceError> {
        if !given(self.positive.as_ref()) && !given(self.negative.as_ref()) {
            reading.problems.add(
                place,
                "At least one positive or negative vector/id must be provided",
            );
        }
        Ok(Query::Recommend {
            positive: inputs(self.positive.unwrap_or_default(), place, reading)?,
            negative: inputs(self.negative.unwrap_or_default(), place, reading)?,
            strategy: self.strategy.unwrap_or_default().into(),
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Pair {
    positive: Input,
    negative: Input,
}

impl Pair {
    /// Whether one of its sides is a text that a model makes a vector of.
    pub(super) fn names_model(&self) -> bool {
        self.positive.names_model() || self.negative.names_model()
    }
}

pub(super) fn pairs(
    pairs: Option<OneOrMany<Pair>>,
    place: &str,
    reading: &mut Reading<'_, '_>,
) -> Result<Vec<ContextPair>, ServiceError> {
    let pairs = pairs.map_or_else(Vec::new, OneOrMany::into_vec);
    pairs
        .into_iter()
        .map(|pair| {
            Ok(ContextPair {
                positive: pair.positive.input(place, reading)?,
                negative: pair.negative.input(place, reading)?,
            })
        })
        .collect()
}

#[derive(Deserialize)]
struct Discover {
    target: Input,
    context: Option<OneOrMany<Pair>>,
}

/// A field to order by, alone or with a direction.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a payload path, or an object of a `key`, a `direction`, which is `asc` or `desc`, and `start_from`"
)]
pub(in crate::rest) enum OrderByBody {
    /// Smallest first.
    Key(WirePath),
    /// In full.
    Full {
        /// The payload path.
        key: WirePath,
        /// Which end is first.
        direction: Option<Direction>,
        /// The first value that counts.
        start_from: Option<Value>,
    },
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::rest) enum Direction {
    Asc,
    Desc,
}

impl OrderByBody {
    /// The engine's order.
    pub(in crate::rest) fn order(self) -> Result<OrderBy, Failure> {
        match self {
            OrderByBody::Key(key) => Ok(OrderBy::new(key.into_text())),
            OrderByBody::Full {
                key,
                direction,
                start_from,
            } => {
                let mut order = OrderBy::new(key.into_text());
                order.descending = matches!(direction, Some(Direction::Desc));
                order.start_from = start_from.as_ref().map(start).transpose()?;
                Ok(order)
            }
        }
    }
}

fn start(value: &Value) -> Result<OrderValue, Failure> {
    let read = match value {
        Value::Number(number) => number
            .as_i64()
            .map(OrderValue::Integer)
            .or_else(|| number.as_f64().map(OrderValue::Float)),
        Value::String(text) => Datetime::parse(text).map(OrderValue::Datetime),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    read.ok_or_else(|| Failure::format(Part::Body, "start_from: expected a number or a datetime"))
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FusionName {
    Rrf,
    Dbsf,
}

#[derive(Deserialize)]
struct Rrf {
    k: Option<u64>,
    weights: Option<Vec<f32>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SampleName {
    Random,
}

#[derive(Deserialize)]
struct Naive {
    a: f32,
    b: f32,
    c: f32,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FeedbackStrategy {
    Naive(Naive),
}

#[derive(Deserialize)]
struct FeedbackItem {
    example: Input,
    score: f32,
}

#[derive(Deserialize)]
struct Feedback {
    target: Input,
    feedback: Vec<FeedbackItem>,
    strategy: FeedbackStrategy,
}

/// Names of the kinds, which are the keys of their objects.
const KINDS: [&str; 10] = [
    "nearest",
    "recommend",
    "discover",
    "context",
    "order_by",
    "fusion",
    "rrf",
    "formula",
    "sample",
    "relevance_feedback",
];

fn read<T: de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| Failure::format(Part::Body, error))
}

/// Reads what is asked for.
pub(super) fn read_query(value: Value, place: &str, reading: &mut Reading<'_, '_>) -> Result<Query, Failure> {
    let Value::Object(mut map) = value else {
        let input: Input = read(value)?;
        return Ok(Query::Nearest(input.input(place, reading)?));
    };
    let kind = KINDS
        .into_iter()
        .find_map(|kind| Some((kind, map.shift_remove(kind)?)));
    let Some((kind, value)) = kind else {
        let input: Input = read(Value::Object(map))?;
        return Ok(Query::Nearest(input.input(place, reading)?));
    };
    let mmr_place = format!("{place}.mmr");
    let place = format!("{place}.{kind}");
    match kind {
        "nearest" => {
            let target = read::<Input>(value)?.input(&place, reading)?;
            match map.shift_remove("mmr").filter(|mmr| !mmr.is_null()) {
                None => Ok(Query::Nearest(target)),
                Some(mmr) => {
                    let mmr: Mmr = read(mmr)?;
                    let diversity = mmr.diversity.map(f64::from);
                    reading
                        .problems
                        .within(format_args!("{mmr_place}.diversity"), diversity, 0.0, 1.0);
                    let most = vdb::MAX_MMR_CANDIDATES as u64;
                    let limit = format_args!("{mmr_place}.candidates_limit");
                    reading.problems.within(limit, mmr.candidates_limit, 0, most);
                    Ok(Query::Mmr {
                        target,
                        diversity: mmr.diversity.unwrap_or(0.5),
                        candidates: mmr.candidates_limit.map(number),
                    })
                }
            }
        }
        "recommend" => Ok(read::<Examples>(value)?.query(&place, reading)?),
        "discover" => {
            let discover: Discover = read(value)?;
            Ok(Query::Discover {
                target: discover.target.input(&place, reading)?,
                context: pairs(discover.context, &place, reading)?,
            })
        }
        "context" => Ok(Query::Context(pairs(read(value)?, &place, reading)?)),
        "order_by" => read::<OrderByBody>(value)?.order().map(Query::OrderBy),
        "fusion" => Ok(Query::Fusion(match read(value)? {
            FusionName::Rrf => Fusion::rrf(),
            FusionName::Dbsf => Fusion::Dbsf,
        })),
        "rrf" => {
            let rrf: Rrf = read(value)?;
            reading.problems.at_least(format_args!("{place}.k"), rrf.k, 1);
            let k = rrf.k.map(|k| u32::try_from(k).unwrap_or(u32::MAX));
            Ok(Query::Fusion(Fusion::Rrf {
                k: k.unwrap_or(vdb::DEFAULT_RRF_K),
                weights: rrf.weights,
            }))
        }
        "formula" => read_formula(value, map.shift_remove("defaults"), &place).map(Query::Formula),
        "sample" => {
            let SampleName::Random = read(value)?;
            Ok(Query::Sample { seed: None })
        }
        _ => feedback(read(value)?, &place, reading),
    }
}

fn feedback(feedback: Feedback, place: &str, reading: &mut Reading<'_, '_>) -> Result<Query, Failure> {
    let FeedbackStrategy::Naive(naive) = feedback.strategy;
    reading.problems.at_least(
        format_args!("{place}.strategy.naive.b"),
        Some(f64::from(naive.b)),
        0.0,
    );
    if feedback.feedback.is_empty() {
        reading
            .problems
            .add(format_args!("{place}.feedback"), "must not be empty");
    }
    let items = feedback.feedback.into_iter();
    let examples = items.map(|item| {
        Ok(FeedbackExample {
            example: item.example.input(place, reading)?,
            score: item.score,
        })
    });
    let examples = examples.collect::<Result<_, ServiceError>>()?;
    Ok(Query::Feedback {
        target: feedback.target.input(place, reading)?,
        examples,
        a: naive.a,
        b: naive.b,
        c: naive.c,
    })
}
