//! One point's score.

use vdb_storage::PointId;
use vdb_storage::payload::ValueRef;

use super::ast::Decay;
use super::compile::{CompiledFormula, Part, seconds};
use crate::error::{Error, Result};
use crate::filter::{
    Datetime, GeoPoint, PayloadPath, PointSource, Undecided, find_node, find_value, go_on, number_of,
};

/// A point that a formula is evaluated for.
pub(crate) struct Subject<'a> {
    pub(crate) point: &'a dyn PointSource,
    /// What each prefetch gave it; `None` where it was not found.
    pub(crate) scores: &'a [Option<f32>],
}

impl CompiledFormula {
    /// The score of a point.
    ///
    /// # Errors
    /// A variable without value and default; a step whose result is no finite number; damage; [`Error::Cancelled`] where the
    /// point does not [go on](PointSource::goes_on).
    pub(crate) fn score(&self, subject: &Subject<'_>) -> Result<f32> {
        let exact = self.root.value(subject)?;
        let score = exact as f32;
        if score.is_finite() {
            return Ok(score);
        }
        Err(failed(
            subject.point.id(),
            &format!("the score {exact} is no finite number"),
        ))
    }
}

fn failed(id: PointId, what: &str) -> Error {
    Error::InvalidRequest(format!("formula: point {id}: {what}"))
}

impl Part {
    fn value(&self, subject: &Subject<'_>) -> Result<f64> {
        go_on(subject.point, 0)?;
        match self {
            Part::Constant(number) => Ok(*number),
            Part::Score { prefetch, default } => {
                let score = subject.scores.get(*prefetch).copied().flatten();
                Ok(score.map_or(*default, f64::from))
            }
            Part::Number { path, default } => {
                let found = subject.first(path, number_of)?.or(*default);
                found.ok_or_else(|| subject.lacks("number", path))
            }
            Part::Condition(condition) => Ok(f64::from(u8::from(condition.matches(subject.point)?))),
            Part::DatetimeAt { path, default } => {
                let found = subject.first(path, datetime)?.or(*default);
                found.ok_or_else(|| subject.lacks("datetime", path))
            }
            Part::GeoDistance {
                origin,
                path,
                default,
            } => {
                let place = subject.place(path)?.or(*default);
                let place = place.ok_or_else(|| subject.lacks("place", path))?;
                Ok(origin.distance(place))
            }
            Part::Sum(parts) => parts.iter().try_fold(0.0, |sum, part| {
                let x = part.value(subject)?;
                subject.finite(sum + x, || format!("{sum} + {x}"))
            }),
            Part::Product(parts) => {
                let mut product = 1.0;
                for part in parts {
                    let x = part.value(subject)?;
                    product = subject.finite(product * x, || format!("{product} * {x}"))?;
                    if product == 0.0 {
                        break;
                    }
                }
                Ok(product)
            }
            Part::Max(parts) => subject.extreme(parts, f64::NEG_INFINITY, f64::max),
            Part::Min(parts) => subject.extreme(parts, f64::INFINITY, f64::min),
            Part::Quotient {
                dividend,
                divisor,
                by_zero,
            } => {
                let dividend = dividend.value(subject)?;
                if dividend == 0.0 {
                    return Ok(0.0);
                }
                let divisor = divisor.value(subject)?;
                match by_zero {
                    Some(result) if divisor == 0.0 => Ok(*result),
                    Some(_) | None => {
                        subject.finite(dividend / divisor, || format!("{dividend} / {divisor}"))
                    }
                }
            }
            Part::Neg(x) => Ok(-x.value(subject)?),
            Part::Abs(x) => Ok(x.value(subject)?.abs()),
            Part::Sqrt(x) => {
                let x = x.value(subject)?;
                subject.finite(x.sqrt(), || format!("the root of {x}"))
            }
            Part::Power { base, exponent } => {
                let (base, exponent) = (base.value(subject)?, exponent.value(subject)?);
                subject.finite(base.powf(exponent), || {
                    format!("{base} to the power of {exponent}")
                })
            }
            Part::Exp(x) => {
                let x = x.value(subject)?;
                subject.finite(x.exp(), || format!("e to the power of {x}"))
            }
            Part::Ln(x) => {
                let x = x.value(subject)?;
                subject.finite(x.ln(), || format!("the logarithm of {x}"))
            }
            Part::Log10(x) => {
                let x = x.value(subject)?;
                subject.finite(x.log10(), || format!("the logarithm of {x}"))
            }
            Part::Acosh(x) => {
                let x = x.value(subject)?;
                subject.finite(x.acosh(), || format!("the inverse hyperbolic cosine of {x}"))
            }
            Part::Decay {
                shape,
                x,
                target,
                scale,
                midpoint,
            } => {
                let x = x.value(subject)?;
                let target = match target {
                    Some(target) => target.value(subject)?,
                    None => 0.0,
                };
                let far = (x - target).abs() / scale;
                let value = match shape {
                    // Unlike `max`, this leaves NaN what it is.
                    Decay::Linear => (1.0 - (1.0 - midpoint) * far).clamp(0.0, 1.0),
                    Decay::Exponential => midpoint.powf(far),
                    Decay::Gaussian => midpoint.powf(far * far),
                };
                subject.finite(value, || format!("the decay of {x} from {target}"))
            }
        }
    }
}

impl Subject<'_> {
    fn finite(&self, value: f64, what: impl FnOnce() -> String) -> Result<f64> {
        if value.is_finite() {
            return Ok(value);
        }
        Err(failed(
            self.point.id(),
            &format!("{} is no finite number", what()),
        ))
    }

    /// Of all values the one that `better` prefers; values are finite, as every step makes sure of.
    fn extreme(&self, parts: &[Part], start: f64, better: fn(f64, f64) -> f64) -> Result<f64> {
        parts
            .iter()
            .try_fold(start, |best, part| Ok(better(best, part.value(self)?)))
    }

    fn lacks(&self, what: &str, path: &PayloadPath) -> Error {
        failed(
            self.point.id(),
            &format!("there is no {what} at {path}, and no default for it"),
        )
    }

    /// The first value at a path that can be read so.
    fn first(&self, path: &PayloadPath, read: impl Fn(ValueRef<'_>) -> Option<f64>) -> Result<Option<f64>> {
        let mut found = None;
        let payload = self.point.payload()?;
        go_on(self.point, payload.bytes())?;
        find_value(payload, path.steps(), &mut |value| {
            go_on(self.point, 0)?;
            found = read(value);
            Ok::<_, Undecided>(found.is_some())
        })?;
        Ok(found)
    }

    /// The first place at a path: an object of `lon` and `lat`, or one in a list.
    fn place(&self, path: &PayloadPath) -> Result<Option<GeoPoint>> {
        let mut found = None;
        let payload = self.point.payload()?;
        go_on(self.point, payload.bytes())?;
        find_node(payload, path.steps(), &mut |node| {
            let ValueRef::Array(items) = node else {
                go_on(self.point, 0)?;
                found = GeoPoint::of(node)?;
                return Ok::<_, Undecided>(found.is_some());
            };
            for item in items {
                go_on(self.point, 0)?;
                found = GeoPoint::of(item?)?;
                if found.is_some() {
                    break;
                }
            }
            Ok(found.is_some())
        })?;
        Ok(found)
    }
}

/// Seconds since 1970 UTC.
fn datetime(value: ValueRef<'_>) -> Option<f64> {
    let ValueRef::Str(text) = value else { return None };
    Datetime::parse(text).map(seconds)
}

#[cfg(test)]
mod tests;
