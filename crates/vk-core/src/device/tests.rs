use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::testing::{DeviceTest, device_under_test, without_timeline_semaphores};

/// A device some of whose functions are replaced: no driver at hand loses
/// its device or hangs on request.
pub(crate) fn device_with(
    physical: &PhysicalDevice,
    replaced: &[(&CStr, *const c_void)],
) -> Arc<Device> {
    let mut device = Device::new(physical).unwrap();
    let own = &mut Arc::get_mut(&mut device).unwrap().logical;
    let own = Arc::get_mut(own).unwrap();
    let handle = own.raw.handle();
    let lookup = |name: &CStr| {
        let found = replaced.iter().find(|(replaced, _)| *replaced == name);
        let real = || {
            let functions = physical.instance.raw().fp_v1_0();
            // SAFETY: the device is alive and the name a C string.
            unsafe { (functions.get_device_proc_addr)(handle, name.as_ptr()) }
                .map_or(std::ptr::null(), |function| function as *const c_void)
        };
        found.map_or_else(real, |(_, function)| *function)
    };
    // SAFETY: the handle's own functions, or replacements of their type.
    own.raw = unsafe { ash::Device::load_with(lookup, handle) };
    device
}

fn setup() -> (DeviceTest, PhysicalDevice) {
    device_under_test().unwrap()
}

const FIRST: Ticket = Ticket(1);

/// What semaphores' counters stand at, one for each test that says so itself.
static COUNTERS: [AtomicU64; 3] = [
    AtomicU64::new(u64::MAX),
    AtomicU64::new(0),
    AtomicU64::new(0),
];

unsafe extern "system" fn read_counter<const NUMBER: usize>(
    _device: vk::Device,
    _semaphore: vk::Semaphore,
    value: *mut u64,
) -> vk::Result {
    // SAFETY: the caller passes a place for the value.
    unsafe { value.write(COUNTERS[NUMBER].load(Ordering::SeqCst)) };
    vk::Result::SUCCESS
}

/// Submits to nowhere, with such a counter.
fn device_with_counter<const NUMBER: usize>(physical: &PhysicalDevice) -> Arc<Device> {
    let submit = submit_to_nowhere as *const c_void;
    let count = read_counter::<NUMBER> as *const c_void;
    let name = c"vkGetSemaphoreCounterValue";
    device_with(physical, &[(c"vkQueueSubmit", submit), (name, count)])
}

unsafe extern "system" fn submit_to_nowhere(
    _queue: vk::Queue,
    _count: u32,
    _infos: *const vk::SubmitInfo<'_>,
    _fence: vk::Fence,
) -> vk::Result {
    vk::Result::SUCCESS
}

#[test]
fn a_counter_past_every_submission_is_a_loss_and_the_first_loss_is_remembered() {
    let (_guard, physical) = setup();
    let device = device_with_counter::<0>(&physical);
    assert!(!device.is_lost());
    let lost = Error::DeviceLost {
        call: "vkGetSemaphoreCounterValue",
    };
    assert_eq!(device.is_complete(FIRST), Err(lost.clone()));
    assert!(device.is_lost());
    assert_eq!(device.wait(FIRST, WaitPolicy::default()), Err(lost.clone()));
    // SAFETY: a lost device refuses before it looks at the commands.
    let submitted = unsafe { device.submit(vk::CommandBuffer::null()) };
    assert_eq!(submitted, Err(lost.clone()));
    let later: Result<(), _> = device.note_loss(Err(Error::DeviceLost {
        call: "vkQueueSubmit",
    }));
    assert_eq!(later, Err(lost));
}

#[test]
fn after_a_timeout_nobody_waits_again_until_the_work_has_ended() {
    let (_guard, physical) = setup();
    let device = device_with_counter::<1>(&physical);
    // SAFETY: the replaced function does not look at the commands.
    let submit = || unsafe { device.submit(vk::CommandBuffer::null()) };
    let ticket = submit().unwrap();
    let patient = WaitPolicy {
        timeout: Duration::from_secs(3600),
        ..WaitPolicy::default()
    };
    let wait = |timeout| device.wait(ticket, WaitPolicy { timeout, ..patient });
    let look = wait(Duration::ZERO);
    assert!(matches!(look, Err(Error::Timeout { .. })), "{look:?}");
    assert_eq!(device.expect_usable(), Ok(()));
    let after = Duration::from_millis(20);
    let what = DEVICE;
    assert_eq!(wait(after), Err(Error::Timeout { what, after }));
    let busy = Err(Error::Busy { what, after });
    // An hour of patience would show.
    assert_eq!(device.wait(ticket, patient), busy);
    assert_eq!(device.expect_usable(), busy);
    assert_eq!(submit().map(drop), busy);
    assert!(!device.is_lost());

    COUNTERS[1].store(1, Ordering::SeqCst);
    assert_eq!(device.wait(ticket, patient), Ok(()));
    assert_eq!(device.expect_usable(), Ok(()));
    submit().unwrap();
}

