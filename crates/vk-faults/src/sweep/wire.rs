//! Verdicts as lines between parent and child.

use super::verdict::{Promise, Verdict};

const PROMISES: [(&str, Promise); 7] = [
    ("false-success", Promise::NoFalseSuccess),
    ("typed-error", Promise::TypedError),
    ("next-call", Promise::NextCallWorks),
    ("leak", Promise::NoLeak),
    ("hang", Promise::NoHang),
    ("crash", Promise::NoCrash),
    ("halved", Promise::MemoryIsHalved),
];

/// `verdict` in one line.
pub(super) fn write(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Right => "right".to_owned(),
        Verdict::TypedError => "error".to_owned(),
        Verdict::NotReached => "not-reached".to_owned(),
        Verdict::Broken { promise, found } => {
            let name = PROMISES.iter().find(|(_, known)| known == promise);
            format!("{}\t{found}", name.map_or("", |(name, _)| name))
        }
    }
}

/// The verdict of a line; `None` for a line that is none.
pub(super) fn read(line: &str) -> Option<Verdict> {
    match line {
        "right" => return Some(Verdict::Right),
        "error" => return Some(Verdict::TypedError),
        "not-reached" => return Some(Verdict::NotReached),
        _ => {}
    }
    let (name, found) = line.split_once('\t')?;
    let (_, promise) = PROMISES.iter().find(|(known, _)| *known == name)?;
    Some(Verdict::broken(*promise, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_as_it_is_written() {
        let broken = PROMISES.map(|(_, promise)| Verdict::broken(promise, "a\nb\tc"));
        let others = [Verdict::Right, Verdict::TypedError, Verdict::NotReached];
        for verdict in broken.into_iter().chain(others) {
            let line = write(&verdict);
            assert!(!line.contains('\n'));
            assert_eq!(read(&line), Some(verdict));
        }
        assert_eq!(read("anything"), None);
    }
}
