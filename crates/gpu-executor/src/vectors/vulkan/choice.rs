//! Which of several kernels for the same are used: a pure function over the caps.

use field_kernels::chain::{Chain, Layout, MemoryAccess};
use field_kernels::{Arithmetic, ElementId, PRIME_FIELDS};
use serde::{Deserialize, Serialize};
use vk_core::{DeviceCaps, DeviceKind};

use super::kept::{ArithmeticName, LayoutFields};
use crate::Error;
use crate::device::Asked;

/// Which of several kernels for the same are used: for each prime field, and for what is
/// made of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice(pub(super) [FieldChoice; PRIME_FIELDS.len()]);

/// Which of several kernels for one field are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldChoice {
    #[serde(with = "ArithmeticName")]
    pub(crate) arithmetic: Arithmetic,
    /// How chains without products reach memory.
    #[serde(with = "LayoutFields")]
    pub(crate) light: Layout,
    /// How chains with products do.
    #[serde(with = "LayoutFields")]
    pub(crate) heavy: Layout,
}

/// Shared memory of a software device is memory like any other.
const OF_SOFTWARE: Layout = Layout {
    access: MemoryAccess::Direct,
    group_size: 128,
};

/// Shared memory of a chain's workgroup at most, of the 16 KiB that every device has.
const SHARED_BYTES: usize = 12 << 10;

/// NVIDIA's PCI vendor id.
const NVIDIA: u32 = 0x10de;
/// Words in names of devices that were seen to multiply fastest in doubles: 26.8 beside
/// 21.8 G products of the base field a second in integers. They start as many fused
/// multiply-adds of doubles as integer ones; other chips half as many (A100) or far fewer.
const FAST_DOUBLES: [&str; 3] = ["H100", "H200", "GH200"];

impl Choice {
    pub(crate) fn of(caps: &DeviceCaps) -> Self {
        let layout = match caps.kind {
            DeviceKind::Software => OF_SOFTWARE,
            _ => Layout::OF_A_GPU,
        };
        let all = FieldChoice {
            arithmetic: arithmetic_of(caps),
            light: layout,
            heavy: layout,
        };
        Self([all; PRIME_FIELDS.len()])
    }

    pub(crate) fn field(&mut self, field: ElementId) -> &mut FieldChoice {
        &mut self.0[field.prime()]
    }

    pub(crate) fn of_field(self, field: ElementId) -> FieldChoice {
        self.0[field.prime()]
    }
}

impl FieldChoice {
    /// How a chain over elements of `field` reaches memory.
    pub(super) fn layout(self, chain: &Chain, field: ElementId) -> Layout {
        let layout = match chain.products() {
            0 => self.light,
            _ => self.heavy,
        };
        // Two elements an invocation, where they are staged at all.
        let most = SHARED_BYTES / (2 * field.bytes());
        let most = u32::try_from(most)
            .unwrap_or(u32::MAX)
            .checked_ilog2()
            .unwrap_or(0);
        Layout {
            group_size: layout.group_size.min(1 << most),
            ..layout
        }
    }
}

impl Asked {
    /// `choice`, with what was asked for in its place.
    ///
    /// # Errors
    /// [`vk_core::Error::Unsupported`] for an arithmetic that the device lacks.
    pub(crate) fn over(self, mut choice: Choice, caps: &DeviceCaps) -> Result<Choice, Error> {
        if let Some(asked) = self.arithmetic.filter(|asked| !runs(caps, *asked)) {
            return Err(Error::Vulkan(vk_core::Error::Unsupported {
                needed: format!("what kernels of arithmetic {asked} need"),
                found: format!("{} without it", caps.name),
            }));
        }
        for field in &mut choice.0 {
            field.arithmetic = self.arithmetic.unwrap_or(field.arithmetic);
            for layout in [&mut field.light, &mut field.heavy] {
                layout.access = self.access.unwrap_or(layout.access);
                layout.group_size = self.workgroup.unwrap_or(layout.group_size);
            }
        }
        Ok(choice)
    }
}

/// Whether a device has what kernels of `arithmetic` ask for.
pub(crate) fn runs(caps: &DeviceCaps, arithmetic: Arithmetic) -> bool {
    let features = &caps.features;
    (features.shader_int64 || !arithmetic.needs_shader_int64())
        && (features.shader_float64 || !arithmetic.needs_shader_float64())
}

/// The arithmetic that comes after one that is wrong on a device with `caps`.
pub(crate) fn next(caps: &DeviceCaps, wrong: Arithmetic) -> Option<Arithmetic> {
    let after = match wrong {
        Arithmetic::F64 => Arithmetic::U64,
        Arithmetic::U64 => Arithmetic::U32,
        _ => return None,
    };
    match runs(caps, after) {
        true => Some(after),
        false => next(caps, after),
    }
}

