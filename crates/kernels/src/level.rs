//! Which vector instructions a kernel may use, and the macro that compiles it for each.

use std::sync::OnceLock;

/// A set of instructions that kernels are compiled for; a higher level is faster, never different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What every machine of the target has (SSE2 on x86-64); software AES.
    Portable,
    /// AVX2, F16C, BMI and AES-NI: every x86-64 server since 2013.
    Avx2,
    /// AVX-512 F, BW, VL, DQ, VBMI2 and VAES: Ice Lake, Zen 4 and later.
    ///
    /// Builds without the cargo feature `avx512` never have it.
    Avx512,
}

impl Level {
    /// The highest level of this machine, found once.
    pub fn detected() -> Level {
        static DETECTED: OnceLock<Level> = OnceLock::new();
        *DETECTED.get_or_init(detect)
    }

    /// All levels this machine can run, the portable one first.
    pub fn available() -> &'static [Level] {
        const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];
        let n = ALL.iter().take_while(|&&level| level <= Level::detected()).count();
        &ALL[..n]
    }

    /// Guards every jump into code compiled for `self`; without it that jump would be unsound.
    ///
    /// # Panics
    /// If this machine lacks the level.
    pub(crate) fn assert_available(self) {
        assert!(self <= Level::detected(), "this machine has level {:?}, not {self:?}", Level::detected());
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    let avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt");
    let avx512 = cfg!(feature = "avx512")
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("vaes");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        (false, _) => Level::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Portable
}

/// Defines `$name`, which runs `$body` at the detected level, and `$name_at`, which takes a level.
///
/// `$body` must be `#[inline(always)]` down to its loops, or the level's instructions do not
/// reach them: write `for`, as `for_each` may stay a function of its own (6 times slower). Both functions carry the given documentation.
macro_rules! at_every_level {
    ($(#[$meta:meta])* pub fn $name:ident / $name_at:ident ($($arg:ident: $ty:ty),* $(,)?) = $body:path) => {
        $(#[$meta])*
        pub fn $name($($arg: $ty),*) {
            $name_at($crate::Level::detected(), $($arg),*)
        }

        $(#[$meta])*
        ///
        /// At the given level, with the same bits.
        ///
        /// # Panics
        /// If this machine lacks the level.
        pub fn $name_at(level: $crate::Level, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($arg: $ty),*) {
                $body($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
            fn avx512($($arg: $ty),*) {
                $body($($arg),*)
            }
            level.assert_available();
            match level {
                // SAFETY: asserted above, this machine has AVX2.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: asserted above, this machine has these AVX-512 instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx512 => unsafe { avx512($($arg),*) },
                _ => $body($($arg),*),
            }
        }
    };
}
pub(crate) use at_every_level;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_available_are_those_up_to_the_detected_one() {
        assert_eq!(Level::available().first(), Some(&Level::Portable));
        assert_eq!(Level::available().last(), Some(&Level::detected()));
    }
}
