//! What has been found, printed line by line.

use std::io::Write;

/// Prints findings, and counts what is wrong.
pub struct Report<'a> {
    out: &'a mut (dyn Write + Send),
    faults: usize,
}

impl<'a> Report<'a> {
    /// Nothing found yet.
    pub fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self { out, faults: 0 }
    }

    /// This is right.
    pub fn right(&mut self, what: &str) {
        self.line(&format!("✓ {what}"));
    }

    /// This is wrong; what to do about it, where that is not said already.
    pub fn wrong(&mut self, what: &str, remedy: &str) {
        self.faults += 1;
        let what = what.trim_end_matches('.');
        self.line(&if remedy.is_empty() { format!("✗ {what}") } else { format!("✗ {what} — {remedy}") });
    }

    /// How much is wrong.
    pub fn faults(&self) -> usize {
        self.faults
    }

    /// One finding is one line, whatever texts from outside hold.
    fn line(&mut self, text: &str) {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Where nobody reads, the exit code still tells.
        let _ = writeln!(self.out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_one_line() {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out);
        report.right("good");
        report.wrong("bad\n  worse.", "mend it");
        report.wrong("said", "");
        assert_eq!(report.faults(), 2);
        assert_eq!(String::from_utf8(out).expect("text"), "✓ good\n✗ bad worse — mend it\n✗ said\n");
    }
}
