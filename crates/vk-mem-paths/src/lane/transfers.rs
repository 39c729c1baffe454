//! Bytes between the host's slices and storage.

use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use vk_core::{Device, lock};

use super::staging::{BUFFERS, STAGING_BYTES, Staging};
use super::{Lane, Step};
use crate::Error;
use crate::memory::{
    Access, Memory, MemoryUse, ReadbackBuffer, Region, Storage, StoragePool, UploadBuffer,
};
use crate::threads::{ElementFormat, ThreadPool, host_copy};

/// Uploads from the host's slices to the storage of a lane.
pub struct Uploads {
    staging: Staging<UploadBuffer>,
    /// Whose turn it is: a short upload does not wait for the one before.
    turn: usize,
    side: Arc<HostSide>,
}

/// Downloads from the storage of a lane to the host's slices.
pub struct Downloads {
    staging: Staging<ReadbackBuffer>,
    side: Arc<HostSide>,
}

/// What both directions have in common.
struct HostSide {
    device: Arc<Device>,
    memory: Arc<Memory>,
    pool: Arc<StoragePool>,
    thread_count: usize,
    // Made by the first copy. Whoever waits for the device does not hold it.
    threads: Mutex<Option<ThreadPool>>,
}

impl Lane {
    /// Uploads to this lane's storage and downloads from it, with staging memory and threads
    /// of their own. Each can be used by another thread while the lane is: what they submit is in
    /// the order of the queue, like the lane's batches.
    #[must_use]
    pub fn transfers(&self) -> (Uploads, Downloads) {
        let side = Arc::new(HostSide {
            device: Arc::clone(&self.device),
            memory: Arc::clone(&self.memory),
            pool: Arc::clone(&self.pool),
            thread_count: self.options.threads,
            threads: Mutex::new(None),
        });
        let uploads = Uploads {
            staging: Staging::new(&self.device, self.options.wait),
            turn: 0,
            side: Arc::clone(&side),
        };
        let staging = Staging::new(&self.device, self.options.wait);
        (uploads, Downloads { staging, side })
    }
}

impl Uploads {
    /// Copies `parts`, whole elements one after the other, to the start of `storage`, and
    /// returns when the last buffer is on its way: what the lane submits from then on finds it
    /// there.
    ///
    /// # Errors
    /// [`Error::ForeignBuffer`] for storage of another lane,
    /// [`Error::InvalidJob`] for more bytes than the storage has,
    /// [`Error::Refused`] for an element that does not pass the check,
    /// else what the device returned.
    pub fn upload(
        &mut self,
        storage: &Storage,
        parts: &[&[u8]],
        element: ElementFormat,
    ) -> Result<(), Error> {
        self.side.expect_own(storage)?;
        let bytes = parts.iter().map(|part| part.len()).sum();
        expect_room(storage, bytes)?;
        let size = staging_bytes(bytes, element.bytes);
        self.prepare(size)?;
        for (number, parts) in cut(parts, size).iter().enumerate() {
            let offset = number * size;
            let copy = |from: Region| {
                let to = storage.region(offset..offset + from.range.len(), Access::Write);
                vec![Step::Copy { from, to }]
            };
            // SAFETY: there are no dispatches, and the caller holds the storage.
            let sent = unsafe { self.send(parts, element, copy) };
            sent.map_err(|error| match error {
                Error::Refused(refused) => refused.after(offset / element.bytes.max(1)).into(),
                error => error,
            })?;
        }
        Ok(())
    }

    /// Makes buffers for parts of `bytes` bytes, where there are none yet.
    ///
    /// # Errors
    /// [`Error::OutOfDeviceMemory`], else what the device returned.
    pub fn prepare(&mut self, bytes: usize) -> Result<(), Error> {
        let memory = &self.side.memory;
        let make = |size| UploadBuffer::new(memory, MemoryUse::Upload, size);
        self.staging.prepare(bytes, make)
    }

