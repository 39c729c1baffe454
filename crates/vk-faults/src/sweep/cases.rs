//! Which faults a scenario is tried under.

use std::collections::BTreeMap;

use ash::vk;
use vk_core::results;

use super::scenario::Scenario;
use crate::control::can_fail;
use crate::{Fault, Mode};

/// Calls that poll: how often they come depends on the device's speed, and
/// the later ones are like the earlier ones.
const POLLS: [&str; 2] = ["vkGetSemaphoreCounterValue", "vkGetFenceStatus"];
const MOST_POLLS: u64 = 24;
/// Calls that ask twice, for a count and then for the list: only the second
/// can find the list longer than the first said.
const LISTS: [&str; 5] = [
    "vkEnumerateInstanceLayerProperties",
    "vkEnumerateInstanceExtensionProperties",
    "vkEnumeratePhysicalDevices",
    "vkEnumerateDeviceExtensionProperties",
    "vkGetPipelineCacheData",
];

/// The faults for `scenario`, of which a clean run makes the calls `counts`: of every call of an
/// entry point, or, where it is to be quick, of the first, the middle and the last.
pub(super) fn faults(
    scenario: &Scenario,
    counts: &BTreeMap<String, u64>,
    quick: bool,
) -> Vec<Fault> {
    let watched = |call: &str| scenario.calls.is_empty() || scenario.calls.contains(&call);
    let calls = counts.iter().filter(|(call, _)| watched(call));
    let mut faults: Vec<_> = calls
        .flat_map(|(call, count)| of_call(call, *count, quick))
        .collect();
    if quick && scenario.places {
        faults.retain(|fault| fault.result == result_at_places(&fault.call));
    }
    faults
}

/// The one result that a call has where it is the place that matters.
fn result_at_places(call: &str) -> vk::Result {
    match call {
        "vkQueueSubmit" => vk::Result::ERROR_DEVICE_LOST,
        _ => vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
    }
}

fn of_call(call: &str, count: u64, quick: bool) -> Vec<Fault> {
    if !can_fail(call) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    // Behind the success.
    for &result in results::allowed(call).unwrap_or_default().iter().skip(1) {
        for index in indices(call, count, quick, result) {
            for mode in modes(call, result) {
                faults.push(Fault {
                    call: call.to_owned(),
                    index,
                    result,
                    mode,
                });
            }
        }
    }
    if call == "vkAllocateMemory" {
        faults.extend(SIZES.map(|bytes| Fault {
            call: call.to_owned(),
            index: bytes,
            result: vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
            mode: Mode::Larger,
        }));
    }
    faults
}

/// More bytes than these cannot be had: about what a chunk's inputs need, half
/// of it, a quarter, and less than any chunk.
const SIZES: [u64; 4] = [512 << 10, 256 << 10, 128 << 10, 16];

fn indices(call: &str, count: u64, quick: bool, result: vk::Result) -> Vec<u64> {
    let mut indices: Vec<u64> = match quick {
        true => vec![0, count / 2, count.saturating_sub(1)],
        false if POLLS.contains(&call) => (0..count.min(MOST_POLLS)).collect(),
        false => (0..count).collect(),
    };
    if LISTS.contains(&call) && result == vk::Result::INCOMPLETE {
        for index in &mut indices {
            *index |= 1;
        }
    }
    indices.retain(|index| *index < count);
    indices.dedup();
    indices
}

fn modes(call: &str, result: vk::Result) -> Vec<Mode> {
    match result {
        // A list that grows for ever is no list.
        vk::Result::INCOMPLETE => vec![Mode::Once],
        // A lost device is lost for good, however it began.
        vk::Result::ERROR_DEVICE_LOST if call == "vkQueueSubmit" => {
            vec![Mode::Once, Mode::Forwarded]
        }
        vk::Result::ERROR_DEVICE_LOST if call != "vkCreateDevice" => vec![Mode::Once],
        _ => vec![Mode::Once, Mode::Sticky],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(call: &str, count: u64, quick: bool) -> Vec<String> {
        let faults = of_call(call, count, quick);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_allowed_result_of_every_call_is_tried() {
        let faults = faults_of("vkResetFences", 2, false);
        let expected = ["0:-2:once", "0:-2:sticky", "1:-2:once", "1:-2:sticky"];
        assert_eq!(faults, expected.map(|rest| format!("vkResetFences:{rest}")));
    }

    #[test]
    fn a_quick_sweep_tries_first_middle_and_last() {
        let faults = faults_of("vkResetFences", 9, true);
        let indices = faults
            .iter()
            .filter_map(|fault| fault.strip_suffix(":-2:once"));
        let expected = [0, 4, 8].map(|index| format!("vkResetFences:{index}"));
        assert!(indices.eq(expected.iter().map(String::as_str)));
        assert_eq!(faults_of("vkResetFences", 1, true).len(), 2);
    }

    #[test]
    fn a_quick_sweep_of_places_tries_one_result_of_each_call() {
        let scenario = Scenario::find("points").unwrap();
        let counts = scenario.calls.iter().map(|call| ((*call).to_owned(), 9));
        let counts: BTreeMap<_, _> = counts.collect();
        let quick = faults(scenario, &counts, true);
        for call in scenario.calls {
            let mut results: Vec<_> = quick.iter().filter(|fault| fault.call == *call).collect();
            results.dedup_by_key(|fault| fault.result);
            assert_eq!(results.len(), 1, "{call}");
        }
        let full = faults(scenario, &counts, false);
        assert!(full.len() > 3 * quick.len());
    }

    #[test]
    fn a_loss_is_for_good_and_a_submission_may_have_begun() {
        let faults = faults_of("vkQueueSubmit", 1, false);
        let lost: Vec<_> = faults
            .iter()
            .filter(|fault| fault.contains(":-4:"))
            .collect();
        assert_eq!(
            lost,
            ["vkQueueSubmit:0:-4:once", "vkQueueSubmit:0:-4:forwarded"]
        );
    }

    #[test]
    fn only_a_list_that_was_asked_for_can_be_incomplete() {
        let faults = faults_of("vkGetPipelineCacheData", 4, false);
        let incomplete = faults.iter().filter(|fault| fault.contains(":5:"));
        let expected = [
            "vkGetPipelineCacheData:1:5:once",
            "vkGetPipelineCacheData:3:5:once",
        ];
        assert!(incomplete.eq(expected.iter()));
    }
}
