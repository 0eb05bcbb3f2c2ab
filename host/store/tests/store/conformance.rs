//! What every store must do. Each store runs the same cases: a case is a function from a factory of empty stores.

mod runs;

/// Makes a test of each case for a store.
macro_rules! exercise {
    ($($module:ident: $($case:ident,)*;)*) => {
        mod sqlite_in_memory {
            $($(
                #[test]
                fn $case() {
                    crate::support::block_on(super::$module::$case(&|clock| crate::sqlite::in_memory(clock)));
                }
            )*)*
        }

        mod sqlite_in_a_file {
            $($(
                #[test]
                fn $case() {
                    let folder = tempfile::tempdir().unwrap();
                    crate::support::block_on(super::$module::$case(&|clock| crate::sqlite::in_file(&folder, clock)));
                }
            )*)*
        }
    };
}

exercise! {
    runs:
        an_entry_goes_from_arrival_to_delivered_record,
    ;
}
