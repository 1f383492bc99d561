//! A closure that captures is no function: the compiler says so.

#[test]
fn a_capturing_closure_does_not_compile() {
    trybuild::TestCases::new().compile_fail("compile_fail/spawn_closure.rs");
}
