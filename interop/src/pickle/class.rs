//! What objects of a pickle may be of.

/// One class that a pickle may name.
#[derive(Debug, PartialEq, Eq)]
pub struct Class {
    /// Python's module.
    pub module: &'static str,
    /// The name in it.
    pub name: &'static str,
    /// What its objects are made of.
    pub kind: Kind,
}

/// What the objects of a class are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Fields by name, as models of pydantic 1 and 2 are pickled.
    Model,
    /// Fields by name, as Python pickles an object that says nothing of it.
    Attributes,
    /// One string.
    Enumeration,
    /// `set`, which protocols below 4 call with a list.
    Set,
    /// `copy_reg._reconstructor`, by which protocols 0 and 1 make objects.
    Reconstructor,
    /// `object`, an argument of the reconstructor.
    Base,
    /// `_codecs.encode`, by which protocols below 3 make bytes.
    Bytes,
    /// `datetime.datetime`.
    Moment,
    /// `datetime.date`.
    Date,
    /// `datetime.timedelta`.
    Span,
    /// An offset from UTC: `datetime.timezone`, and what pydantic has for it.
    Offset,
    /// `numpy.dtype`.
    NumberType,
    /// What makes a scalar of NumPy.
    Number,
}

/// The classes that a format has. Module and name are compared as wholes: a name with a dot is another name.
#[derive(Debug, Clone, Copy)]
pub struct Classes {
    /// What the format is called in messages.
    pub format: &'static str,
    /// Its classes.
    pub classes: &'static [Class],
}

const fn class(module: &'static str, name: &'static str, kind: Kind) -> Class {
    Class { module, name, kind }
}

/// What Python itself puts into pickles of objects, and single values that are objects there.
static PYTHON: [Class; 14] = [
    class("builtins", "set", Kind::Set),
    class("__builtin__", "set", Kind::Set),
    class("copy_reg", "_reconstructor", Kind::Reconstructor),
    class("copyreg", "_reconstructor", Kind::Reconstructor),
    class("__builtin__", "object", Kind::Base),
    class("_codecs", "encode", Kind::Bytes),
    class("datetime", "datetime", Kind::Moment),
    class("datetime", "date", Kind::Date),
    class("datetime", "timedelta", Kind::Span),
    class("datetime", "timezone", Kind::Offset),
    class("pydantic_core._pydantic_core", "TzInfo", Kind::Offset),
    class("numpy", "dtype", Kind::NumberType),
    // The first is that of NumPy 1.
    class("numpy.core.multiarray", "scalar", Kind::Number),
    class("numpy._core.multiarray", "scalar", Kind::Number),
];

impl Classes {
    pub(super) fn find(&self, module: &str, name: &str) -> Option<&'static Class> {
        let mut all = self.classes.iter().chain(&PYTHON);
        all.find(|class| class.module == module && class.name == name)
    }
}