fn arithmetic_of(caps: &DeviceCaps) -> Arithmetic {
    let mut words = caps.name.split(|letter: char| !letter.is_alphanumeric());
    let has_fast_doubles =
        caps.vendor_device.0 == NVIDIA && words.any(|word| FAST_DOUBLES.contains(&word));
    match has_fast_doubles && runs(caps, Arithmetic::F64) {
        true => Arithmetic::F64,
        false if runs(caps, Arithmetic::U64) => Arithmetic::U64,
        false => Arithmetic::U32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use field_kernels::chain::Input;
    use field_kernels::operations::{ADD, MUL};
    use field_kernels::{ElementType as _, Fp, Fp2, Fr};
    use vk_core::testing::recorded;

    #[test]
    fn doubles_multiply_where_they_are_fast_and_integers_elsewhere() {
        let of = |caps: &DeviceCaps| {
            let choice = Choice::of(caps);
            assert_eq!(choice.of_field(Fp::ID), choice.of_field(Fr::ID));
            choice.of_field(Fp::ID).arithmetic
        };
        let named = |name: &str| {
            let mut caps = recorded::h200();
            caps.name = name.to_owned();
            caps
        };
        for name in [
            "NVIDIA H100 80GB HBM3",
            "NVIDIA H100-PCIE",
            "NVIDIA GH200 480GB",
        ] {
            assert_eq!(of(&named(name)), Arithmetic::F64, "{name}");
        }
        assert_eq!(of(&recorded::h200()), Arithmetic::F64);
        for name in [
            "NVIDIA GeForce RTX 4090",
            "NVIDIA A100-SXM4-40GB",
            "NVIDIA H2000",
        ] {
            assert_eq!(of(&named(name)), Arithmetic::U64, "{name}");
        }
        let mut without = recorded::h200();
        without.features.shader_float64 = false;
        assert_eq!(of(&without), Arithmetic::U64);
        without.features.shader_int64 = false;
        assert_eq!(of(&without), Arithmetic::U32);
        let mut elsewhere = recorded::h200();
        elsewhere.vendor_device.0 = 0x1002;
        assert_eq!(of(&elsewhere), Arithmetic::U64);
        assert_eq!(of(&recorded::llvmpipe()), Arithmetic::U64);
        assert_eq!(of(&recorded::integrated()), Arithmetic::U32);
    }

    #[test]
    fn a_gpu_stores_through_shared_memory_and_a_software_device_does_not() {
        for caps in [
            recorded::h200(),
            recorded::small_bar(),
            recorded::integrated(),
        ] {
            let FieldChoice { light, heavy, .. } = Choice::of(&caps).of_field(Fp::ID);
            assert_eq!(
                (light, heavy),
                (Layout::OF_A_GPU, Layout::OF_A_GPU),
                "{}",
                caps.name
            );
        }
        let of_software = Choice::of(&recorded::llvmpipe());
        assert_eq!(of_software.of_field(Fr::ID).light, OF_SOFTWARE);
    }

    #[test]
    fn workgroups_of_large_elements_are_smaller_where_shared_memory_would_not_suffice() {
        let choice = FieldChoice {
            arithmetic: Arithmetic::U32,
            light: OF_SOFTWARE,
            heavy: Layout::OF_A_GPU,
        };
        let of = |operation, field| {
            let chain = Chain::of(operation, &[Input::Vector; 2]);
            choice.layout(&chain, field).group_size
        };
        assert_eq!(
            (of(&ADD, Fp::ID), of(&ADD, Fr::ID), of(&ADD, Fp2::ID)),
            (128, 128, 64)
        );
        assert_eq!((of(&MUL, Fp::ID), of(&MUL, Fp2::ID)), (64, 64));
    }

    #[test]
    fn after_an_arithmetic_that_is_wrong_comes_the_next_one_that_runs() {
        let after = |caps: &DeviceCaps, wrong| next(caps, wrong);
        let (h200, integrated) = (recorded::h200(), recorded::integrated());
        assert_eq!(after(&h200, Arithmetic::F64), Some(Arithmetic::U64));
        assert_eq!(after(&h200, Arithmetic::U64), Some(Arithmetic::U32));
        assert_eq!(after(&h200, Arithmetic::U32), None);
        assert_eq!(after(&integrated, Arithmetic::F64), Some(Arithmetic::U32));
    }

    #[test]
    fn what_is_asked_for_takes_the_place_of_what_was_chosen() {
        let asked = Asked {
            arithmetic: Some(Arithmetic::U32),
            access: None,
            workgroup: Some(32),
        };
        let caps = recorded::h200();
        let choice = asked.over(Choice::of(&caps), &caps).unwrap();
        let layout = Layout {
            group_size: 32,
            ..Layout::OF_A_GPU
        };
        let both = FieldChoice {
            arithmetic: Arithmetic::U32,
            light: layout,
            heavy: layout,
        };
        assert_eq!(choice, Choice([both; 2]));
        let lacking = Asked {
            arithmetic: Some(Arithmetic::U64),
            ..Asked::default()
        };
        let caps = recorded::integrated();
        let error = lacking.over(Choice::of(&caps), &caps).unwrap_err();
        assert!(error.to_string().contains("u64"), "{error}");
    }
}
