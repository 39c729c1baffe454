//! From the value of a field or a curve to its type: the one list of those that engines
//! compute in.

/// Evaluates `$body`, a [`Result`](crate::Result), where `$F` is the field with this id.
macro_rules! with_field {
    ($id:expr, $F:ident => $body:expr) => {
        $crate::vectors::fields::with_field!($id, $F => $body; Fp Fr Fp2)
    };
    ($id:expr, $F:ident => $body:expr; $($field:ident)*) => {{
        let id: field_kernels::ElementId = $id;
        $(if id == <field_kernels::$field as field_kernels::ElementType>::ID {
            type $F = field_kernels::$field;
            $body
        } else)* {
            Err($crate::vectors::runner::internal("a field or a curve of this library"))
        }
    }};
}

/// As `with_field!`, of curves, whose points `$C` are.
macro_rules! with_curve {
    ($id:expr, $C:ident => $body:expr) => {
        $crate::vectors::fields::with_field!($id, $C => $body; G1 G2)
    };
}

/// What an operation over whole vectors does on the CPU: `$on_cpu` of the field of its call.
macro_rules! in_field {
    ($on_cpu:ident) => {
        |run, call| $crate::vectors::fields::with_field!(call.field, F => $on_cpu::<F>(run, call))
    };
}

pub(super) use {in_field, with_curve, with_field};
