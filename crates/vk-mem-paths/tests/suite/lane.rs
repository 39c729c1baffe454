//! Batches of steps on storage, and bytes to it and from it, on a real device:
//! with timeline semaphores and with fences.

use std::sync::Arc;

use vk_core::testing::without_timeline_semaphores;
use vk_mem_paths::{Step, Storage};

use crate::lane_setup::{Setup, bytes, copy, read, read_bytes, write, written};

#[test]
fn bytes_go_up_and_come_back_whatever_their_number() {
    const PIECE: usize = 16 << 20;
    for change in [|it| it, without_timeline_semaphores] {
        let mut setup = Setup::with(change);
        for count in [1, 4095, 65_537, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let sent = bytes(count, count);
            let storage = setup.upload(&sent);
            assert!(setup.download(&storage, 0..count) == sent, "{count}");
            let part = count / 3..count - count / 5;
            assert!(
                setup.download(&storage, part.clone()) == sent[part],
                "{count}"
            );
        }
    }
}

#[test]
fn steps_see_what_the_steps_before_them_did() {
    for change in [|it| it, without_timeline_semaphores] {
        let mut setup = Setup::with(change);
        let sent = bytes(256, 3);
        let (a, b) = (setup.upload(&sent), setup.take(256));
        // Written, copied, overwritten, copied back: each conflicts with the last.
        let steps = [
            copy((&a, 0..256), (&b, 0..256)),
            write(&a, 64, 7, 64),
            copy((&a, 0..128), (&b, 128..256)),
            copy((&b, 96..160), (&a, 192..256)),
            write(&b, 0, 9, 4),
        ];
        let reads = [read(&b, 0..256), read(&a, 100..101), read(&a, 0..256)];
        let submitted = setup.submit(&steps, &reads).unwrap();
        let finished = setup.finish(&submitted);
        let mut a_after = sent.clone();
        let mut b_after = sent;
        a_after[64..128].fill(7);
        b_after[128..].copy_from_slice(&a_after[..128]);
        a_after[192..].copy_from_slice(&b_after[96..160]);
        b_after[..4].fill(9);
        assert_eq!(read_bytes(&finished), [b_after.clone(), vec![7], a_after]);
        assert_eq!(setup.download(&b, 0..256), b_after);
        let timed = setup.device.caps().features.host_query_reset;
        assert!(!timed || finished.device_time.is_some());
    }
}

/// More batches than frames are kept, all in flight, each on what the last one
/// left; the blocks of those between go round through the pool.
#[test]
fn batches_run_in_their_order_on_memory_that_goes_round() {
    let mut setup = Setup::new();
    let mut last = setup.upload(&bytes(4096, 5));
    let mut all = Vec::new();
    for round in 0..40_u8 {
        let next = setup.take(4096);
        let steps = [
            copy((&last, 0..4096), (&next, 0..4096)),
            write(&next, usize::from(round) * 4, round, 4),
        ];
        all.push(setup.submit(&steps, &[read(&next, 0..200)]).unwrap());
        last = next;
    }
    let mut expected = bytes(4096, 5);
    // What is read stays as long as it is held, whatever the next batch reads.
    let mut held = Vec::new();
    for (round, submitted) in (0..).zip(&all) {
        expected[usize::from(round) * 4..][..4].fill(round);
        held.push((setup.finish(submitted), expected[..200].to_vec()));
        if round % 3 == 0 {
            let again = setup.submit(&[], &[read(&last, 0..200)]).unwrap();
            setup.finish(&again);
        }
    }
    for (finished, expected) in held {
        assert_eq!(read_bytes(&finished), [expected]);
    }
    assert_eq!(setup.download(&last, 0..4096), expected);
    // Two blocks were enough.
    assert_eq!(setup.lane.pool().trim(), 4096);
}

