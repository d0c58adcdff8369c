//! Quotes that the `csv` crate lets pass: it reads whatever it is given, and so takes a quote left open for a cell that
//! holds the rows after it.

use std::collections::VecDeque;

use crate::error::Problem;

/// Follows the bytes of a file as the `csv` crate reads them.
#[derive(Debug)]
pub(super) struct Quotes {
    delimiter: u8,
    state: State,
    /// Bytes seen.
    at: u64,
    /// The line of the next byte, from 1.
    line: u64,
    /// Where the quote was opened that was opened last: byte and line.
    opened: (u64, u64),
    /// What was found, each with the byte of its opening quote, in the order of the file.
    found: VecDeque<(u64, Problem)>,
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a cell.
    Start,
    /// In a cell without quotes, or after what follows its closing quote.
    Plain,
    Quoted,
    /// After a quote in a quoted cell: it closes the cell, or the next one makes a pair of it.
    Closing,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Self {
        Quotes {
            delimiter,
            state: State::Start,
            at: 0,
            line: 1,
            opened: (0, 0),
            found: VecDeque::new(),
            ended: false,
        }
    }

    /// Takes the next bytes; none at the end of the file.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if bytes.is_empty() && !std::mem::replace(&mut self.ended, true) && self.state == State::Quoted {
            self.note(true);
        }
        for &byte in bytes {
            // A byte order mark is no part of the first cell.
            let mark = self.at < 3 && b"\xef\xbb\xbf".get(self.at as usize) == Some(&byte);
            if !mark {
                self.step(byte);
            }
            self.at += 1;
            self.line += u64::from(byte == b'\n');
        }
    }

    fn step(&mut self, byte: u8) {
        let ends_cell = byte == self.delimiter || byte == b'\n' || byte == b'\r';
        self.state = match (self.state, byte) {
            (State::Start, b'"') => {
                self.opened = (self.at, self.line);
                State::Quoted
            }
            (State::Quoted, b'"') => State::Closing,
            (State::Closing, b'"') | (State::Quoted, _) => State::Quoted,
            (State::Start | State::Plain | State::Closing, _) if ends_cell => State::Start,
            (State::Closing, _) => {
                self.note(false);
                State::Plain
            }
            (State::Start | State::Plain, _) => State::Plain,
        };
    }

    fn note(&mut self, open: bool) {
        let (at, line) = self.opened;
        // A cell of several lines that ends wrongly may have taken whole rows with it.
        let fatal = open || line != self.line;
        self.found.push_back((at, Problem::Quote { line, open, fatal }));
    }

    /// The first problem whose opening quote lies before byte `end`, the end of a row; others of the row are dropped.
    pub(super) fn problem_before(&mut self, end: u64) -> Option<Problem> {
        let mut first = None;
        while let Some((_, problem)) = self.found.pop_front_if(|(at, _)| *at < end) {
            first.get_or_insert(problem);
        }
        first
    }
}
