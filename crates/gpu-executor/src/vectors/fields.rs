//! From the value of a field to its type: the one list of the fields that engines compute
//! in.

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
            Err($crate::vectors::runner::internal("a field of this library"))
        }
    }};
}

pub(super) use with_field;
