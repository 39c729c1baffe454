//! blst's `blst_fp`, `blst_fr`, `blst_fp2` and affine points: C structures of limbs in
//! Montgomery form.

use blst::{blst_fp, blst_fp2, blst_fr, blst_p1_affine, blst_p2_affine};
use field_kernels::{Fp, Fp2, Fr, G1, G2, curve};

use super::{element, field_element, join, split};

field_element!(blst_fp, Fp, [0: l], |it: blst_fp| it.l, |l| blst_fp { l });
field_element!(blst_fr, Fr, [0: l], |it: blst_fr| it.l, |l| blst_fr { l });
field_element!(blst_fp2, Fp2, [0: fp], fp2_limbs, fp2);
element!(
    blst_p1_affine, G1, Montgomery, [0: x.l, 1: y.l],
    |it: blst_p1_affine| join([it.x.l, it.y.l]),
    |limbs| {
        let [x, y] = split(limbs).map(|l| blst_fp { l });
        blst_p1_affine { x, y }
    }
);
element!(
    blst_p2_affine, G2, Montgomery, [0: x.fp, 2: y.fp],
    |it: blst_p2_affine| curve::from_coordinates::<G2>(&[it.x, it.y].map(fp2_limbs)),
    |limbs| {
        let [x, y] = curve::coordinates::<G2>(&limbs).map(fp2);
        blst_p2_affine { x, y }
    }
);

fn fp2_limbs(element: blst_fp2) -> [u64; 12] {
    join(element.fp.map(|it| it.l))
}

fn fp2(limbs: [u64; 12]) -> blst_fp2 {
    blst_fp2 {
        fp: split(limbs).map(|l| blst_fp { l }),
    }
}
