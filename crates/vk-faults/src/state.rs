//! What the layer knows: the fault to inject, calls counted, objects alive.
//!
//! No Vulkan here: every decision can be tested without a device.

use std::collections::{BTreeMap, BTreeSet};

use ash::vk;
use serde::{Deserialize, Serialize};
use vk_core::results;

/// A fault to inject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The entry point that fails.
    pub call: String,
    /// The first call that fails, counted from 0 since the fault was armed.
    pub index: u64,
    /// What it returns.
    pub result: vk::Result,
    /// How it fails, and for how long.
    pub mode: Mode,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One call, which does not reach the driver.
    Once,
    /// This call and all later ones, none of which reaches the driver.
    Sticky,
    /// One call, which the driver carries out before it is reported as failed.
    Forwarded,
    /// Every call from this one on that asks for more than `index` bytes.
    Larger,
}

impl Mode {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Once, "once"),
        (Self::Sticky, "sticky"),
        (Self::Forwarded, "forwarded"),
        (Self::Larger, "larger"),
    ];

    fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(mode, _)| *mode == self);
        found.map_or("", |(_, name)| name)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (call, index, mode) = (&self.call, self.index, self.mode.name());
        write!(f, "{call}:{index}:{}:{mode}", self.result.as_raw())
    }
}

impl std::str::FromStr for Fault {
    type Err = String;

    /// Reads `call:index:result:mode`, as it is displayed.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected call:index:result:mode, found {text:?}");
        let [call, index, result, mode] = text
            .split(':')
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|_| wrong())?;
        let mode = Mode::ALL.iter().find(|(_, name)| *name == mode);
        Ok(Self {
            call: call.to_owned(),
            index: index.parse().map_err(|_| wrong())?,
            result: vk::Result::from_raw(result.parse().map_err(|_| wrong())?),
            mode: mode.ok_or_else(wrong)?.0,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The driver answers.
    Forward,
    /// The layer answers; the driver does not hear of the call.
    Fail(vk::Result),
    /// The driver carries the call out, and this is reported.
    ForwardThen(vk::Result),
}

/// Properties of the device that the layer changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pretence {
    /// The device has no timeline semaphores.
    pub no_timelines: bool,
    /// No memory of the device is coherent.
    pub incoherent: bool,
    /// What has completed shows only to those who block for it: counters and
    /// fences that are merely looked at never move.
    pub lazy: bool,
}

/// What the layer counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many calls were made to fail.
    pub fired: u64,
    /// How often each entry point was called.
    pub calls: BTreeMap<String, u64>,
    /// How many objects of each kind are alive.
    pub live: BTreeMap<String, u64>,
}

impl Counts {
    /// The objects that are alive beyond `times` as many as in `kept`.
    pub(crate) fn beyond(&self, kept: &Self, times: u64) -> BTreeMap<String, u64> {
        let most = |kind: &str| kept.live.get(kind).map_or(0, |count| times * count);
        let mut left = self.live.clone();
        left.retain(|kind, count| *count > most(kind));
        left
    }
}

#[derive(Default)]
pub(crate) struct State {
    fault: Option<Fault>,
    fired: u64,
    counts: BTreeMap<&'static str, u64>,
    // The devices that were lost, by their dispatch key.
    lost: BTreeSet<usize>,
    live: BTreeSet<(&'static str, u64)>,
    // What a lazy device has shown: counters of semaphores, signalled fences.
    counters: BTreeMap<u64, u64>,
    signalled: BTreeSet<u64>,
    pub(crate) pretence: Pretence,
}

impl State {
    /// Injects `fault` from now on, or none. Calls and objects are counted
    /// anew: objects that are alive now are not watched any more.
    pub(crate) fn arm(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.fired = 0;
        self.counts.clear();
        self.live.clear();
    }

    /// Injects nothing more; counts go on, and a lost device stays lost.
    pub(crate) fn disarm(&mut self) {
        self.fault = None;
    }