#[test]
fn one_users_timeout_is_not_anothers() {
    let (_guard, physical) = setup();
    let hasty = device_with_counter::<2>(&physical);
    let patient = Device::of(Arc::clone(&hasty.logical), hasty.queue, false);
    // SAFETY: the replaced function does not look at the commands.
    let submit = |device: &Device| unsafe { device.submit(vk::CommandBuffer::null()) };
    let first = submit(&patient).unwrap();
    let late = submit(&hasty).unwrap();
    let limit = |timeout| WaitPolicy {
        timeout,
        ..WaitPolicy::default()
    };
    let (what, after) = (DEVICE, Duration::from_millis(10));
    let timeout = Err(Error::Timeout { what, after });
    assert_eq!(hasty.wait(late, limit(after)), timeout);
    assert_eq!(hasty.expect_usable(), Err(Error::Busy { what, after }));

    assert_eq!(patient.expect_usable(), Ok(()));
    let behind = submit(&patient).unwrap();
    std::thread::scope(|scope| {
        let hour = limit(Duration::from_secs(3600));
        let waits = scope.spawn(move || [first, behind].map(|ticket| patient.wait(ticket, hour)));
        std::thread::sleep(after);
        COUNTERS[2].store(3, Ordering::SeqCst);
        assert_eq!(waits.join().unwrap(), [Ok(()), Ok(())]);
    });
    assert_eq!(hasty.expect_usable(), Ok(()));
}

static WAITING: AtomicBool = AtomicBool::new(false);
static POLLED: AtomicBool = AtomicBool::new(false);

fn within_seconds(what: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !what() && start.elapsed() < Duration::from_secs(5) {
        std::thread::yield_now();
    }
    what()
}

unsafe extern "system" fn wait_until_polled(
    _device: vk::Device,
    _count: u32,
    _fences: *const vk::Fence,
    _all: vk::Bool32,
    _timeout: u64,
) -> vk::Result {
    WAITING.store(true, Ordering::SeqCst);
    match within_seconds(|| POLLED.load(Ordering::SeqCst)) {
        true => vk::Result::ERROR_DEVICE_LOST,
        false => vk::Result::TIMEOUT,
    }
}

#[test]
fn without_timelines_a_waiting_thread_keeps_no_other_from_polling_and_submitting() {
    let (_guard, physical) = setup();
    let physical = without_timeline_semaphores(physical);
    let device = device_with(
        &physical,
        &[
            (c"vkQueueSubmit", submit_to_nowhere as *const c_void),
            (c"vkWaitForFences", wait_until_polled as *const c_void),
        ],
    );
    // SAFETY: the replaced function does not look at the commands.
    let submit = || unsafe { device.submit(vk::CommandBuffer::null()) };
    let ticket = submit().unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| device.wait(ticket, WaitPolicy::default()));
        assert!(within_seconds(|| WAITING.load(Ordering::SeqCst)));
        assert_eq!(device.is_complete(ticket), Ok(false));
        assert!(submit().is_ok());
        POLLED.store(true, Ordering::SeqCst);
        // The loss shows that the wait ended by the poll, not by its time.
        let call = "vkWaitForFences";
        assert_eq!(waiter.join().unwrap(), Err(Error::DeviceLost { call }));
    });
}

/// Declares functions of the driver that fail for want of memory, by what they are given.
macro_rules! without_memory {
    ($($name:ident($($type:ty),*);)*) => {
        $(pub(crate) unsafe extern "system" fn $name($(_: $type),*) -> vk::Result {
            vk::Result::ERROR_OUT_OF_HOST_MEMORY
        })*
    };
}
pub(crate) use without_memory;

