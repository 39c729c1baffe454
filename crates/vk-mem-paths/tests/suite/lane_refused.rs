//! What a lane refuses, and what becomes of it with its device.

use std::mem::MaybeUninit;
use std::time::Duration;

use vk_core::testing::lose;
use vk_mem_paths::{Error, Step};

use crate::lane_setup::{BYTES, Setup, bytes, read, written};

#[test]
fn steps_that_are_not_sound_are_refused() {
    let mut setup = Setup::new();
    let (a, b) = (setup.take(100), setup.take(100));
    let copy = |from, to| Step::Copy { from, to };
    let write = |to, count| Step::Write {
        to,
        bytes: vec![0; count],
    };
    let refused = [
        (
            copy(read(&a, 0..9), written(&b, 0..8)),
            "9 bytes to copy to",
        ),
        (copy(read(&a, 0..9), written(&a, 8..17)), "apart"),
        (copy(read(&a, 4090..4097), written(&b, 0..7)), "4096 bytes"),
        (copy(read(&a, 3..3), written(&b, 3..3)), "inside a block"),
        (write(written(&a, 0..8), 4), "8 bytes to write"),
        (write(written(&a, 2..6), 4), "multiple of 4"),
        (write(written(&a, 0..6), 6), "multiple of 4"),
    ];
    for (step, what) in refused {
        let error = setup.submit(&[step], &[]).err().unwrap().to_string();
        assert!(error.contains(what), "{error}");
    }
    let limits = setup.device.caps().limits;
    let (alignment, most) = (limits.storage_buffer_alignment, limits.max_workgroups_x);
    for (first, workgroups, what) in [
        (4, Some(1).filter(|_| alignment > 4), "binding's first byte"),
        (0, most.checked_add(1), "workgroups of a dispatch"),
    ] {
        let Some(workgroups) = workgroups else {
            continue;
        };
        let second = read(&a, first..first + 16);
        let dispatch = Step::Dispatch {
            pipeline: setup.equal(),
            buffers: vec![read(&a, 0..16), second, written(&b, 0..16)],
            constants: vec![0; 5],
            workgroups,
        };
        let error = setup.submit(&[dispatch], &[]).err().unwrap().to_string();
        assert!(error.contains(what), "{error}");
    }
    let long = setup.take(65_540);
    let error = setup.submit(&[write(written(&long, 0..65_540), 65_540)], &[]);
    assert!(error.err().unwrap().to_string().contains("65536"));
    let error = setup.submit(&[], &[read(&a, 7..4097)]).err().unwrap();
    assert!(matches!(error, Error::Internal { .. }));
    // And what comes after them is not held up.
    let submitted = setup.submit(&[copy(read(&a, 0..8), written(&a, 8..16))], &[]);
    setup.finish(&submitted.unwrap());
}

#[test]
fn storage_of_another_lane_and_wrong_lengths_are_refused() {
    let mut setup = Setup::new();
    let other = setup.transfer.lane();
    let foreign = other.pool().take(64).unwrap();
    let mut out = [MaybeUninit::new(0); 64];
    let sent = setup.uploads.upload(&foreign, &[&[1; 64]], BYTES);
    let fetched = setup.downloads.download(&foreign, 0..64, &mut out);
    for refused in [sent, fetched] {
        assert!(matches!(refused, Err(Error::ForeignBuffer { .. })));
    }
    let own = setup.take(63);
    let long = setup.uploads.upload(&own, &[&[1; 64]], BYTES);
    let past_its_end = setup.downloads.download(&own, 0..64, &mut out);
    let short = setup.downloads.download(&own, 0..63, &mut out);
    for refused in [long, past_its_end, short] {
        let text = refused.unwrap_err().to_string();
        assert!(text.ends_with("of 63 bytes, found 64"), "{text}");
    }
}

#[test]
fn a_lost_device_is_reported_at_once() {
    let mut setup = Setup::new();
    let a = setup.upload(&bytes(128, 1));
    let step = Step::Copy {
        from: read(&a, 0..64),
        to: written(&a, 64..128),
    };
    let before = setup.submit(&[step], &[read(&a, 0..4)]).unwrap();
    lose(&setup.device);
    let is_lost = |result: Result<(), Error>| {
        let error = result.unwrap_err();
        matches!(error, Error::Vulkan(vk_core::Error::DeviceLost { .. }))
    };
    let began = std::time::Instant::now();
    assert!(is_lost(before.wait(setup.lane.wait_policy())));
    assert!(is_lost(setup.lane.reap()));
    assert!(is_lost(setup.submit(&[], &[]).map(drop)));
    assert!(is_lost(setup.uploads.upload(&a, &[&[0; 128]], BYTES)));
    let mut out = [MaybeUninit::new(0); 128];
    assert!(is_lost(setup.downloads.download(&a, 0..128, &mut out)));
    let long = setup.take(1 << 20);
    let sent = vec![0; 1 << 20];
    assert!(is_lost(setup.uploads.upload(&long, &[&sent], BYTES)));
    drop(setup);
    assert!(began.elapsed() < Duration::from_secs(5));
}