    /// What becomes of the next call of `call` on the device (or instance)
    /// `key`, which asks for `bytes` bytes.
    pub(crate) fn decide(&mut self, key: usize, call: &'static str, bytes: u64) -> Verdict {
        let count = self.counts.entry(call).or_default();
        let index = *count;
        *count += 1;
        let lost = vk::Result::ERROR_DEVICE_LOST;
        if self.lost.contains(&key) && results::is_allowed(call, lost) == Some(true) {
            return verdict_of_loss(call);
        }
        let Some(fault) = self.fault.as_ref().filter(|fault| fault.call == call) else {
            return Verdict::Forward;
        };
        let hit = match fault.mode {
            Mode::Once | Mode::Forwarded => index == fault.index,
            Mode::Sticky => index >= fault.index,
            Mode::Larger => bytes > fault.index,
        };
        if !hit {
            return Verdict::Forward;
        }
        self.fired += 1;
        // A device that cannot be created is none that could be lost.
        if fault.result == lost && call != "vkCreateDevice" {
            self.lost.insert(key);
            if fault.mode != Mode::Forwarded {
                return verdict_of_loss(call);
            }
        }
        match fault.mode {
            Mode::Forwarded => Verdict::ForwardThen(fault.result),
            // A list that grew between two looks at it.
            _ if fault.result == vk::Result::INCOMPLETE => Verdict::ForwardThen(fault.result),
            _ => Verdict::Fail(fault.result),
        }
    }

    pub(crate) fn made(&mut self, kind: &'static str, handle: u64) {
        self.live.insert((kind, handle));
    }

    pub(crate) fn gone(&mut self, kind: &'static str, handle: u64) {
        self.live.remove(&(kind, handle));
        self.counters.remove(&handle);
        self.signalled.remove(&handle);
    }

    pub(crate) fn device_gone(&mut self, key: usize) {
        self.lost.remove(&key);
    }

    /// What a wait has shown of a semaphore.
    pub(crate) fn reached(&mut self, semaphore: u64, value: u64) {
        let seen = self.counters.entry(semaphore).or_default();
        *seen = value.max(*seen);
    }

    /// What a look at a semaphore whose counter is `actual` shows.
    pub(crate) fn counter(&self, semaphore: u64, actual: u64) -> u64 {
        match self.pretence.lazy {
            true => self.counters.get(&semaphore).copied().unwrap_or(0),
            false => actual,
        }
    }

    /// What a wait or a reset has made of a fence.
    pub(crate) fn fence(&mut self, fence: u64, signalled: bool) {
        match signalled {
            true => self.signalled.insert(fence),
            false => self.signalled.remove(&fence),
        };
    }

    /// What a look at a signalled fence shows.
    pub(crate) fn status(&self, fence: u64) -> vk::Result {
        match self.pretence.lazy && !self.signalled.contains(&fence) {
            true => vk::Result::NOT_READY,
            false => vk::Result::SUCCESS,
        }
    }

