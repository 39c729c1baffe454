//! blst's `blst_fp` and `blst_fr`: C structures of limbs in Montgomery form.

use blst::{blst_fp, blst_fr};
use field_kernels::{Fp, Fr};

use super::element;

element!(blst_fp, Fp, limbs: l, from_limbs: |l| blst_fp { l });
element!(blst_fr, Fr, limbs: l, from_limbs: |l| blst_fr { l });
