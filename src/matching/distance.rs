//! Great-circle distance in integers alone.
//!
//! The points of a score must be the same on every machine, and the trigonometric functions of floating-point libraries
//! differ in their last digits. So sine, cosine and arc tangent are computed by CORDIC rotations on fixed-point numbers,
//! which are additions and shifts; the error is below a metre anywhere on the globe.

use std::sync::LazyLock;

/// A unit vector, each coordinate times 2^29, so that sums of squares of differences fit into 64 bits.
pub(super) type Unit = [i32; 3];

/// A place on the globe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    latitude_micro: i32,
    longitude_micro: i32,
    /// The unit vector to it.
    unit: Unit,
}

impl Place {
    /// A place in millionths of a degree, north and east positive. Latitudes beyond ±90,000,000 are taken as the pole,
    /// longitudes beyond ±180,000,000 go round the globe.
    pub fn new(latitude_micro: i32, longitude_micro: i32) -> Self {
        let (sine, cosine) = sine_cosine(radians(i64::from(latitude_micro).clamp(-90_000_000, 90_000_000)));
        let turn = i64::from(longitude_micro).rem_euclid(360_000_000);
        let east = turn <= 180_000_000;
        let (turn_sine, turn_cosine) = sine_cosine(radians(if east { turn } else { 360_000_000 - turn }));
        let across = times(cosine, turn_sine);
        let unit = [times(cosine, turn_cosine), if east { across } else { -across }, sine]
            .map(|axis| i32::try_from(axis >> UNIT_SHIFT).unwrap_or(i32::MAX));
        Self { latitude_micro, longitude_micro, unit }
    }
}

/// Binary digits after the point of every fixed-point number here (angles in radians and lengths alike).
const FRACTION_BITS: u32 = 40;
const ONE: i64 = 1 << FRACTION_BITS;

/// From [`FRACTION_BITS`] to the 29 binary digits of a unit vector: 12 mm on the ground.
const UNIT_SHIFT: u32 = FRACTION_BITS - 29;

/// Up to here, which is the length of the country, a distance is looked up by the square of the chord; beyond it is computed.
const LOOKED_UP_KM: u32 = 3_000;

/// The squares of the chords at half kilometres: at the place of `km` the smallest that is rounded to more than `km`.
static CHORDS: LazyLock<Vec<i64>> = LazyLock::new(|| {
    (0..=i64::from(LOOKED_UP_KM))
        .map(|km| {
            // The chord of an angle is twice the sine of its half.
            let half_angle = ((i128::from(2 * km + 1) * 500) << FRACTION_BITS) / EARTH_RADIUS_METRES / 2;
            let (sine, _) = sine_cosine(i64::try_from(half_angle).unwrap_or(0));
            let chord = (2 * sine) >> UNIT_SHIFT;
            chord * chord
        })
        .collect()
});

/// π, as `round(π × 2^40)`.
const PI: i64 = 3_454_217_652_358;

/// Rotations; each adds about one binary digit.
const STEPS: usize = 40;

/// Product of the cosines of all rotation angles, as `round(0.607252935… × 2^40)`: rotating stretches by its inverse.
const SHRINK: i64 = 667_681_663_043;

/// Mean radius of the Earth (IUGG R1) in metres.
const EARTH_RADIUS_METRES: i128 = 6_371_009;

/// The rotation angles atan(2^-i).
const ANGLES: [i64; STEPS] = angles();

const fn angles() -> [i64; STEPS] {
    let mut table = [0; STEPS];
    table[0] = PI / 4;
    let mut step = 1;
    while step < STEPS {
        table[step] = arc_tangent_of_power(step as u32);
        step += 1;
    }
    table
}

/// atan(2^-step) for step ≥ 1 by its series x − x³/3 + x⁵/5 …, with 20 guard digits.
const fn arc_tangent_of_power(step: u32) -> i64 {
    const GUARD_BITS: u32 = 20;
    let mut sum: i64 = 0;
    let mut order: u32 = 1;
    while order * step < FRACTION_BITS + GUARD_BITS {
        let term = (1_i64 << (FRACTION_BITS + GUARD_BITS - order * step)) / order as i64;
        if order % 4 == 1 {
            sum += term;
        } else {
            sum -= term;
        }
        order += 2;
    }
    (sum + (1 << (GUARD_BITS - 1))) >> GUARD_BITS
}

/// The square of the chord between two places.
fn chord(from: Unit, to: Unit) -> i64 {
    let squares = from.iter().zip(&to).map(|(a, b)| {
        let apart = i64::from(*a) - i64::from(*b);
        apart * apart
    });
    squares.sum()
}

