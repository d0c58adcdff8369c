//! Conditions, and the indexes that they need.

use std::collections::BTreeSet;

use super::{Strict, refused};
use crate::compose::sort::SortKey;
use crate::compose::value::ValueKind;
use crate::error::Result;
use crate::filter::{Condition, Filter, MatchValue, PayloadPath, Predicate, ValueList};
use crate::formula::{Expression, Formula, Variable};
use crate::limits::{MAX_FILTER_DEPTH, MAX_FORMULA_DEPTH};
use crate::payload::{PayloadIndexKind, PayloadIndexOptions};
use crate::tables::Tables;

use PayloadIndexKind::{Datetime, Float, Geo, Integer, Keyword, Text, Uuid};

/// Which switch says whether indexes of a field must be there.
#[derive(Clone, Copy)]
pub(super) enum For {
    Read,
    Write,
}

/// What an index is wanted for.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Lookup,
    Range,
    /// Anything: an index of any kind tells who has values.
    Presence,
}

/// The kinds of indexes that serve a predicate, and for what.
fn wanted(predicate: &Predicate) -> Wanted {
    match predicate {
        Predicate::Value(MatchValue::String(text)) => of_strings(std::slice::from_ref(text)),
        Predicate::Any(ValueList::Strings(texts)) | Predicate::Except(ValueList::Strings(texts)) => {
            of_strings(texts)
        }
        Predicate::Value(MatchValue::Integer(_))
        | Predicate::Any(ValueList::Integers(_))
        | Predicate::Except(ValueList::Integers(_)) => (&[Integer], Use::Lookup),
        Predicate::Value(MatchValue::Bool(_)) => (&[PayloadIndexKind::Bool], Use::Lookup),
        Predicate::Prefix(_) | Predicate::Substring(_) => (&[Keyword], Use::Lookup),
        Predicate::Text(_) | Predicate::TextAny(_) | Predicate::Phrase(_) => (&[Text], Use::Lookup),
        Predicate::Range(_) => (&[Integer, Float], Use::Range),
        Predicate::Datetime(_) => (&[Datetime], Use::Range),
        Predicate::GeoBoundingBox(_) | Predicate::GeoRadius(_) | Predicate::GeoPolygon(_) => {
            (&[Geo], Use::Lookup)
        }
        Predicate::ValuesCount(_) | Predicate::IsEmpty(_) | Predicate::IsNull(_) => {
            (&PayloadIndexKind::ALL, Use::Presence)
        }
    }
}

/// What serves a look-up of texts: an index of UUIDs knows nothing else.
fn of_strings(texts: &[String]) -> Wanted {
    if texts.iter().all(|text| uuid::Uuid::try_parse(text).is_ok()) {
        (&[Keyword, Uuid], Use::Lookup)
    } else {
        (&[Keyword], Use::Lookup)
    }
}

/// Values in the list of a condition.
fn size(condition: &Condition) -> usize {
    match condition {
        Condition::HasId(ids) => ids.len(),
        Condition::Field {
            predicate: Predicate::Any(list) | Predicate::Except(list),
            ..
        } => match list {
            ValueList::Strings(list) => list.len(),
            ValueList::Integers(list) => list.len(),
        },
        Condition::Field { .. }
        | Condition::IsEmpty { .. }
        | Condition::IsNull { .. }
        | Condition::HasVector(_)
        | Condition::Slice(_)
        | Condition::Nested { .. }
        | Condition::Filter(_) => 0,
    }
}

fn conditions(filter: &Filter) -> impl Iterator<Item = &Condition> {
    let Filter {
        must,
        should,
        must_not,
        min_should,
    } = filter;
    let least = min_should.iter().flat_map(|least| &least.conditions);
    must.iter()
        .chain(should.iter().flatten())
        .chain(must_not)
        .chain(least)
}