    /// What was counted since a fault was armed, and the objects alive.
    pub(crate) fn counts(&self) -> Counts {
        let calls = self.counts.iter();
        let mut live = BTreeMap::new();
        for (kind, _) in &self.live {
            *live.entry((*kind).to_owned()).or_default() += 1;
        }
        Counts {
            fired: self.fired,
            calls: calls
                .map(|(call, count)| ((*call).to_owned(), *count))
                .collect(),
            live,
        }
    }
}

/// A call on a lost device. What was submitted may still run, so whoever waits
/// for the device waits for that, and hears of the loss then.
fn verdict_of_loss(call: &str) -> Verdict {
    let lost = vk::Result::ERROR_DEVICE_LOST;
    match call {
        "vkDeviceWaitIdle" => Verdict::ForwardThen(lost),
        _ => Verdict::Fail(lost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBMIT: &str = "vkQueueSubmit";
    const LOST: vk::Result = vk::Result::ERROR_DEVICE_LOST;
    const MEMORY: vk::Result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;

    fn armed(call: &str, index: u64, result: vk::Result, mode: Mode) -> State {
        let mut state = State::default();
        state.arm(Some(Fault {
            call: call.to_owned(),
            index,
            result,
            mode,
        }));
        state
    }

    fn verdicts(state: &mut State, count: usize) -> Vec<Verdict> {
        (0..count).map(|_| state.decide(1, SUBMIT, 0)).collect()
    }

    #[test]
    fn one_call_fails_or_all_from_one_on() {
        use Verdict::{Fail, Forward};
        let mut once = armed(SUBMIT, 1, MEMORY, Mode::Once);
        assert_eq!(verdicts(&mut once, 3), [Forward, Fail(MEMORY), Forward]);
        let mut sticky = armed(SUBMIT, 1, MEMORY, Mode::Sticky);
        assert_eq!(
            verdicts(&mut sticky, 3),
            [Forward, Fail(MEMORY), Fail(MEMORY)]
        );
        sticky.disarm();
        assert_eq!(verdicts(&mut sticky, 1), [Forward]);
        let counts = sticky.counts();
        assert_eq!((counts.fired, counts.calls[SUBMIT]), (2, 4));
    }

    #[test]
    fn a_lost_device_stays_lost_for_all_calls_that_can_report_it() {
        let mut state = armed(SUBMIT, 0, LOST, Mode::Once);
        assert_eq!(state.decide(1, SUBMIT, 0), Verdict::Fail(LOST));
        state.disarm();
        let wait = state.decide(1, "vkWaitSemaphores", 0);
        assert_eq!(wait, Verdict::Fail(LOST));
        let idle = state.decide(1, "vkDeviceWaitIdle", 0);
        assert_eq!(idle, Verdict::ForwardThen(LOST));
        // These cannot report it, and another device is well.
        assert_eq!(state.decide(1, "vkCreateBuffer", 0), Verdict::Forward);
        assert_eq!(state.decide(2, SUBMIT, 0), Verdict::Forward);
        state.device_gone(1);
        assert_eq!(state.decide(1, SUBMIT, 0), Verdict::Forward);
    }

    #[test]
    fn a_call_can_fail_by_its_size() {
        let mut state = armed("vkAllocateMemory", 100, MEMORY, Mode::Larger);
        let mut decide = |bytes| state.decide(1, "vkAllocateMemory", bytes);
        assert_eq!(decide(101), Verdict::Fail(MEMORY));
        assert_eq!(decide(100), Verdict::Forward);
    }

    #[test]
    fn objects_are_counted_until_they_are_gone() {
        let mut state = State::default();
        state.made("buffer", 7);
        state.made("memory", 7);
        state.made("memory", 8);
        state.gone("buffer", 7);
        let counts = state.counts();
        let memory = |count| BTreeMap::from([("memory".to_owned(), count)]);
        assert_eq!(
            (&counts.calls, &counts.live),
            (&BTreeMap::new(), &memory(2))
        );
        let kept = Counts {
            live: memory(1),
            ..Counts::default()
        };
        assert_eq!(counts.beyond(&kept, 1), memory(2));
        assert_eq!(counts.beyond(&kept, 2), BTreeMap::new());
        assert_eq!(counts.beyond(&Counts::default(), 2), memory(2));
    }

    #[test]
    fn a_lazy_device_shows_only_what_was_waited_for() {
        let mut state = State::default();
        assert_eq!(state.counter(1, 5), 5);
        state.pretence.lazy = true;
        assert_eq!(state.counter(1, 5), 0);
        state.reached(1, 3);
        assert_eq!(state.counter(1, 5), 3);
        let (ready, not) = (vk::Result::SUCCESS, vk::Result::NOT_READY);
        assert_eq!(state.status(9), not);
        state.fence(9, true);
        assert_eq!(state.status(9), ready);
        state.fence(9, false);
        assert_eq!(state.status(9), not);
    }

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        for (mode, _) in Mode::ALL {
            let fault = Fault {
                call: SUBMIT.to_owned(),
                index: 4,
                result: LOST,
                mode,
            };
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert!("vkQueueSubmit:1:-4".parse::<Fault>().is_err());
        assert!("vkQueueSubmit:1:-4:often".parse::<Fault>().is_err());
    }
}
