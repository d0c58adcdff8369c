//! From the filter as it was written to the filter as it is run: paths parsed, lists sorted, limits checked.

use uuid::Uuid;
use vdb_storage::PointId;

use crate::limits::{
    MAX_FILTER_CONDITIONS, MAX_FILTER_DEPTH, MAX_FILTER_PATH_BYTES, MAX_FILTER_VALUES, MAX_PHRASE_TOKENS,
};

use super::{
    ast::{Condition, Filter, Limits, MatchValue, Predicate, ValueList},
    datetime::Datetime,
    error::{FilterError, Place},
    geo::Area,
    path::PayloadPath,
    slice::Slice,
    text::{TextFields, TextTest, Wanted},
    uuid::uuids_of,
};

/// What [`MAX_FILTER_DEPTH`] limits.
pub(super) const FILTER_DEPTH: &str = "levels of filters within a filter";
/// What [`MAX_FILTER_CONDITIONS`] limits.
pub(super) const FILTER_CONDITIONS: &str = "conditions in a filter";
/// What [`MAX_FILTER_VALUES`] limits.
pub(super) const FILTER_VALUES: &str = "values in the lists of a filter";
/// What [`MAX_FILTER_PATH_BYTES`] limits.
pub(crate) const FILTER_PATHS: &str =
    "bytes of the paths of a filter, each with those of nested conditions around it";

/// A filter that was checked and made ready to be evaluated many times.
///
/// What it holds it owns: it can be shared between threads and outlive the [`Filter`] it was made from.
#[derive(Debug, Clone)]
pub(crate) struct CompiledFilter {
    pub(crate) root: Clauses,
    /// What its paths take in memory, each with those around it.
    pub(crate) path_bytes: usize,
}

impl CompiledFilter {
    /// Checks and prepares `filter`. What conditions on texts mean depends on which paths have indexes of texts or of UUIDs: that
    /// is settled here, whatever becomes of the indexes.
    ///
    /// # Errors
    /// [`FilterError::Invalid`] for a malformed path, an area or slice that is none, and `min_count` 0; [`FilterError::Limit`] beyond
    /// [`MAX_FILTER_DEPTH`], [`MAX_FILTER_CONDITIONS`], [`MAX_FILTER_VALUES`] or [`MAX_FILTER_PATH_BYTES`], and for a polygon or a
    /// phrase too large.
    pub(crate) fn new(filter: &Filter, texts: &dyn TextFields) -> Result<Self, FilterError> {
        let mut compiler = Compiler {
            texts,
            depth: 0,
            conditions: 0,
            values: 0,
            path_bytes: 0,
        };
        let root = compiler.clauses(filter, None, &Place::ROOT)?;
        Ok(Self {
            root,
            path_bytes: compiler.path_bytes,
        })
    }

    /// Whether this filter has no condition at all, so that every point matches.
    #[must_use]
    pub(crate) fn is_unconditional(&self) -> bool {
        let Clauses {
            must,
            should,
            must_not,
            min_should,
        } = &self.root;
        must.is_empty() && should.is_none() && must_not.is_empty() && min_should.is_none()
    }
}

/// The clauses of a filter. Those that do not constrain are gone: a `should` that is there and empty holds for
/// nothing.
#[derive(Debug, Clone)]
pub(crate) struct Clauses {
    pub(crate) must: Vec<Node>,
    pub(crate) should: Option<Vec<Node>>,
    pub(crate) must_not: Vec<Node>,
    pub(crate) min_should: Option<(Vec<Node>, usize)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Field(Field),
    /// Sorted.
    HasId(Vec<PointId>),
    HasVector(String),
    Slice(Slice),
    Nested {
        /// Ends in `[]`.
        path: PayloadPath,
        clauses: Clauses,
    },
    Filter(Clauses),
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// From the root of the payload, or from the object of the innermost nested condition around.
    pub(crate) path: PayloadPath,
    /// The canonical text of the path from the root of the payload: what an index would be found by.
    pub(crate) full_path: String,
    pub(crate) test: Test,
}

#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// Some value passes.
    Value(ValueTest),
    /// The number of values is within the limits.
    Count(Limits<u64>),
    /// Whether there is nothing but nulls and empty arrays.
    Empty(bool),
    /// Whether some value is null.
    Null(bool),
    /// The texts have the tokens that are wanted.
    Text(TextTest),
}