without_memory! {
    counter_without_memory(vk::Device, vk::Semaphore, *mut u64);
    status_without_memory(vk::Device, vk::Fence);
    wait_without_memory(vk::Device, *const vk::SemaphoreWaitInfo<'_>, u64);
}

fn submit_nothing(device: &Arc<Device>) -> (crate::CommandBuffer, Ticket) {
    let mut commands = crate::CommandBuffer::new(device).unwrap();
    // SAFETY: new, so not in flight; nothing is recorded.
    unsafe { commands.record(|_, _| {}) }.unwrap();
    // SAFETY: recorded for this queue; the caller waits before it drops.
    let ticket = unsafe { device.submit(commands.raw()) };
    (commands, ticket.unwrap())
}

#[test]
fn where_looking_fails_blocking_tells_that_work_is_complete() {
    let (_guard, physical) = setup();
    let counter = counter_without_memory as *const c_void;
    let device = device_with(&physical, &[(c"vkGetSemaphoreCounterValue", counter)]);
    let (_commands, ticket) = submit_nothing(&device);
    assert_eq!(device.wait(ticket, WaitPolicy::default()), Ok(()));

    let physical = without_timeline_semaphores(physical);
    let status = status_without_memory as *const c_void;
    let device = device_with(&physical, &[(c"vkGetFenceStatus", status)]);
    // Twice: the fence that was waited for is used again.
    for _ in 0..2 {
        let (_commands, ticket) = submit_nothing(&device);
        assert_eq!(device.wait(ticket, WaitPolicy::default()), Ok(()));
    }
}

#[test]
fn where_neither_looking_nor_blocking_tells_that_is_the_error() {
    let (_guard, physical) = setup();
    let device = device_with(
        &physical,
        &[
            (
                c"vkGetSemaphoreCounterValue",
                counter_without_memory as *const c_void,
            ),
            (c"vkWaitSemaphores", wait_without_memory as *const c_void),
        ],
    );
    let (_commands, ticket) = submit_nothing(&device);
    let call = "vkGetSemaphoreCounterValue";
    let waited = device.wait(ticket, WaitPolicy::default());
    assert_eq!(waited, Err(Error::OutOfHostMemory { call }));
    // SAFETY: the device is alive; nothing is submitted meanwhile.
    unsafe { device.raw().device_wait_idle() }.unwrap();
}

/// The first device, without the layer: under it nothing is shared.
fn unvalidated() -> (DeviceTest, PhysicalDevice) {
    let mut guard = DeviceTest::begin();
    let instance = Instance::new(crate::Validation::Off).unwrap();
    let physical = instance.devices().unwrap().swap_remove(0);
    guard.watch(&physical.caps().name, instance.validation_log().clone());
    (guard, physical)
}

#[test]
fn a_process_shares_its_devices_and_replaces_a_lost_one_once() {
    let (_guard, physical) = unvalidated();
    let open = || Device::shared(&physical).unwrap();
    let (first, second) = (open(), open());
    let handle = |device: &Device| device.raw().handle();
    assert_eq!(handle(&first), handle(&second));
    let third = std::thread::scope(|scope| scope.spawn(open).join().unwrap());
    assert_eq!(handle(&first), handle(&third));
    drop((second, third));
    assert_eq!(handle(&first), handle(&open()));
    let (_commands, ticket) = submit_nothing(&first);
    first.wait(ticket, WaitPolicy::default()).unwrap();

    let other = open();
    first.declare_lost("vkQueueSubmit");
    assert!(other.is_lost(), "one device is lost for all who share it");
    let (new, newer) = (open(), open());
    assert_ne!(handle(&first), handle(&new));
    assert_eq!(handle(&new), handle(&newer));
    assert!(!new.is_lost());
    // Of its own, and destroyed with its last user.
    assert_ne!(handle(&new), handle(&Device::new(&physical).unwrap()));
}

#[test]
fn queues_are_dealt_out_to_those_who_share_a_device() {
    let (_guard, physical) = unvalidated();
    let first = Device::shared(&physical).unwrap();
    let queues = first.logical.queues.len();
    let all = 0..2 * queues;
    let devices: Vec<_> = all.map(|_| Device::shared(&physical).unwrap()).collect();
    // Tests beside this one may hold some too.
    for queue in 0..queues {
        assert!(
            devices.iter().any(|device| device.queue == queue),
            "{queue}"
        );
    }
}
