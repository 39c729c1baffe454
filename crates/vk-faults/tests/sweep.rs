//! The short form of the sweep: the first, the middle and the last call of
//! every entry point, with every result that it may return.

use std::path::Path;

use vk_core::testing::device_under_test;
use vk_faults::sweep::{self, Children, Summary, Verdict};

fn children() -> anyhow::Result<Children> {
    Children::new(Path::new(env!("CARGO_BIN_EXE_faults")))
}

#[test]
fn every_fault_ends_in_right_results_or_a_typed_error() {
    let (_guard, _device) = device_under_test().unwrap();
    let trials = sweep::run(&children().unwrap(), true).unwrap();
    let summary = Summary::of(&trials);
    println!("{}", sweep::print(&trials));
    assert_eq!(summary.broken, 0, "{}", sweep::print(&trials));
    // A sweep whose faults do not come shows nothing.
    assert!(summary.errors > summary.tried / 4, "{summary}");
    assert!(summary.not_reached < summary.tried / 10, "{summary}");
}

#[test]
fn a_broken_promise_is_seen() {
    let (_guard, _device) = device_under_test().unwrap();
    let children = children().unwrap();
    for (scenario, promise) in sweep::PLANTED {
        let fault = "vkQueueSubmit:0:-1:once".parse().unwrap();
        let trials = children.trials(scenario, vec![fault]).unwrap();
        let verdict = &trials[0].verdict;
        let seen = matches!(verdict, Verdict::Broken { promise: found, .. } if found == promise);
        assert!(seen, "{}: {verdict:?}", scenario.name);
    }
}
