//! The commonest mistakes, and what the compiler says of them.

#[test]
fn mistakes_do_not_compile() {
    trybuild::TestCases::new().compile_fail("compile_fail/spawn_*.rs");
}
