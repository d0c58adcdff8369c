//! Formulas as values. Nothing is checked while one is built; whoever runs it checks all of it first.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Add, Mul};

use serde_json::Value;

use crate::filter::{Condition, Datetime, GeoPoint};

/// An expression that gives each candidate its score, and what its variables are where a point has no such value.
///
/// ```
/// use vdb::{Condition, Expression, Formula};
///
/// // Nouns a little up; what is popular, too.
/// let score = Expression::variable("$score")
///     + Expression::from(Condition::matches("pos", "noun")) * 0.2.into()
///     + Expression::variable("popularity") * 0.1.into();
/// let formula = Formula::new(score).default_value("popularity", 0);
/// assert_eq!(formula.defaults.len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// What is computed, in `f64`.
    pub expression: Expression,
    /// What a variable is where the point has no value for it: a number, for [`Expression::DatetimeAt`] the text of a
    /// datetime, for [`Expression::GeoDistance`] an object of `lon` and `lat`. Scores that are missing are 0 without.
    pub defaults: BTreeMap<Variable, Value>,
}

impl Formula {
    /// A formula without defaults.
    pub fn new(expression: impl Into<Expression>) -> Self {
        Formula {
            expression: expression.into(),
            defaults: BTreeMap::new(),
        }
    }

    /// What a variable is where the point has no value for it. The name is read as [`Variable::new`] does.
    #[must_use]
    pub fn default_value(mut self, variable: &str, value: impl Into<Value>) -> Self {
        self.defaults.insert(Variable::new(variable), value.into());
        self
    }
}

/// What a formula can refer to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// The score that the prefetch at this place gave the point.
    Score(usize),
    /// The value at a payload path; of several the first of the kind that is wanted.
    Payload(String),
}

impl Variable {
    /// `$score` is the score of the first prefetch, `$score[i]` that of the one at `i`, from 0; everything else is a payload
    /// path.
    pub fn new(name: &str) -> Self {
        let place = name.strip_prefix("$score").and_then(|rest| match rest {
            "" => Some(0),
            _ => rest.strip_prefix('[')?.strip_suffix(']')?.parse().ok(),
        });
        place.map_or_else(|| Variable::Payload(name.to_owned()), Variable::Score)
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Variable::Score(place) => write!(f, "$score[{place}]"),
            Variable::Payload(path) => f.write_str(path),
        }
    }
}

/// How a [`Expression::Decay`] falls with the distance `d = |x - target|`, from 1 at 0, through `midpoint` where `d` is
/// `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// In a line, and 0 from where it meets that: `max(0, 1 - (1 - midpoint) / scale * d)`.
    Linear,
    /// `midpoint ^ (d / scale)`.
    Exponential,
    /// `midpoint ^ (d / scale)^2`.
    Gaussian,
}

/// A part of a formula. A step whose result is no finite number fails the query, with the point that it failed for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expression {
    /// A finite number.
    Constant(f64),
    /// A score or the number at a payload path.
    Variable(Variable),
    /// 1 where the condition holds for the point, 0 elsewhere.
    Condition(Box<Condition>),
    /// A point in time, as seconds since 1970 UTC.
    Datetime(Datetime),
    /// The datetime at a payload path, as seconds since 1970 UTC.
    DatetimeAt(String),
    /// Metres from a place to the one at a payload path, an object of the numbers `lon` and `lat`.
    GeoDistance {
        /// From where.
        origin: GeoPoint,
        /// The payload path.
        to: String,
    },
    /// The sum of all; of none 0.
    Sum(Vec<Expression>),
    /// The product of all; of none 1. Nothing behind a 0 is looked at.
    Product(Vec<Expression>),
    /// The greatest of all, of which there must be one.
    Max(Vec<Expression>),
    /// The smallest of all, of which there must be one.
    Min(Vec<Expression>),
    /// One over another; 0 over anything is 0, and the other is not looked at.
    Quotient {
        /// What is divided.
        dividend: Box<Expression>,
        /// By what.
        divisor: Box<Expression>,
        /// The result where the divisor is 0; without, the query fails there.
        by_zero: Option<f64>,
    },
    /// Minus.
    Neg(Box<Expression>),
    /// The absolute value.
    Abs(Box<Expression>),
    /// The square root.
    Sqrt(Box<Expression>),
    /// One to the power of another.
    Power {
        /// What is raised.
        base: Box<Expression>,
        /// To what power.
        exponent: Box<Expression>,
    },
    /// e to the power of it.
    Exp(Box<Expression>),
    /// The natural logarithm.
    Ln(Box<Expression>),
    /// The logarithm to the base 10.
    Log10(Box<Expression>),
    /// The inverse of the hyperbolic cosine: of a number of at least 1, what is not negative.
    Acosh(Box<Expression>),
    /// A number from 1 down to 0 that falls with the distance from a target.
    Decay {
        /// How it falls.
        shape: Decay,
        /// What is near to the target or far.
        x: Box<Expression>,
        /// Where it is 1; 0 if not given.
        target: Option<Box<Expression>>,
        /// At what distance it is `midpoint`; above 0.
        scale: f64,
        /// Between 0 and 1, both excluded.
        midpoint: f64,
    },
}

impl Expression {
    /// A variable, by the name that [`Variable::new`] reads.
    pub fn variable(name: &str) -> Self {
        Expression::Variable(Variable::new(name))
    }

    /// This over another. Fails where the other is 0.
    #[must_use]
    pub fn over(self, divisor: impl Into<Expression>) -> Self {
        Expression::Quotient {
            dividend: Box::new(self),
            divisor: Box::new(divisor.into()),
            by_zero: None,
        }
    }

    /// How near this is to a target: 1 there, 0.5 at the distance `scale`.
    #[must_use]
    pub fn decay(self, shape: Decay, target: impl Into<Expression>, scale: f64) -> Self {
        Expression::Decay {
            shape,
            x: Box::new(self),
            target: Some(Box::new(target.into())),
            scale,
            midpoint: 0.5,
        }
    }
}

impl From<f64> for Expression {
    fn from(number: f64) -> Self {
        Expression::Constant(number)
    }
}

impl From<Condition> for Expression {
    fn from(condition: Condition) -> Self {
        Expression::Condition(Box::new(condition))
    }
}

impl Add for Expression {
    type Output = Expression;

    fn add(self, other: Expression) -> Expression {
        if let Expression::Sum(mut parts) = self {
            parts.push(other);
            return Expression::Sum(parts);
        }
        Expression::Sum(vec![self, other])
    }
}

impl Mul for Expression {
    type Output = Expression;

    fn mul(self, other: Expression) -> Expression {
        Expression::Product(vec![self, other])
    }
}
