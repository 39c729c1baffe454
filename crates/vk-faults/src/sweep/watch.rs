//! Watches a child: what it does not come back from is a verdict too.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context;

use super::verdict::{Promise, Verdict};
use crate::Fault;

/// How long a child may say nothing: longer than it waits for the device.
pub(super) const SILENCE: Duration = Duration::from_secs(300);

/// Has children judge `faults`: one child for all, and a new one after each
/// that did not come back, or said nothing for as long as `silence`.
///
/// # Errors
/// When a child cannot be started, or dies before it begins.
pub(super) fn judge(
    command: impl Fn() -> Command,
    faults: Vec<Fault>,
    silence: Duration,
) -> anyhow::Result<Vec<(Fault, Verdict)>> {
    let mut left = VecDeque::from(faults);
    let mut judged = Vec::new();
    while !left.is_empty() {
        let before = left.len();
        one_child(command(), &mut left, &mut judged, silence)?;
        anyhow::ensure!(left.len() < before, "a child died before its first fault");
    }
    Ok(judged)
}

/// Has one child judge as many of `left` as it lives through.
fn one_child(
    mut command: Command,
    left: &mut VecDeque<Fault>,
    judged: &mut Vec<(Fault, Verdict)>,
    silence: Duration,
) -> anyhow::Result<()> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("a child cannot be started")?;
    let lines: String = left.iter().map(|fault| format!("{fault}\n")).collect();
    let input = child.stdin.take();
    let feed = std::thread::spawn(move || {
        // A child that died reads no more; what it left tells.
        input.map(|mut input| input.write_all(lines.as_bytes()))
    });
    let said = lines_of(child.stdout.take());
    let errors = text_of(child.stderr.take());
    let mut begun = false;
    let ended = loop {
        match said.recv_timeout(silence) {
            Ok(line) => match line.split_once('\t') {
                Some(("begin", _)) => begun = true,
                Some(("end", verdict)) => {
                    let fault = left.pop_front().context("a verdict too many")?;
                    judged.push((fault, serde_json::from_str(verdict)?));
                    begun = false;
                }
                _ => anyhow::bail!("expected a verdict of a child, found {line:?}"),
            },
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                break Ended::Hung;
            }
            Err(RecvTimeoutError::Disconnected) => break Ended::Gone,
        }
    };
    let status = child.wait()?;
    let _ = feed.join();
    let errors = errors.join().unwrap_or_default();
    let last: Vec<_> = errors.lines().rev().take(6).collect();
    let last = last.into_iter().rev().collect::<Vec<_>>().join(" | ");
    if begun && let Some(fault) = left.pop_front() {
        let verdict = match ended {
            Ended::Hung => Verdict::broken(Promise::NoHang, format!("{silence:?} of silence")),
            Ended::Gone => Verdict::broken(Promise::NoCrash, format!("{status}: {last}")),
        };
        judged.push((fault, verdict));
    } else if !status.success() {
        // It died between two faults: the fault before had a hand in it.
        let found = Verdict::broken(Promise::NoCrash, format!("{status} afterwards: {last}"));
        let (_, verdict) = judged.last_mut().with_context(|| last.clone())?;
        *verdict = found;
    }
    Ok(())
}

enum Ended {
    Hung,
    Gone,
}

fn lines_of(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let Some(stream) = stream else { return };
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn text_of(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What could be read tells more than nothing.
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn faults(count: u64) -> Vec<Fault> {
        let fault = |index| Fault {
            call: "vkQueueSubmit".to_owned(),
            index,
            result: ash::vk::Result::ERROR_DEVICE_LOST,
            mode: crate::Mode::Once,
        };
        (0..count).map(fault).collect()
    }

    #[test]
    fn a_child_that_dies_is_a_crash_and_the_next_goes_on() {
        // Judges the first fault that it is given, and dies of the second.
        let script = "read a; echo \"begin\t$a\"; echo 'end\t\"Right\"'; \
                      if read b; then echo \"begin\t$b\"; echo why >&2; kill -ABRT $$; fi";
        let judged = judge(|| shell(script), faults(3), SILENCE).unwrap();
        let verdicts: Vec<_> = judged.into_iter().map(|(_, verdict)| verdict).collect();
        assert_eq!([&verdicts[0], &verdicts[2]], [&Verdict::Right; 2]);
        let crash = format!("{:?}", verdicts[1]);
        assert!(
            crash.contains("NoCrash") && crash.contains("why"),
            "{crash}"
        );
    }

    #[test]
    fn a_child_that_says_nothing_hangs() {
        let script = "read a; echo \"begin\t$a\"; exec sleep 600";
        let judged = judge(|| shell(script), faults(1), Duration::from_millis(500));
        let hung = format!("{:?}", judged.unwrap());
        assert!(hung.contains("NoHang"), "{hung}");
    }

    #[test]
    fn a_child_that_never_begins_is_an_error() {
        assert!(judge(|| shell("exit 3"), faults(2), SILENCE).is_err());
    }
}
