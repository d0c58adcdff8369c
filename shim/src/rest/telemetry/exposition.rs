//! Prometheus' text format, version 0.0.4: a head for each name, then a line for each set of labels.

use std::fmt::{Display, Write as _};

/// The content type of the format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What figures of a name are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Goes up until the process ends.
    Counter,
    /// Counts of what lies below bounds.
    Histogram,
}

/// A text that grows.
#[derive(Debug)]
pub(super) struct Exposition<'a> {
    text: String,
    /// What all names begin with.
    prefix: &'a str,
}

impl<'a> Exposition<'a> {
    /// Nothing yet.
    pub(super) fn new(prefix: &'a str) -> Self {
        Exposition {
            text: String::new(),
            prefix,
        }
    }

    /// Begins the figures of a name.
    pub(super) fn head(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        let prefix = self.prefix;
        let _ = write!(
            self.text,
            "# HELP {prefix}{name} {help}\n# TYPE {prefix}{name} {kind}\n"
        );
    }

    /// One figure.
    pub(super) fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.prefix);
        self.text.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{label}=\"");
            self.escaped(text);
            self.text.push('"');
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }

    /// A name with one figure and no labels.
    pub(super) fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.line(name, &[], value);
    }

    fn escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }

    /// All of it.
    pub(super) fn text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut text = Exposition::new("");
        text.head("a", Kind::Counter, "what it is");
        text.line("a", &[("id", "x\"y\\z\n"), ("b", "")], 1);
        text.single("c", Kind::Gauge, "another", 0.5);
        let lines: Vec<String> = text.text().lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "# HELP a what it is",
                "# TYPE a counter",
                r#"a{id="x\"y\\z\n",b=""} 1"#,
                "# HELP c another",
                "# TYPE c gauge",
                "c 0.5",
            ]
        );
    }
}
