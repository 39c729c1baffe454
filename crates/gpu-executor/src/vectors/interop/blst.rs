//! blst's `blst_fp`, `blst_fr` and `blst_fp2`: C structures of limbs in Montgomery form.

use blst::{blst_fp, blst_fp2, blst_fr};
use field_kernels::{Fp, Fp2, Fr};

use super::{element, join, split};

element!(blst_fp, Fp, [0: l], |it: blst_fp| it.l, |l| blst_fp { l });
element!(blst_fr, Fr, [0: l], |it: blst_fr| it.l, |l| blst_fr { l });
element!(
    blst_fp2, Fp2, [0: fp],
    |it: blst_fp2| join(it.fp.map(|it| it.l)),
    |limbs| blst_fp2 { fp: split(limbs).map(|l| blst_fp { l }) }
);
