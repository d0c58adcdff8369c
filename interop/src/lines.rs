//! Lines of a text input, each at most so long.

use std::io::{self, BufRead, BufReader, Read};

use crate::input::Input;
use crate::row::{At, Place};
use crate::source::Progress;

const BUFFER: usize = 256 * 1024;

/// Reads line by line into one buffer.
#[derive(Debug)]
pub(crate) struct Lines {
    input: BufReader<Input>,
    text: Vec<u8>,
    number: u64,
    limit: usize,
}

/// What [`Lines::advance`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// No more lines.
    End,
    /// Nothing but blanks.
    Blank,
    /// A line; [`Lines::text`] holds it without its end.
    Text,
    /// A line over the limit; it has been stepped over.
    TooLong,
}

impl Lines {
    pub(crate) fn new(input: Input, limit: usize) -> Lines {
        Lines {
            input: BufReader::with_capacity(BUFFER, input),
            text: Vec::new(),
            number: 0,
            limit,
        }
    }

    /// Reads the next line.
    pub(crate) fn advance(&mut self) -> io::Result<Line> {
        self.text.clear();
        // Two more than the limit: room for the line's end.
        let most = (self.limit as u64).saturating_add(2);
        if self.input.by_ref().take(most).read_until(b'\n', &mut self.text)? == 0 {
            return Ok(Line::End);
        }
        self.number += 1;
        let complete = self.text.pop_if(|last| *last == b'\n').is_some();
        if complete {
            self.text.pop_if(|last| *last == b'\r');
        }
        if self.number == 1 && self.text.starts_with(b"\xef\xbb\xbf") {
            self.text.drain(..3);
        }
        if self.text.len() > self.limit {
            if !complete {
                self.input.skip_until(b'\n')?;
            }
            return Ok(Line::TooLong);
        }
        Ok(if self.text.iter().all(u8::is_ascii_whitespace) {
            Line::Blank
        } else {
            Line::Text
        })
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Puts another text in the place of the line's.
    pub(crate) fn set_text(&mut self, text: Vec<u8>) {
        self.text = text;
    }

    /// The longest line that is let through, in bytes.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The line read last.
    pub(crate) fn place(&self) -> Place {
        self.input.get_ref().place(At::Line(self.number))
    }

    /// `rows` is the caller's count: not every line is a row.
    pub(crate) fn progress(&self, rows: u64) -> Progress {
        let input = self.input.get_ref();
        Progress {
            rows,
            total_rows: None,
            bytes: input.position(),
            total_bytes: input.total_bytes(),
        }
    }
}
