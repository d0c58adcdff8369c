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
}

/// The classes that a format has. Module and name are compared as wholes: a name with a dot is another name.
#[derive(Debug, Clone, Copy)]
pub struct Classes {
    /// What the format is called in messages.
    pub format: &'static str,
    /// Its classes.
    pub classes: &'static [Class],
}

/// What Python itself puts into pickles of objects.
static PYTHON: [Class; 5] = [
    Class {
        module: "builtins",
        name: "set",
        kind: Kind::Set,
    },
    Class {
        module: "__builtin__",
        name: "set",
        kind: Kind::Set,
    },
    Class {
        module: "copy_reg",
        name: "_reconstructor",
        kind: Kind::Reconstructor,
    },
    Class {
        module: "copyreg",
        name: "_reconstructor",
        kind: Kind::Reconstructor,
    },
    Class {
        module: "__builtin__",
        name: "object",
        kind: Kind::Base,
    },
];

impl Classes {
    pub(super) fn find(&self, module: &str, name: &str) -> Option<&'static Class> {
        let mut all = self.classes.iter().chain(&PYTHON);
        all.find(|class| class.module == module && class.name == name)
    }
}