impl Place {
    /// The unit vector to it.
    pub(super) fn unit(self) -> Unit {
        self.unit
    }
}

/// Up to here [`at_least`] tells distances apart.
const COARSE_KM: u32 = 400;
/// In steps of so many kilometres.
const STEP_KM: u32 = 8;

/// The squares of the chords at which the steps begin.
static STEPS_OF_CHORDS: LazyLock<Vec<i64>> =
    LazyLock::new(|| (1..=COARSE_KM / STEP_KM).map(|step| CHORDS[(step * STEP_KM) as usize - 1]).collect());

/// No more than [`kilometres`], and no more than one step less up to 400 km: quick, for bounds.
pub(super) fn at_least(from: Unit, to: Unit) -> u32 {
    let chord = chord(from, to);
    let steps = STEPS_OF_CHORDS.partition_point(|limit| *limit <= chord);
    u32::try_from(steps).unwrap_or(0) * STEP_KM
}

/// Distance along the surface between two places in whole kilometres, rounded to the nearest; one that lies within a few
/// centimetres of a half may fall to either side, on every machine to the same.
pub fn kilometres(from: Place, to: Place) -> u32 {
    let chord = chord(from.unit, to.unit);
    match CHORDS.partition_point(|limit| *limit <= chord) {
        km if km <= LOOKED_UP_KM as usize => u32::try_from(km).unwrap_or(LOOKED_UP_KM),
        _ => (distance_metres(from, to) + 500) / 1000,
    }
}

/// Distance along the surface between two places, in metres, rounded down; on a sphere of the Earth's mean radius,
/// which differs from the true figure by at most about half a percent.
pub fn distance_metres(from: Place, to: Place) -> u32 {
    let (sin_from, cos_from) = sine_cosine(latitude(from));
    let (sin_to, cos_to) = sine_cosine(latitude(to));
    let (sin_turn, cos_turn) = sine_cosine(longitude_between(from, to));
    // Unit vectors with the meridian of `from` as the first axis' plane: a = (cos, 0, sin), b as below.
    let b = [times(cos_to, cos_turn), times(cos_to, sin_turn), sin_to];
    let cross = [-times(sin_from, b[1]), times(sin_from, b[0]) - times(cos_from, b[2]), times(cos_from, b[1])];
    let squares: i128 = cross.iter().map(|c| i128::from(*c) * i128::from(*c)).sum();
    let sine = i64::try_from(squares.isqrt()).unwrap_or(ONE);
    let cosine = times(cos_from, b[0]) + times(sin_from, b[2]);
    let metres = (i128::from(angle(sine, cosine)) * EARTH_RADIUS_METRES) >> FRACTION_BITS;
    u32::try_from(metres).unwrap_or(0)
}

fn latitude(place: Place) -> i64 {
    radians(i64::from(place.latitude_micro).clamp(-90_000_000, 90_000_000))
}

/// The angle between the two meridians, 0..=π. Its sign does not matter to a distance.
fn longitude_between(from: Place, to: Place) -> i64 {
    let turn = i64::from(to.longitude_micro) - i64::from(from.longitude_micro);
    let turn = turn.rem_euclid(360_000_000);
    radians(turn.min(360_000_000 - turn))
}

fn radians(micro_degrees: i64) -> i64 {
    // At most 1.8 × 10^8 times 3.5 × 10^12, which needs more than 63 bits only beyond 2.6 × 10^6 degrees.
    let wide = i128::from(micro_degrees) * i128::from(PI) / 180_000_000;
    i64::try_from(wide).unwrap_or(0)
}

fn times(a: i64, b: i64) -> i64 {
    i64::try_from((i128::from(a) * i128::from(b)) >> FRACTION_BITS).unwrap_or(0)
}

/// Sine and cosine of an angle within −π/2..=π.
fn sine_cosine(angle: i64) -> (i64, i64) {
    if angle > PI / 2 {
        let (sine, cosine) = sine_cosine(PI - angle);
        return (sine, -cosine);
    }
    let (mut x, mut y, mut rest) = (SHRINK, 0_i64, angle);
    for (step, turn) in ANGLES.iter().enumerate() {
        let (dx, dy) = (y >> step, x >> step);
        if rest >= 0 {
            (x, y, rest) = (x - dx, y + dy, rest - turn);
        } else {
            (x, y, rest) = (x + dx, y - dy, rest + turn);
        }
    }
    (y, x)
}