#[test]
fn dispatches_read_what_was_uploaded_and_results_outlive_their_storage() {
    let mut setup = Setup::new();
    let pipeline = setup.equal();
    let (mut sent, parts) = (bytes(48_000, 1), 3_000);
    let (a, b) = (setup.upload(&sent), setup.upload(&sent));
    *sent.last_mut().unwrap() ^= 1;
    let c = setup.upload(&sent);
    let flags = setup.take(8);
    let compare = |other: &Storage, flag| Step::Dispatch {
        pipeline: Arc::clone(&pipeline),
        buffers: vec![
            read(&a, 0..48_000),
            read(other, 0..48_000),
            written(&flags, 0..8),
        ],
        constants: vec![parts, 2, 0, 0, flag],
        workgroups: 2,
    };
    let steps = [write(&flags, 0, 0, 8), compare(&b, 0), compare(&c, 1)];
    let submitted = setup.submit(&steps, &[read(&flags, 0..8)]).unwrap();
    // The batch has what it names; the next one may have the blocks.
    drop((steps, a, b, c, flags));
    setup.lane.pool().trim();
    let other = setup.upload(&bytes(48_000, 9));
    let finished = setup.finish(&submitted);
    assert_eq!(read_bytes(&finished), [[0, 0, 0, 0, 1, 0, 0, 0]]);
    assert_eq!(setup.download(&other, 0..48_000), bytes(48_000, 9));
}

#[test]
fn a_lane_may_go_while_its_batches_run() {
    let mut setup = Setup::new();
    let a = setup.upload(&bytes(8 << 20, 1));
    let b = setup.take(8 << 20);
    let step = |_| copy((&a, 0..8 << 20), (&b, 0..8 << 20));
    let steps: Vec<_> = (0..8).map(step).collect();
    let submitted = setup.submit(&steps, &[read(&b, 0..4)]).unwrap();
    drop(steps);
    setup.lane = setup.transfer.lane();
    // It waited; what nobody collected stays uncollected.
    assert!(submitted.is_complete().unwrap());
    assert!(submitted.finished().is_none());
    drop((a, b));
}

/// Nobody else has it before the batch is submitted, whoever dropped it last.
#[test]
fn what_a_batch_in_the_making_lets_go_of_is_its_own_until_it_is_submitted() {
    let mut setup = Setup::new();
    let (input, held) = (setup.upload(&bytes(4096, 1)), setup.upload(&bytes(4096, 2)));
    let (input, held) = (Arc::new(input), Arc::new(held));
    let mut memory = setup.lane.pool().for_batch();
    let first = memory.take(4096).unwrap();
    let steps = [&held, &input].map(|from| copy((from, 0..4096), (&first, 0..4096)));
    let blocks = [&*input, &held, &first].map(|storage| Arc::clone(storage.block()));
    let named = |storage: &Storage| {
        let same = |block| Arc::ptr_eq(block, storage.block());
        blocks.iter().position(same)
    };
    memory.let_go(input);
    memory.let_go(Arc::clone(&held));
    drop((held, first));
    let (others, again) = (setup.take(4096), memory.take(4096).unwrap());
    assert_eq!(named(&others), None);
    assert!(matches!(named(&again), Some(0 | 2)));
    drop(again);
    setup.submit(&steps, &[]).unwrap();
    drop((steps, memory));
    // All three are the pool's now.
    let taken: Vec<_> = (0..3).map(|_| setup.take(4096)).collect();
    assert!(taken.iter().all(|storage| named(storage).is_some()));
}

/// A piece of staging memory holds the block that it was copied to until it is used
/// again, or lets go.
#[test]
fn complete_uploads_let_go_of_what_they_wrote() {
    let mut setup = Setup::new();
    let storage = setup.upload(&bytes(4096, 11));
    let block = Arc::downgrade(storage.block());
    assert_eq!(setup.download(&storage, 0..4096), bytes(4096, 11));
    drop(storage);
    setup.lane.pool().trim();
    assert!(block.upgrade().is_some());
    setup.uploads.let_go();
    assert!(block.upgrade().is_none());
}
