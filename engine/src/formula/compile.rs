//! From the formula as it was written to the formula as it is run.

use std::collections::HashMap;

use serde_json::Value;

use super::ast::{Decay, Expression, Formula, Variable};
use crate::error::{Error, Result, within};
use crate::filter::{CompiledFilter, Datetime, FILTER_PATHS, Filter, GeoPoint, PayloadPath, TextFields};
use crate::limits::{MAX_FILTER_PATH_BYTES, MAX_FORMULA_DEPTH, MAX_FORMULA_PARTS};

const MICROS_PER_SECOND: f64 = 1e6;

/// A formula that was checked, and made ready to be evaluated many times.
#[derive(Debug)]
pub(crate) struct CompiledFormula {
    pub(super) root: Part,
}

#[derive(Debug)]
pub(super) enum Part {
    Constant(f64),
    Score {
        prefetch: usize,
        default: f64,
    },
    Number {
        path: PayloadPath,
        default: Option<f64>,
    },
    Condition(CompiledFilter),
    /// Seconds.
    DatetimeAt {
        path: PayloadPath,
        default: Option<f64>,
    },
    GeoDistance {
        origin: GeoPoint,
        path: PayloadPath,
        default: Option<GeoPoint>,
    },
    Sum(Vec<Part>),
    Product(Vec<Part>),
    Max(Vec<Part>),
    Min(Vec<Part>),
    Quotient {
        dividend: Box<Part>,
        divisor: Box<Part>,
        by_zero: Option<f64>,
    },
    Neg(Box<Part>),
    Abs(Box<Part>),
    Sqrt(Box<Part>),
    Power {
        base: Box<Part>,
        exponent: Box<Part>,
    },
    Exp(Box<Part>),
    Ln(Box<Part>),
    Log10(Box<Part>),
    Acosh(Box<Part>),
    Decay {
        shape: Decay,
        x: Box<Part>,
        target: Option<Box<Part>>,
        scale: f64,
        midpoint: f64,
    },
}

/// Seconds since 1970 UTC.
pub(super) fn seconds(at: Datetime) -> f64 {
    at.micros() as f64 / MICROS_PER_SECOND
}

impl CompiledFormula {
    /// Checks and prepares a formula.
    pub(crate) fn new(formula: &Formula, texts: &dyn TextFields) -> Result<Self> {
        let mut scores = HashMap::new();
        let mut values = HashMap::new();
        for (variable, value) in &formula.defaults {
            match variable {
                Variable::Score(prefetch) => {
                    scores.insert(*prefetch, number(variable, value)?);
                }
                Variable::Payload(path) => {
                    values.insert(PayloadPath::parse(path)?, value);
                }
            }
        }
        let mut compiler = Compiler {
            texts,
            scores,
            values,
            parts: 0,
            path_bytes: 0,
        };
        Ok(CompiledFormula {
            root: compiler.part(&formula.expression, 1)?,
        })
    }
}

fn invalid(what: String) -> Error {
    Error::InvalidRequest(format!("formula: {what}"))
}

fn number(variable: &Variable, value: &Value) -> Result<f64> {
    let wrong = || invalid(format!("the default of {variable} must be a number, got {value}"));
    value.as_f64().ok_or_else(wrong)
}

/// A number that the caller wrote.
fn finite(what: &str, number: f64) -> Result<f64> {
    if number.is_finite() {
        Ok(number)
    } else {
        Err(invalid(format!("{what} must be a finite number, got {number}")))
    }
}

struct Compiler<'a> {
    texts: &'a dyn TextFields,
    scores: HashMap<usize, f64>,
    values: HashMap<PayloadPath, &'a Value>,
    parts: usize,
    /// Of the paths of all conditions.
    path_bytes: usize,
}

