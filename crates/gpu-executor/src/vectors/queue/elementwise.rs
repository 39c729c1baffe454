//! Operations on elements at the same place: a method for each row of the registry.

use field_kernels::{ExtensionField, Field, operations};

use super::Queue;
use crate::Result;
use crate::vectors::field_vec::FieldVec;
use crate::vectors::operand::Operand;

/// A method that puts the result of another in the place of its first argument.
macro_rules! in_place {
    ($assign:ident = $name:ident $(<$F:ident: $field:ident>)?($x:ty $(, $y:ident: $kind:ty)*)) => {
        #[doc = concat!("[`Self::", stringify!($name), "`], with the result in the place of x.")]
        ///
        /// # Errors
        #[doc = concat!("As [`Self::", stringify!($name), "`].")]
        pub fn $assign$(<$F: $field>)?(&self, x: &mut $x $(, $y: $kind)*) -> $crate::Result<()> {
            *x = self.$name(&*x $(, $y)*)?;
            Ok(())
        }
    };
}

pub(in crate::vectors) use in_place;

/// For each row whose arguments have kinds a method of its name, and where it names a
/// second one, that for the place of the first argument.
macro_rules! methods {
    ($($(#[$doc:meta])* { $row:ident: $($rest:tt)* })*) => {
        impl Queue {
            $(method!([$(#[$doc])*] $row $($rest)*);)*
        }
    };
}

macro_rules! method {
    ([$($doc:tt)*] $row:ident $name:ident<$field:ident>($($x:ident: $kind:ident),+), $assign:ident; $($rest:tt)*) => {
        method!([$($doc)*] $row $name<$field>($($x: $kind),+); $($rest)*);
        method!(@assign $name $assign<$field>($($x: $kind),+));
    };
    ([$($doc:tt)*] $row:ident $name:ident<$field:ident>($($x:ident: $kind:ident),+); $($rest:tt)*) => {
        $($doc)*
        ///
        /// # Errors
        /// As for every method that records: see [`Queue`](Self#errors).
        pub fn $name<F: $field>(&self, $($x: method!(@type $kind)),+) -> Result<FieldVec<F>> {
            self.element(&operations::$row, [$($x.into()),+])
        }
    };
    // Not for users.
    ([$($doc:tt)*] $row:ident $name:ident<$field:ident>($($x:ident),+); $($rest:tt)*) => {};
    (@assign $name:ident $assign:ident<$field:ident>($x:ident: $first:ident $(, $y:ident: $kind:ident)*)) => {
        in_place!($assign = $name<F: $field>(FieldVec<F> $(, $y: method!(@type $kind))*));
    };
    (@type vector) => { &FieldVec<F> };
    (@type operand) => { impl Into<Operand<F>> };
}

field_kernels::element_operations!(methods);
