//! Formulas.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::expression::Variant;
use vdb::{Datetime, Decay, Expression, Formula, MAX_FORMULA_DEPTH};

use super::rejection::{Rejection, Result, Within, each, required};
use super::{filter, payload};

/// Where a decay without a midpoint has it.
const MIDPOINT: f64 = 0.5;
/// The scale of a decay without one.
const SCALE: f64 = 1.0;

/// The formula of a message.
pub(crate) fn formula(message: proto::Formula) -> Result<Formula> {
    let proto::Formula { expression, defaults } = message;
    let expression = part(required("expression", expression)?, 0).within("expression")?;
    let mut formula = Formula::new(expression);
    for (variable, value) in defaults {
        let value = payload::value(value).within(format_args!("defaults[{variable:?}]"))?;
        formula = formula.default_value(&variable, value);
    }
    Ok(formula)
}

fn part(message: proto::Expression, depth: usize) -> Result<Expression> {
    if depth > MAX_FORMULA_DEPTH {
        let problem = format_args!("nested more than {MAX_FORMULA_DEPTH} deep");
        return Err(Rejection::invalid("", problem));
    }
    let below = |field: &str, inner| part(inner, depth + 1).within(field);
    let boxed = |field: &str, inner: Box<proto::Expression>| below(field, *inner).map(Box::new);
    let must = |field: &str, inner: Option<Box<proto::Expression>>| boxed(field, required(field, inner)?);
    let all = |field: &str, list| each(field, list, |inner| part(inner, depth + 1));
    let decay = |shape, params: proto::DecayParamsExpression| {
        Ok(Expression::Decay {
            shape,
            x: must("x", params.x)?,
            target: params.target.map(|target| boxed("target", target)).transpose()?,
            scale: params.scale.map_or(SCALE, f64::from),
            midpoint: params.midpoint.map_or(MIDPOINT, f64::from),
        })
    };
    Ok(match required("variant", message.variant)? {
        Variant::Constant(number) => Expression::Constant(f64::from(number)),
        Variant::Variable(name) => Expression::variable(&name),
        Variant::Condition(condition) => filter::condition(condition).within("condition")?.into(),
        Variant::GeoDistance(proto::GeoDistance { origin, to }) => Expression::GeoDistance {
            origin: filter::position("geo_distance.origin", origin)?,
            to,
        },
        Variant::Datetime(text) => Expression::Datetime(
            text.parse::<Datetime>()
                .map_err(|error| Rejection::invalid("datetime", error))?,
        ),
        Variant::DatetimeKey(path) => Expression::DatetimeAt(path),
        Variant::Mult(product) => Expression::Product(all("mult", product.mult)?),
        Variant::Sum(sum) => Expression::Sum(all("sum", sum.sum)?),
        Variant::Div(quotient) => Expression::Quotient {
            dividend: must("div.left", quotient.left)?,
            divisor: must("div.right", quotient.right)?,
            by_zero: quotient.by_zero_default.map(f64::from),
        },
        Variant::Neg(inner) => Expression::Neg(boxed("neg", inner)?),
        Variant::Abs(inner) => Expression::Abs(boxed("abs", inner)?),
        Variant::Sqrt(inner) => Expression::Sqrt(boxed("sqrt", inner)?),
        Variant::Pow(power) => Expression::Power {
            base: must("pow.base", power.base)?,
            exponent: must("pow.exponent", power.exponent)?,
        },
        Variant::Exp(inner) => Expression::Exp(boxed("exp", inner)?),
        Variant::Log10(inner) => Expression::Log10(boxed("log10", inner)?),
        Variant::Ln(inner) => Expression::Ln(boxed("ln", inner)?),
        Variant::ExpDecay(params) => decay(Decay::Exponential, *params).within("exp_decay")?,
        Variant::GaussDecay(params) => decay(Decay::Gaussian, *params).within("gauss_decay")?,
        Variant::LinDecay(params) => decay(Decay::Linear, *params).within("lin_decay")?,
        Variant::Acosh(inner) => Expression::Acosh(boxed("acosh", inner)?),
        Variant::Max(of) => Expression::Max(all("max", of.max)?),
        Variant::Min(of) => Expression::Min(all("min", of.min)?),
    })
}

#[cfg(test)]
mod tests;