impl Compiler<'_> {
    fn boxed(&mut self, expression: &Expression, depth: usize) -> Result<Box<Part>> {
        self.part(expression, depth).map(Box::new)
    }

    fn all(&mut self, expressions: &[Expression], depth: usize) -> Result<Vec<Part>> {
        expressions.iter().map(|one| self.part(one, depth)).collect()
    }

    /// As [`all`](Self::all), where there must be one.
    fn some(&mut self, what: &str, expressions: &[Expression], depth: usize) -> Result<Vec<Part>> {
        if expressions.is_empty() {
            return Err(invalid(format!(
                "{what} of nothing: give it at least one expression"
            )));
        }
        self.all(expressions, depth)
    }

    /// The part at a depth from 1.
    fn part(&mut self, expression: &Expression, depth: usize) -> Result<Part> {
        within("levels of a formula", MAX_FORMULA_DEPTH, depth)?;
        self.parts += 1;
        within("parts of a formula", MAX_FORMULA_PARTS, self.parts)?;
        let below = depth + 1;
        Ok(match expression {
            Expression::Constant(number) => Part::Constant(finite("a constant", *number)?),
            Expression::Variable(Variable::Score(prefetch)) => Part::Score {
                prefetch: *prefetch,
                default: self.scores.get(prefetch).copied().unwrap_or(0.0),
            },
            Expression::Variable(variable @ Variable::Payload(path)) => {
                let path = PayloadPath::parse(path)?;
                let default = self.values.get(&path);
                let default = default.map(|value| number(variable, value)).transpose()?;
                Part::Number { path, default }
            }
            Expression::Condition(condition) => {
                let filter = CompiledFilter::new(&Filter::must([condition.as_ref().clone()]), self.texts)?;
                self.path_bytes += filter.path_bytes;
                within(FILTER_PATHS, MAX_FILTER_PATH_BYTES, self.path_bytes)?;
                Part::Condition(filter)
            }
            Expression::Datetime(at) => Part::Constant(seconds(*at)),
            Expression::DatetimeAt(path) => self.datetime(path)?,
            Expression::GeoDistance { origin, to } => self.geo_distance(*origin, to)?,
            Expression::Sum(parts) => Part::Sum(self.all(parts, below)?),
            Expression::Product(parts) => Part::Product(self.all(parts, below)?),
            Expression::Max(parts) => Part::Max(self.some("max", parts, below)?),
            Expression::Min(parts) => Part::Min(self.some("min", parts, below)?),
            Expression::Quotient {
                dividend,
                divisor,
                by_zero,
            } => Part::Quotient {
                dividend: self.boxed(dividend, below)?,
                divisor: self.boxed(divisor, below)?,
                by_zero: by_zero
                    .map(|number| finite("a quotient by zero", number))
                    .transpose()?,
            },
            Expression::Neg(x) => Part::Neg(self.boxed(x, below)?),
            Expression::Abs(x) => Part::Abs(self.boxed(x, below)?),
            Expression::Sqrt(x) => Part::Sqrt(self.boxed(x, below)?),
            Expression::Power { base, exponent } => Part::Power {
                base: self.boxed(base, below)?,
                exponent: self.boxed(exponent, below)?,
            },
            Expression::Exp(x) => Part::Exp(self.boxed(x, below)?),
            Expression::Ln(x) => Part::Ln(self.boxed(x, below)?),
            Expression::Log10(x) => Part::Log10(self.boxed(x, below)?),
            Expression::Acosh(x) => Part::Acosh(self.boxed(x, below)?),
            Expression::Decay {
                shape,
                x,
                target,
                scale,
                midpoint,
            } => {
                let (scale, midpoint) = (*scale, *midpoint);
                if finite("the scale of a decay", scale)? <= 0.0 {
                    return Err(invalid(format!(
                        "the scale of a decay must be above 0, got {scale}"
                    )));
                }
                if !(midpoint > 0.0 && midpoint < 1.0) {
                    let what = format!("the midpoint of a decay must be between 0 and 1, got {midpoint}");
                    return Err(invalid(what));
                }
                let target = target.as_ref().map(|target| self.boxed(target, below));
                Part::Decay {
                    shape: *shape,
                    target: target.transpose()?,
                    x: self.boxed(x, below)?,
                    scale,
                    midpoint,
                }
            }
        })
    }

    fn datetime(&self, path: &str) -> Result<Part> {
        let path = PayloadPath::parse(path)?;
        let read = |value: &&Value| {
            let at = value.as_str().and_then(Datetime::parse);
            let wrong = || invalid(format!("the default of {path} must be a datetime, got {value}"));
            at.map(seconds).ok_or_else(wrong)
        };
        let default = self.values.get(&path).map(read).transpose()?;
        Ok(Part::DatetimeAt { path, default })
    }

    fn geo_distance(&self, origin: GeoPoint, to: &str) -> Result<Part> {
        let Some(origin) = GeoPoint::new(origin.lon, origin.lat) else {
            let what = format!("{origin:?} is no place: lon goes from -180 to 180, lat from -90 to 90");
            return Err(invalid(what));
        };
        let path = PayloadPath::parse(to)?;
        let read = |value: &&Value| {
            let part = |name| value.get(name).and_then(Value::as_f64);
            let place = part("lon").zip(part("lat"));
            let place = place.and_then(|(lon, lat)| GeoPoint::new(lon, lat));
            let wrong = || {
                invalid(format!(
                    "the default of {path} must be an object of lon and lat, got {value}"
                ))
            };
            place.ok_or_else(wrong)
        };
        let default = self.values.get(&path).map(read).transpose()?;
        Ok(Part::GeoDistance {
            origin,
            path,
            default,
        })
    }
}