/// The angle 0..=π whose sine (not negative) and cosine are given.
fn angle(sine: i64, cosine: i64) -> i64 {
    if cosine < 0 {
        return PI - angle(sine, -cosine);
    }
    if sine == 0 {
        return 0;
    }
    let (mut x, mut y, mut turned) = (cosine, sine, 0_i64);
    for (step, turn) in ANGLES.iter().enumerate() {
        let (dx, dy) = (y >> step, x >> step);
        if y > 0 {
            (x, y, turned) = (x + dx, y - dy, turned + turn);
        } else {
            (x, y, turned) = (x - dx, y + dy, turned - turn);
        }
    }
    turned.max(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(latitude_micro: i32, longitude_micro: i32) -> Place {
        Place::new(latitude_micro, longitude_micro)
    }

    /// The haversine formula in floating point, to compare with.
    fn reference(a: Place, b: Place) -> f64 {
        let rad = |micro: i32| (f64::from(micro) / 1e6).to_radians();
        let (p, q) = (rad(a.latitude_micro), rad(b.latitude_micro));
        let turn = (f64::from(b.longitude_micro) - f64::from(a.longitude_micro)) / 1e6;
        let h = ((q - p) / 2.0).sin().powi(2) + p.cos() * q.cos() * (turn.to_radians() / 2.0).sin().powi(2);
        2.0 * 6_371_009.0 * h.sqrt().min(1.0).asin()
    }

    #[test]
    fn known_distances() {
        let shizuoka = place(34_976_944, 138_383_056);
        let hamamatsu = place(34_710_833, 137_726_111);
        let metres = distance_metres(shizuoka, hamamatsu);
        assert!((66_000..68_000).contains(&metres), "{metres}");
        assert_eq!(distance_metres(shizuoka, shizuoka), 0);
        let half_round = distance_metres(place(0, 0), place(0, 180_000_000));
        assert!((20_015_110..=20_015_116).contains(&half_round), "{half_round}");
        let pole_to_pole = distance_metres(place(90_000_000, 0), place(-90_000_000, 77));
        assert!((20_015_110..=20_015_116).contains(&pole_to_pole), "{pole_to_pole}");
    }

    proptest! {
        /// The table and the formula tell the same kilometres but right at a half.
        #[test]
        fn looked_up_kilometres_are_those_of_the_formula(
            lat in 24_000_000i32..=46_000_000, lon in 122_000_000i32..=154_000_000,
            north in -6_000_000i32..=6_000_000, east in -6_000_000i32..=6_000_000,
        ) {
            let (a, b) = (place(lat, lon), place(lat + north, lon + east));
            let metres = distance_metres(a, b);
            let from_half = (i64::from(metres) + 500).rem_euclid(1000);
            prop_assume!((2..=998).contains(&from_half));
            prop_assert_eq!(kilometres(a, b), (metres + 500) / 1000);
            prop_assert_eq!(kilometres(a, b), kilometres(b, a));
            let least = at_least(a.unit(), b.unit());
            prop_assert!(least <= kilometres(a, b) && kilometres(a, b).min(COARSE_KM) < least + STEP_KM);
        }

        #[test]
        fn agrees_with_the_haversine_formula_to_two_metres(
            lat1 in -90_000_000i32..=90_000_000, lon1 in -180_000_000i32..=180_000_000,
            lat2 in -90_000_000i32..=90_000_000, lon2 in -180_000_000i32..=180_000_000,
        ) {
            let (a, b) = (place(lat1, lon1), place(lat2, lon2));
            let expected = reference(a, b);
            // Near the antipode the haversine formula itself loses precision.
            prop_assume!(expected < 20_000_000.0);
            let found = f64::from(distance_metres(a, b));
            prop_assert!((found - expected).abs() < 2.0, "{found} {expected}");
        }

        #[test]
        fn small_distances_are_as_good(
            lat in 20_000_000i32..46_000_000, lon in 122_000_000i32..154_000_000,
            north in -50_000i32..50_000, east in -50_000i32..50_000,
        ) {
            let (a, b) = (place(lat, lon), place(lat + north, lon + east));
            prop_assert!((f64::from(distance_metres(a, b)) - reference(a, b)).abs() < 2.0);
        }

        #[test]
        fn there_is_as_far_as_back(lat1: i32, lon1: i32, lat2: i32, lon2: i32) {
            let (a, b) = (place(lat1, lon1), place(lat2, lon2));
            let (there, back) = (distance_metres(a, b), distance_metres(b, a));
            prop_assert!(there.abs_diff(back) <= 1 && there <= 20_015_116);
        }
    }
}
