//! Formulas.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use vdb::{Datetime, Decay, Expression, Formula, GeoPoint, MAX_FORMULA_DEPTH, MAX_FORMULA_PARTS};

use crate::rest::envelope::{Failure, Part};
use crate::rest::wire::WireFilter;

/// Names of operators, which are the keys of their objects. The last three are of later versions.
const NAMES: [&str; 19] = [
    "sum",
    "mult",
    "neg",
    "abs",
    "sqrt",
    "exp",
    "ln",
    "log10",
    "div",
    "pow",
    "datetime",
    "datetime_key",
    "geo_distance",
    "lin_decay",
    "exp_decay",
    "gauss_decay",
    "acosh",
    "max",
    "min",
];

type Result<T> = std::result::Result<T, Failure>;

fn read<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Failure::format(Part::Body, error))
}

fn wrong(problem: impl std::fmt::Display) -> Failure {
    Failure::format(Part::Body, format_args!("formula: {problem}"))
}

/// Reads a formula and what its variables are where a point has none. `place` is what errors call it.
pub(super) fn read_formula(expression: Value, defaults: Option<Value>, place: &str) -> Result<Formula> {
    let mut reader = Reader {
        place,
        way: Vec::new(),
        parts: 0,
    };
    let mut formula = Formula::new(reader.expression(expression)?);
    let defaults: Option<Map<String, Value>> = read(defaults.unwrap_or(Value::Null))?;
    for (name, value) in defaults.into_iter().flatten() {
        formula = formula.default_value(&name, value);
    }
    Ok(formula)
}

#[derive(Deserialize)]
struct Division {
    left: Value,
    right: Value,
    by_zero_default: Option<f64>,
}

#[derive(Deserialize)]
struct Power {
    base: Value,
    exponent: Value,
}

#[derive(Deserialize)]
struct Place {
    lon: f64,
    lat: f64,
}

#[derive(Deserialize)]
struct Distance {
    origin: Place,
    to: String,
}

#[derive(Deserialize)]
struct DecayBody {
    x: Value,
    target: Option<Value>,
    scale: Option<f64>,
    midpoint: Option<f64>,
}

/// Reads expressions. What is nested is moved out of what is around it, and both its depth and its parts are bounded while it is
/// read.
struct Reader<'a> {
    /// What errors call the formula.
    place: &'a str,
    /// The names, and places in lists, of the expressions around the one that is read.
    way: Vec<(&'static str, Option<usize>)>,
    parts: usize,
}