    /// Copies `parts`, whole elements one after the other, to the buffer whose turn it is, and
    /// submits the steps that `steps` makes of that: a copy to where they are to be, and
    /// whatever the device can do meanwhile.
    ///
    /// # Errors
    /// [`Error::Refused`] for an element that does not pass the check, counted from the
    /// first of these parts; [`Error::Internal`] for more bytes than the buffers are prepared
    /// for; else as [`Lane::submit`].
    ///
    /// # Safety
    /// As [`Lane::submit`], of the lane that this belongs to.
    pub unsafe fn send(
        &mut self,
        parts: &[&[u8]],
        element: ElementFormat,
        steps: impl FnOnce(Region) -> Vec<Step>,
    ) -> Result<(), Error> {
        let buffer = self.staging.settled(self.turn)?;
        self.turn = self.turn.wrapping_add(1);
        let length = |parts: &[&[u8]]| parts.iter().map(|part| part.len()).sum::<usize>();
        let range = 0..length(parts);
        // SAFETY: settled, so nothing in flight reads it.
        let mut rest = unsafe { buffer.memory.view(&range)? };
        let copies = parts.iter().map(|part| {
            let (to, after) = std::mem::take(&mut rest).split_at_mut(part.len());
            rest = after;
            (*part, to)
        });
        let copies = copies.collect();
        let copied = self
            .side
            .with_threads(|threads| host_copy::run_checked(copies, element, threads));
        if let Some((part, refused)) = copied? {
            let before = length(&parts[..part]) / element.bytes.max(1);
            return Err(refused.after(before).into());
        }
        buffer.memory.flush(&range)?;
        let steps = steps(buffer.memory.region(range));
        // SAFETY: the host touches the buffer again when it is settled; the rest is this
        // function's contract.
        unsafe { buffer.submit(&steps, None) }
    }

    /// Lets go of the memory that complete uploads went to, without waiting: a block is
    /// free only when no submission names it, and the last uploads' are named until then.
    pub fn let_go(&mut self) {
        self.staging.let_go();
    }
}

impl Downloads {
    /// Copies the bytes of `range` of `storage` to `out`, and waits for them and for all
    /// that the lane has submitted before. On `Ok` all of `out` is written.
    ///
    /// # Errors
    /// [`Error::ForeignBuffer`] for storage of another lane,
    /// [`Error::InvalidJob`] for a range past the end or of another length than
    /// `out`, else what the device returned.
    pub fn download(
        &mut self,
        storage: &Storage,
        range: Range<usize>,
        out: &mut [MaybeUninit<u8>],
    ) -> Result<(), Error> {
        self.side.expect_own(storage)?;
        expect_room(storage, range.end)?;
        if range.len() != out.len() {
            return Err(invalid("the output", range.len(), out.len()));
        }
        let size = staging_bytes(out.len(), 1);
        let parts = out.chunks_mut(size).enumerate().map(|(number, out)| {
            let start = range.start + number * size;
            let from = storage.region(start..start + out.len(), Access::Read);
            (|to| vec![Step::Copy { from, to }], vec![out])
        });
        // SAFETY: there are no dispatches, and the caller holds the storage.
        unsafe { self.fetch(size, parts) }
    }