/// Kinds of indexes of which one must be there, and for what.
type Wanted = (&'static [PayloadIndexKind], Use);

/// What is seen of a filter: a condition, and the whole path of its field with what would serve it, if it is about one.
type See<'a> = &'a mut dyn FnMut(&Condition, Option<(&PayloadPath, Wanted)>) -> Result<()>;

/// Shows every condition of a filter, those that hold others before these.
fn each(filter: &Filter, within: Option<&PayloadPath>, depth: usize, see: See<'_>) -> Result<()> {
    // No deeper one is run.
    if depth >= MAX_FILTER_DEPTH {
        return Ok(());
    }
    // What a path that is not valid comes to is said by whoever runs the filter.
    let parse = |path: &str| PayloadPath::parse(path).ok();
    let whole = |path: PayloadPath| match within {
        Some(within) => within.join(&path),
        None => path,
    };
    for condition in conditions(filter) {
        let field = match condition {
            Condition::Filter(inner) => {
                see(condition, None)?;
                each(inner, within, depth + 1, see)?;
                continue;
            }
            Condition::Nested { path, filter } => {
                see(condition, None)?;
                if let Some(path) = parse(path) {
                    let whole = whole(path.into_array());
                    each(filter, Some(&whole), depth + 1, see)?;
                }
                continue;
            }
            Condition::Field { path, predicate } => parse(path).map(|path| (whole(path), wanted(predicate))),
            Condition::IsEmpty { path } | Condition::IsNull { path } => {
                let wanted: Wanted = (&PayloadIndexKind::ALL, Use::Presence);
                parse(path).map(|path| (whole(path), wanted))
            }
            Condition::HasId(_) | Condition::HasVector(_) | Condition::Slice(_) => None,
        };
        see(condition, field.as_ref().map(|(path, wanted)| (path, *wanted)))?;
    }
    Ok(())
}

/// Whether there is an index of a path that serves what is wanted.
fn is_indexed(tables: &Tables, path: &str, (kinds, use_of): Wanted) -> bool {
    let says = |options: Option<&PayloadIndexOptions>| match (use_of, options) {
        (Use::Lookup, Some(options)) => options.lookup != Some(false),
        (Use::Range, Some(options)) => options.range != Some(false),
        (Use::Presence, _) | (_, None) => true,
    };
    tables.schema.payload_indexes.iter().any(|index| {
        index.path == path && kinds.contains(&index.params.kind) && says(index.params.options.as_ref())
    })
}

/// The fields of a filter that no index serves, each with the kinds of which one would.
pub(crate) fn unindexed(tables: &Tables, filter: &Filter) -> Vec<(String, Vec<PayloadIndexKind>)> {
    let mut found: Vec<(String, Vec<PayloadIndexKind>)> = Vec::new();
    let mut known = BTreeSet::new();
    // Nothing is refused here.
    let _ = each(filter, None, 0, &mut |_, field| {
        let Some((path, wanted)) = field else {
            return Ok(());
        };
        let path = path.to_string();
        if !known.contains(&path) && !is_indexed(tables, &path, wanted) {
            found.push((path.clone(), wanted.0.to_vec()));
        }
        known.insert(path);
        Ok(())
    });
    found
}

impl Strict<'_> {
    /// Checks a filter. What is wrong with it otherwise is said by whoever runs it.
    pub(super) fn filter(&self, filter: &Filter, to: For) -> Result<()> {
        let (mut found, mut largest) = (0, 0);
        each(filter, None, 0, &mut |condition, _| {
            largest = largest.max(size(condition));
            if !matches!(condition, Condition::Filter(_) | Condition::Nested { .. }) {
                found += 1;
            }
            Ok(())
        })?;
        // What an index would not mend is said first.
        let over = |most: Option<u64>, found: usize| most.filter(|most| found as u64 > *most);
        if let Some(most) = over(self.limits.filter_max_conditions, found) {
            return Err(refused(
                "filter_max_conditions",
                format!("Filter condition limit reached ({found} > {most})"),
                "Reduce the amount of conditions of your filter.",
            ));
        }
        if let Some(most) = over(self.limits.condition_max_size, largest) {
            return Err(refused(
                "condition_max_size",
                format!("Condition size limit reached ({largest} > {most})"),
                "Reduce the size of your condition.",
            ));
        }
        each(filter, None, 0, &mut |_, field| {
            field.map_or(Ok(()), |(path, wanted)| self.indexed(path, wanted, to))
        })
    }

    /// Refuses a field without an index that fits, where there must be one.
    fn indexed_at(&self, path: &str, wanted: Wanted) -> Result<()> {
        let path = PayloadPath::parse(path);
        path.map_or(Ok(()), |path| self.indexed(&path, wanted, For::Read))
    }

    fn indexed(&self, path: &PayloadPath, wanted: Wanted, to: For) -> Result<()> {
        let (limit, allowed) = match to {
            For::Read => (
                "unindexed_filtering_retrieve",
                self.limits.unindexed_filtering_retrieve,
            ),
            For::Write => (
                "unindexed_filtering_update",
                self.limits.unindexed_filtering_update,
            ),
        };
        if allowed != Some(false) {
            return Ok(());
        }
        let path = path.to_string();
        if is_indexed(self.tables, &path, wanted) {
            return Ok(());
        }
        let mut names: Vec<&str> = wanted.0.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        let names = names.join(", ");
        Err(refused(
            limit,
            format!("Index required but not found for \"{path}\" of one of the following types: [{names}]"),
            "Create an index for this key or use a different filter.",
        ))
    }

    /// Refuses an order by a field without an index.
    pub(super) fn ordered(&self, path: &str) -> Result<()> {
        self.indexed_at(path, (&[Integer, Float, Datetime], Use::Range))
    }

    /// Refuses a key of an order without an index of what counts in it.
    pub(super) fn sorted(&self, key: &SortKey) -> Result<()> {
        let wanted: Wanted = match key.kind {
            ValueKind::Any => (&PayloadIndexKind::ALL, Use::Presence),
            ValueKind::Numbers => (&[Integer, Float], Use::Range),
            ValueKind::Datetimes => (&[Datetime], Use::Range),
            ValueKind::Strings => (&[Keyword, Uuid], Use::Lookup),
        };
        self.indexed_at(&key.path, wanted)
    }

    /// Refuses groups by a field without an index that knows its values.
    pub(super) fn grouped(&self, path: &str) -> Result<()> {
        let path = match PayloadPath::parse(path) {
            Ok(path) if self.limits.unindexed_filtering_retrieve == Some(false) => path.to_string(),
            Ok(_) | Err(_) => return Ok(()),
        };
        let kinds: Wanted = (&[Keyword, Integer, Uuid, PayloadIndexKind::Bool], Use::Lookup);
        if is_indexed(self.tables, &path, kinds) {
            return Ok(());
        }
        let mut indexes = self.tables.schema.payload_indexes.iter();
        let what = match indexes.find(|index| index.path == path) {
            Some(index) => format!("Index of type \"{:?}\" found for \"{path}\"", index.params.kind),
            None => format!("Index required but not found for \"{path}\""),
        };
        Err(refused(
            "unindexed_filtering_retrieve",
            what,
            "Create an index supporting `match` for this key.",
        ))
    }

    /// Whether a filter has a condition on a field whose index says that its values are tenants.
    pub(super) fn names_tenant(&self, filter: &Filter) -> bool {
        let indexes = &self.tables.schema.payload_indexes;
        let mut found = false;
        // Nothing is refused here.
        let _ = each(filter, None, 0, &mut |_, field| {
            if let Some((path, _)) = field {
                let path = path.to_string();
                found |= indexes.iter().any(|index| {
                    let options = index.params.options.as_ref();
                    index.path == path && options.is_some_and(|options| options.is_tenant == Some(true))
                });
            }
            Ok(())
        });
        found
    }

    /// Checks the fields and conditions of a formula.
    pub(super) fn formula(&self, formula: &Formula) -> Result<()> {
        self.expression(&formula.expression, 0)
    }

    fn expression(&self, expression: &Expression, depth: usize) -> Result<()> {
        if depth >= MAX_FORMULA_DEPTH {
            return Ok(());
        }
        let part = |part: &Expression| self.expression(part, depth + 1);
        match expression {
            Expression::Constant(_) | Expression::Datetime(_) | Expression::Variable(Variable::Score(_)) => {
                Ok(())
            }
            Expression::Variable(Variable::Payload(path)) => {
                self.indexed_at(path, (&[Integer, Float], Use::Lookup))
            }
            Expression::DatetimeAt(path) => self.indexed_at(path, (&[Datetime], Use::Lookup)),
            Expression::GeoDistance { to, .. } => self.indexed_at(to, (&[Geo], Use::Lookup)),
            Expression::Condition(condition) => {
                self.filter(&Filter::must([(**condition).clone()]), For::Read)
            }
            Expression::Sum(parts)
            | Expression::Product(parts)
            | Expression::Max(parts)
            | Expression::Min(parts) => parts.iter().try_for_each(part),
            Expression::Quotient {
                dividend, divisor, ..
            } => part(dividend).and_then(|()| part(divisor)),
            Expression::Power { base, exponent } => part(base).and_then(|()| part(exponent)),
            Expression::Neg(of)
            | Expression::Abs(of)
            | Expression::Sqrt(of)
            | Expression::Exp(of)
            | Expression::Ln(of)
            | Expression::Log10(of)
            | Expression::Acosh(of) => part(of),
            Expression::Decay { x, target, .. } => {
                part(x)?;
                target.as_deref().map_or(Ok(()), part)
            }
        }
    }
}