impl Reader<'_> {
    /// What errors call the expression that is read.
    fn here(&self) -> String {
        let steps = self.way.iter().map(|(name, number)| match number {
            None => format!(".{name}"),
            Some(number) => format!(".{name}[{number}]"),
        });
        std::iter::once(self.place.to_owned()).chain(steps).collect()
    }

    /// An expression within the one that is read.
    fn inner(&mut self, name: &'static str, number: Option<usize>, value: Value) -> Result<Expression> {
        self.way.push((name, number));
        let expression = self.expression(value);
        self.way.pop();
        expression
    }

    fn boxed(&mut self, name: &'static str, value: Value) -> Result<Box<Expression>> {
        self.inner(name, None, value).map(Box::new)
    }

    fn list(&mut self, name: &'static str, value: Value) -> Result<Vec<Expression>> {
        let Value::Array(list) = value else {
            return Err(wrong("expected a list of expressions"));
        };
        let list = list.into_iter().enumerate();
        list.map(|(number, value)| self.inner(name, Some(number), value))
            .collect()
    }

    fn expression(&mut self, value: Value) -> Result<Expression> {
        self.parts += 1;
        if self.parts > MAX_FORMULA_PARTS {
            return Err(wrong(format_args!("it has more than {MAX_FORMULA_PARTS} parts")));
        }
        if self.way.len() >= MAX_FORMULA_DEPTH {
            return Err(wrong(format_args!(
                "it is nested deeper than {MAX_FORMULA_DEPTH} levels"
            )));
        }
        match value {
            Value::Number(number) => number
                .as_f64()
                .map(Expression::Constant)
                .ok_or_else(|| wrong("a number is out of range")),
            Value::String(name) => Ok(Expression::variable(&name)),
            Value::Object(map) => self.object(map),
            Value::Null | Value::Bool(_) | Value::Array(_) => {
                Err(wrong("expected a number, a variable or an object"))
            }
        }
    }

    /// An operator, or else a condition. Other keys beside that of an operator are not minded.
    fn object(&mut self, mut map: Map<String, Value>) -> Result<Expression> {
        let on_field = map.contains_key("key");
        let operator = NAMES
            .into_iter()
            .find(|name| !on_field && map.contains_key(*name));
        let Some(name) = operator else {
            return self.condition(map);
        };
        let inner = map.shift_remove(name).unwrap_or_default();
        match name {
            "sum" => Ok(Expression::Sum(self.list(name, inner)?)),
            "mult" => Ok(Expression::Product(self.list(name, inner)?)),
            "neg" => Ok(Expression::Neg(self.boxed(name, inner)?)),
            "abs" => Ok(Expression::Abs(self.boxed(name, inner)?)),
            "sqrt" => Ok(Expression::Sqrt(self.boxed(name, inner)?)),
            "exp" => Ok(Expression::Exp(self.boxed(name, inner)?)),
            "ln" => Ok(Expression::Ln(self.boxed(name, inner)?)),
            "log10" => Ok(Expression::Log10(self.boxed(name, inner)?)),
            "acosh" => Ok(Expression::Acosh(self.boxed(name, inner)?)),
            "max" => Ok(Expression::Max(self.list(name, inner)?)),
            "min" => Ok(Expression::Min(self.list(name, inner)?)),
            "div" => {
                let division: Division = read(inner)?;
                Ok(Expression::Quotient {
                    dividend: self.boxed("div.left", division.left)?,
                    divisor: self.boxed("div.right", division.right)?,
                    by_zero: division.by_zero_default,
                })
            }
            "pow" => {
                let power: Power = read(inner)?;
                Ok(Expression::Power {
                    base: self.boxed("pow.base", power.base)?,
                    exponent: self.boxed("pow.exponent", power.exponent)?,
                })
            }
            "datetime" => {
                let text: String = read(inner)?;
                let at = Datetime::parse(&text);
                at.map(Expression::Datetime)
                    .ok_or_else(|| wrong(format_args!("{text:?} is no datetime")))
            }
            "datetime_key" => Ok(Expression::DatetimeAt(read(inner)?)),
            "geo_distance" => {
                let distance: Distance = read(inner)?;
                let origin = GeoPoint::new(distance.origin.lon, distance.origin.lat);
                Ok(Expression::GeoDistance {
                    origin: origin.ok_or_else(|| wrong("the origin of a geo_distance is out of range"))?,
                    to: distance.to,
                })
            }
            "lin_decay" => self.decay(Decay::Linear, ["lin_decay.x", "lin_decay.target"], inner),
            "exp_decay" => self.decay(Decay::Exponential, ["exp_decay.x", "exp_decay.target"], inner),
            _ => self.decay(Decay::Gaussian, ["gauss_decay.x", "gauss_decay.target"], inner),
        }
    }

    /// A decay, and what its expressions are called.
    fn decay(&mut self, shape: Decay, [x, target]: [&'static str; 2], value: Value) -> Result<Expression> {
        let body: DecayBody = read(value)?;
        Ok(Expression::Decay {
            shape,
            x: self.boxed(x, body.x)?,
            target: body
                .target
                .filter(|target| !target.is_null())
                .map(|value| self.boxed(target, value))
                .transpose()?,
            scale: body.scale.unwrap_or(1.0),
            midpoint: body.midpoint.unwrap_or(0.5),
        })
    }

    fn condition(&self, map: Map<String, Value>) -> Result<Expression> {
        let filter = WireFilter::from_condition(Value::Object(map)).map_err(wrong)?;
        let condition = filter.filter(&self.here())?.must.into_iter().next();
        condition
            .map(Expression::from)
            .ok_or_else(|| wrong("expected a condition"))
    }
}

#[cfg(test)]
mod tests;
