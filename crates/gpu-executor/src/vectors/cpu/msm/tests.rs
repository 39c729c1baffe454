use super::*;

#[test]
fn a_grid_covers_all_points_and_bits() {
    for points in [2, 3, 31, 1000, 1 << 20] {
        for (sums, threads) in [(1, 1), (1, 16), (1, 192), (1000, 16)] {
            let of = |bits| Grid::new((points, bits), sums, threads);
            for bits in [1, 8, 64, SCALAR_BITS] {
                let grid = of(bits);
                assert!(grid.digits() * grid.window > bits, "{grid:?}");
            }
            let grid = of(SCALAR_BITS);
            let stretches = (0..grid.stretches).map(|number| grid.stretch(number));
            let mut end = 0;
            for stretch in stretches {
                assert_eq!(stretch.start, end);
                assert!(stretch.len() >= 2, "{grid:?}");
                end = stretch.end;
            }
            assert_eq!(end, points);
        }
    }
    let window = |points, threads| Grid::new((points, SCALAR_BITS), 1, threads).window;
    assert!(window(1 << 20, 1) > window(1 << 10, 1));
    // Hardly any of many threads has nothing to do.
    assert!(Grid::new((1 << 16, SCALAR_BITS), 1, 192).tiles() > 160);
}
