//! The official cases of EIP-2537 through the public interface, on both engines.

use gpu_executor::vectors::VectorEngine;

use crate::engines::on_both_engines;

#[path = "../../examples/eip2537/cases.rs"]
mod cases;

on_both_engines! { the_official_cases }

fn the_official_cases(engine: &VectorEngine) {
    let operations = cases::read(include_str!("../vectors/eip2537.json")).unwrap();
    // Three operations and their failures, of both groups.
    assert_eq!(operations.len(), 11);
    for (operation, cases) in operations {
        assert!(!cases.is_empty(), "{operation}");
        for case in cases {
            let failed = case.check(engine, &operation).err();
            assert!(failed.is_none(), "{operation}, {}: {failed:?}", case.name);
        }
    }
}