    /// Has parts come down one after the other, of at most `most` bytes each. A part is the
    /// steps to be submitted for it, made of the staging memory where the host finds its bytes:
    /// a copy to all of these, and whatever the device can do meanwhile; and the slices that
    /// the host then copies them to. On `Ok` all of those are written.
    ///
    /// # Errors
    /// [`Error::OutOfDeviceMemory`], else as [`Lane::submit`] and [`Device::wait`].
    ///
    /// # Safety
    /// As [`Lane::submit`], of the lane that this belongs to; the steps write all of the bytes.
    pub unsafe fn fetch<'a, S: FnOnce(Region) -> Vec<Step>>(
        &mut self,
        most: usize,
        parts: impl Iterator<Item = (S, Vec<&'a mut [MaybeUninit<u8>]>)>,
    ) -> Result<(), Error> {
        let memory = &self.side.memory;
        self.staging
            .prepare(most, |size| ReadbackBuffer::new(memory, size))?;
        let mut parts = parts.enumerate();
        let mut on_the_way = VecDeque::new();
        loop {
            let next = parts.next();
            let is_last = next.is_none();
            if let Some((number, (steps, outs))) = next {
                let buffer = self.staging.settled(number)?;
                let bytes = outs.iter().map(|out| out.len()).sum();
                let to = buffer.memory.region(0..bytes);
                let steps = steps(to.clone());
                // SAFETY: the host touches the buffer again when it is settled; the rest is
                // this function's contract.
                unsafe { buffer.submit(&steps, Some(&to))? };
                on_the_way.push_back((number, bytes, outs));
            }
            // One buffer is copied out while the device fills the others.
            if is_last || on_the_way.len() == BUFFERS {
                let Some((number, bytes, outs)) = on_the_way.pop_front() else {
                    return Ok(());
                };
                let buffer = self.staging.settled(number)?;
                // SAFETY: settled, so the submission that wrote the bytes and ended with the
                // host barrier is complete; none since, of as many buffers in turns.
                let mut rest = unsafe { buffer.memory.read(&(0..bytes))? };
                let copies = outs.into_iter().map(|out| {
                    let (from, after) = rest.split_at(out.len());
                    rest = after;
                    (from, out)
                });
                let copies = copies.collect();
                self.side
                    .with_threads(|threads| host_copy::run(copies, threads))?;
            }
        }
    }
}

impl HostSide {
    /// Another lane's storage may be of another device, and is not in the order of this
    /// one's queue.
    fn expect_own(&self, storage: &Storage) -> Result<(), Error> {
        match storage.is_of(&self.pool) {
            true => Ok(()),
            false => Err(Error::ForeignBuffer {
                what: "the vector",
                expected: self.device.caps().name.clone(),
                found: "another lane".to_owned(),
            }),
        }
    }

    fn with_threads<R>(&self, copy: impl FnOnce(&mut ThreadPool) -> R) -> Result<R, Error> {
        // After a panic too: they are done with their task before it unwinds.
        let mut threads = lock(&self.threads);
        match &mut *threads {
            Some(threads) => Ok(copy(threads)),
            none => Ok(copy(none.insert(ThreadPool::new(self.thread_count)?))),
        }
    }
}

/// Bytes of a staging buffer for a transfer of `bytes` bytes: whole elements.
fn staging_bytes(bytes: usize, element_bytes: usize) -> usize {
    let element = element_bytes.max(1);
    // A quarter at the least of what will be asked for often anyway, so that
    // they are not made anew for every slightly longer vector.
    let wanted = bytes.clamp(64 << 10, STAGING_BYTES).next_power_of_two();
    (wanted / element).max(1) * element
}

/// Parts one after the other, cut into pieces of `size` bytes.
fn cut<'a>(parts: &[&'a [u8]], size: usize) -> Vec<Vec<&'a [u8]>> {
    let (mut pieces, mut piece, mut room) = (Vec::new(), Vec::new(), size);
    for mut part in parts.iter().copied() {
        while !part.is_empty() {
            let (first, rest) = part.split_at(part.len().min(room));
            piece.push(first);
            (part, room) = (rest, room - first.len());
            if room == 0 {
                pieces.push(std::mem::take(&mut piece));
                room = size;
            }
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn expect_room(storage: &Storage, bytes: usize) -> Result<(), Error> {
    match bytes <= storage.bytes() {
        true => Ok(()),
        false => Err(invalid("the vector", storage.bytes(), bytes)),
    }
}

fn invalid(what: &'static str, expected: usize, found: usize) -> Error {
    Error::InvalidJob {
        job: 0,
        what,
        expected,
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_into_pieces_of_one_size() {
        let bytes: Vec<u8> = (0..30).collect();
        let parts = [&bytes[..7], &[], &bytes[7..8], &bytes[8..30]];
        for size in [1, 7, 8, 10, 29, 30, 31] {
            let pieces = cut(&parts, size);
            let joined: Vec<_> = pieces.iter().map(|it| it.concat()).collect();
            assert_eq!(joined, bytes.chunks(size).collect::<Vec<_>>(), "{size}");
        }
        assert!(cut(&[], 5).is_empty() && cut(&[&[]], 5).is_empty());
    }
}