/// What one value has to be.
#[derive(Debug, Clone)]
pub(crate) enum ValueTest {
    String(String),
    Integer(i64),
    Bool(bool),
    /// Sorted, without repeats; so are the other lists.
    AnyString(Vec<String>),
    AnyInteger(Vec<i64>),
    ExceptString(Vec<String>),
    ExceptInteger(Vec<i64>),
    /// A string that spells one of these.
    AnyUuid(Vec<Uuid>),
    /// Neither null nor a string that spells one of these.
    ExceptUuid(Vec<Uuid>),
    /// A string that contains one of these.
    Contains(Vec<String>),
    Prefix(String),
    Range(Limits<f64>),
    Datetime(Limits<Datetime>),
    /// A position within the area.
    Within(Area),
}

struct Compiler<'a> {
    texts: &'a dyn TextFields,
    depth: usize,
    conditions: usize,
    /// In lists so far.
    values: usize,
    /// Of paths so far.
    path_bytes: usize,
}

impl Compiler<'_> {
    /// `within` is the full path of the innermost nested condition around the filter.
    fn clauses(
        &mut self,
        filter: &Filter,
        within: Option<&PayloadPath>,
        place: &Place<'_>,
    ) -> Result<Clauses, FilterError> {
        self.depth += 1;
        place.within(FILTER_DEPTH, MAX_FILTER_DEPTH, self.depth)?;
        let constrains = |conditions: &[Condition]| within.is_some() || !conditions.is_empty();
        let must = self.nodes(&filter.must, within, &place.key("must"))?;
        let must_not = self.nodes(&filter.must_not, within, &place.key("must_not"))?;
        let should = match &filter.should {
            Some(conditions) if constrains(conditions) => {
                Some(self.nodes(conditions, within, &place.key("should"))?)
            }
            Some(_) | None => None,
        };
        let min_should = match &filter.min_should {
            Some(least) => {
                let place = place.key("min_should");
                if least.min_count == 0 {
                    return Err(place.key("min_count").invalid("expected 1 or more, found 0"));
                }
                let nodes = self.nodes(&least.conditions, within, &place.key("conditions"))?;
                constrains(&least.conditions).then_some((nodes, least.min_count))
            }
            None => None,
        };
        self.depth -= 1;
        Ok(Clauses {
            must,
            should,
            must_not,
            min_should,
        })
    }

    fn nodes(
        &mut self,
        conditions: &[Condition],
        within: Option<&PayloadPath>,
        place: &Place<'_>,
    ) -> Result<Vec<Node>, FilterError> {
        self.conditions = self.conditions.saturating_add(conditions.len());
        place.within(FILTER_CONDITIONS, MAX_FILTER_CONDITIONS, self.conditions)?;
        let numbered = conditions.iter().enumerate();
        numbered
            .map(|(number, condition)| self.node(condition, within, &place.index(number)))
            .collect()
    }

    fn node(
        &mut self,
        condition: &Condition,
        within: Option<&PayloadPath>,
        place: &Place<'_>,
    ) -> Result<Node, FilterError> {
        Ok(match condition {
            Condition::Field { path, predicate } => {
                let (path, full_path) = self.paths(path, within, &place.key("key"))?;
                let test = match self.text(predicate, &full_path, place)? {
                    Some(text) => Test::Text(text),
                    None => match self.uuids(predicate, &full_path, place)? {
                        Some(test) => Test::Value(test),
                        None => self.test(predicate, place)?,
                    },
                };
                Node::Field(Field {
                    path,
                    full_path,
                    test,
                })
            }
            Condition::IsEmpty { path } => {
                Node::Field(self.field(path, Test::Empty(true), within, &place.key("is_empty"))?)
            }
            Condition::IsNull { path } => {
                Node::Field(self.field(path, Test::Null(true), within, &place.key("is_null"))?)
            }
            Condition::HasId(ids) => Node::HasId(self.sorted(ids, &place.key("has_id"))?),
            Condition::HasVector(name) => Node::HasVector(name.clone()),
            Condition::Slice(slice) => {
                slice.check(&place.key("slice"))?;
                Node::Slice(*slice)
            }
            Condition::Nested { path, filter } => {
                let place = place.key("nested");
                let path = parse(path, &place.key("key"))?.into_array();
                let full = within.map_or_else(|| path.clone(), |within| within.join(&path));
                self.count_path(&full.to_string(), &place.key("key"))?;
                let clauses = self.clauses(filter, Some(&full), &place.key("filter"))?;
                Node::Nested { path, clauses }
            }
            Condition::Filter(filter) => Node::Filter(self.clauses(filter, within, place)?),
        })
    }

    /// A condition on texts where there is a text index on its path.
    fn text(
        &mut self,
        predicate: &Predicate,
        full_path: &str,
        place: &Place<'_>,
    ) -> Result<Option<TextTest>, FilterError> {
        let Some(analysis) = self.texts.text_analysis(full_path) else {
            return Ok(None);
        };
        let list_place = place.key("match");
        let wanted = match predicate {
            Predicate::Text(text) => Wanted::all(analysis, text),
            Predicate::TextAny(text) => Wanted::any(analysis, text),
            Predicate::Phrase(text) => {
                let phrase = Wanted::phrase(analysis, text);
                let place = list_place.key("phrase");
                place.within("tokens of a phrase", MAX_PHRASE_TOKENS, phrase.len())?;
                phrase
            }
            Predicate::Value(_)
            | Predicate::Any(_)
            | Predicate::Except(_)
            | Predicate::Prefix(_)
            | Predicate::Substring(_)
            | Predicate::Range(_)
            | Predicate::Datetime(_)
            | Predicate::GeoBoundingBox(_)
            | Predicate::GeoRadius(_)
            | Predicate::GeoPolygon(_)
            | Predicate::ValuesCount(_)
            | Predicate::IsEmpty(_)
            | Predicate::IsNull(_) => return Ok(None),
        };
        self.values = self.values.saturating_add(wanted.len());
        list_place.within(FILTER_VALUES, MAX_FILTER_VALUES, self.values)?;
        Ok(Some(TextTest {
            analysis: analysis.clone(),
            wanted,
        }))
    }

    /// A condition on strings that are UUIDs, all of them, where there is an index of such on its path.
    fn uuids(
        &mut self,
        predicate: &Predicate,
        full_path: &str,
        place: &Place<'_>,
    ) -> Result<Option<ValueTest>, FilterError> {
        if !self.texts.has_uuids(full_path) {
            return Ok(None);
        }
        let place = place.key("match");
        // A list that is none of UUIDs is counted as one of strings.
        Ok(match predicate {
            Predicate::Value(MatchValue::String(text)) => {
                uuids_of(std::slice::from_ref(text)).map(ValueTest::AnyUuid)
            }
            Predicate::Any(ValueList::Strings(list)) => match uuids_of(list) {
                Some(uuids) => {
                    self.count_values(list.len(), &place.key("any"))?;
                    Some(ValueTest::AnyUuid(uuids))
                }
                None => None,
            },
            Predicate::Except(ValueList::Strings(list)) => match uuids_of(list) {
                Some(uuids) => {
                    self.count_values(list.len(), &place.key("except"))?;
                    Some(ValueTest::ExceptUuid(uuids))
                }
                None => None,
            },
            Predicate::Value(MatchValue::Integer(_) | MatchValue::Bool(_))
            | Predicate::Any(ValueList::Integers(_))
            | Predicate::Except(ValueList::Integers(_))
            | Predicate::Text(_)
            | Predicate::TextAny(_)
            | Predicate::Phrase(_)
            | Predicate::Prefix(_)
            | Predicate::Substring(_)
            | Predicate::Range(_)
            | Predicate::Datetime(_)
            | Predicate::GeoBoundingBox(_)
            | Predicate::GeoRadius(_)
            | Predicate::GeoPolygon(_)
            | Predicate::ValuesCount(_)
            | Predicate::IsEmpty(_)
            | Predicate::IsNull(_) => None,
        })
    }

    fn count_values(&mut self, count: usize, place: &Place<'_>) -> Result<(), FilterError> {
        self.values = self.values.saturating_add(count);
        place.within(FILTER_VALUES, MAX_FILTER_VALUES, self.values)
    }

    fn test(&mut self, predicate: &Predicate, place: &Place<'_>) -> Result<Test, FilterError> {
        let list_place = place.key("match");
        Ok(Test::Value(match predicate {
            Predicate::Value(MatchValue::String(text)) => ValueTest::String(text.clone()),
            Predicate::Value(MatchValue::Integer(number)) => ValueTest::Integer(*number),
            Predicate::Value(MatchValue::Bool(truth)) => ValueTest::Bool(*truth),
            Predicate::Any(ValueList::Strings(list)) => {
                ValueTest::AnyString(self.sorted(list, &list_place.key("any"))?)
            }
            Predicate::Any(ValueList::Integers(list)) => {
                ValueTest::AnyInteger(self.sorted(list, &list_place.key("any"))?)
            }
            Predicate::Except(ValueList::Strings(list)) => {
                ValueTest::ExceptString(self.sorted(list, &list_place.key("except"))?)
            }
            Predicate::Except(ValueList::Integers(list)) => {
                ValueTest::ExceptInteger(self.sorted(list, &list_place.key("except"))?)
            }
            // Without a text index, a text and a phrase are what a string contains.
            Predicate::Text(text) | Predicate::Phrase(text) | Predicate::Substring(text) => {
                ValueTest::Contains(vec![text.clone()])
            }
            Predicate::TextAny(text) => {
                let pieces: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
                ValueTest::Contains(self.sorted(&pieces, &list_place.key("text_any"))?)
            }
            Predicate::Prefix(prefix) => ValueTest::Prefix(prefix.clone()),
            Predicate::Range(limits) => ValueTest::Range(*limits),
            Predicate::Datetime(limits) => ValueTest::Datetime(*limits),
            Predicate::GeoBoundingBox(area) => {
                area.check(&place.key("geo_bounding_box"))?;
                ValueTest::Within(Area::Box(*area))
            }
            Predicate::GeoRadius(area) => {
                area.check(&place.key("geo_radius"))?;
                ValueTest::Within(Area::Circle(*area))
            }
            Predicate::GeoPolygon(area) => {
                let place = place.key("geo_polygon");
                area.check(&place)?;
                self.values = self.values.saturating_add(area.points());
                place.within(FILTER_VALUES, MAX_FILTER_VALUES, self.values)?;
                ValueTest::Within(Area::Polygon(area.clone()))
            }
            Predicate::ValuesCount(limits) => return Ok(Test::Count(*limits)),
            Predicate::IsEmpty(wanted) => return Ok(Test::Empty(*wanted)),
            Predicate::IsNull(wanted) => return Ok(Test::Null(*wanted)),
        }))
    }

    fn sorted<T: Ord + Clone>(&mut self, list: &[T], place: &Place<'_>) -> Result<Vec<T>, FilterError> {
        self.count_values(list.len(), place)?;
        let mut sorted = list.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        Ok(sorted)
    }

    fn field(
        &mut self,
        path: &str,
        test: Test,
        within: Option<&PayloadPath>,
        place: &Place<'_>,
    ) -> Result<Field, FilterError> {
        let (path, full_path) = self.paths(path, within, place)?;
        Ok(Field {
            path,
            full_path,
            test,
        })
    }

    /// A path, and its canonical text from the root of the payload.
    fn paths(
        &mut self,
        path: &str,
        within: Option<&PayloadPath>,
        place: &Place<'_>,
    ) -> Result<(PayloadPath, String), FilterError> {
        let path = parse(path, place)?;
        let full_path = within.map_or_else(|| path.to_string(), |within| within.join(&path).to_string());
        self.count_path(&full_path, place)?;
        Ok((path, full_path))
    }

    fn count_path(&mut self, full_path: &str, place: &Place<'_>) -> Result<(), FilterError> {
        self.path_bytes = self.path_bytes.saturating_add(full_path.len());
        place.within(FILTER_PATHS, MAX_FILTER_PATH_BYTES, self.path_bytes)
    }
}

fn parse(path: &str, place: &Place<'_>) -> Result<PayloadPath, FilterError> {
    PayloadPath::parse(path).map_err(|error| error.at(place))
}
